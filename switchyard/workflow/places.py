"""Where the factory keeps what it keeps, and how it writes a time; light enough for every command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Where the factory keeps what it keeps: everything below `<git common dir>/switchyard/`."""

    state: Path

    @property
    def database(self) -> Path:
        """Workflows, effects and the ledger."""
        return self.state / "switchyard.db"

    @property
    def artifacts(self) -> Path:
        """`sha256/<2>/<hex>`."""
        return self.state / "artifacts"

    @property
    def mirror(self) -> Path:
        """Upstream refs only; may be mounted read-only into a box."""
        return self.state / "mirror.git"

    @property
    def factory(self) -> Path:
        """Quarantine, results and factory branches; never mounted anywhere."""
        return self.state / "factory.git"

    @property
    def forge(self) -> Path:
        """The local forge: one JSON file a pull request."""
        return self.state / "forge"

    @property
    def cache(self) -> Path:
        """What can be thrown away: facts about source files by blob hash."""
        return self.state / "cache"

    def seed(self, commit: str) -> Path:
        """What is known of the tree of a base commit, and of no other; a box on it may read that."""
        return self.state / "seeds" / commit


def written(moment: datetime) -> str:
    """A time as the ledger writes it: RFC 3339, UTC, microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
