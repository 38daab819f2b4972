"""The factory's parts as one value: what every station of the line works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from switchyard_git import Repository, Signature
from switchyard_merge.forge.contract import Forge
from switchyard_sandbox import Driver, Limits, SetUp

from switchyard.agents import Agent
from switchyard.config import Config
from switchyard.ledger import ArtifactStore


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


@dataclass(frozen=True)
class Factory:
    """The parts, picked by wiring."""

    config: Config
    places: Places
    origin: Repository
    """The maintainer's repository; its worktree is never touched."""
    quarantine: Repository
    """The factory repository: bare, holds everything that came out of a box."""
    artifacts: ArtifactStore
    driver: Driver
    agents: Mapping[str, Agent]
    """By name; "" is the default."""
    forge: Forge
    clock: Callable[[], datetime]
    publishing: Lock
    """Held from conflict prediction to the opened pull request, so that two tasks can't miss each other."""

    def now(self) -> str:
        """The clock's time as the ledger writes it."""
        return written(self.clock())

    def limits(self) -> Limits:
        """What one box may use, from the configuration."""
        sandbox = self.config.sandbox
        return Limits(cpus=sandbox.cpus, memory_mb=sandbox.memory_mb, pids=sandbox.pids, disk_mb=sandbox.disk_mb)

    def setup(self) -> SetUp:
        """The set-up that every box of this repository gets."""
        sandbox = self.config.sandbox
        return SetUp(commands=tuple(sandbox.setup), network=tuple(sandbox.setup_network))


def written(moment: datetime) -> str:
    """A time as the ledger writes it: RFC 3339, UTC, microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def signature(timestamp: int) -> Signature:
    """Who signs the factory's commits; the date is the run's, so that a repeated step makes the same commit."""
    return Signature(name="Switchyard", email="switchyard@localhost", timestamp=timestamp)
