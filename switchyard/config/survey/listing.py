"""A repository's files as a survey sees them: their paths, and the text of those it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Listing:
    """The tracked files of a work tree."""

    root: Path
    paths: Sequence[str]

    @cached_property
    def known(self) -> frozenset[str]:
        """The paths as a set."""
        return frozenset(self.paths)

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        return path in self.known

    def text(self, path: str) -> str:
        """A file's text; "" for one that is not there, cannot be read or is very long."""
        file = self.root / path
        try:
            if not self.has(path) or file.stat().st_size > MAX_BYTES:
                return ""
            return file.read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            return ""

    def named(self, name: str, *, max_depth: int) -> list[str]:
        """The folders ("" is the root) that hold a file of that name, the shallowest first."""
        folders = [PurePosixPath(path).parent for path in self.paths if PurePosixPath(path).name == name]
        found = [str(folder) if str(folder) != "." else "" for folder in folders if len(folder.parts) <= max_depth]
        return sorted(found, key=lambda folder: (folder.count("/"), folder))
