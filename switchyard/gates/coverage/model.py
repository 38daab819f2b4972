"""What a coverage report comes to, whichever tool wrote it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from posixpath import normpath

MOST_LINES = 5_000_000
"""Of one report, over all files: a span of lines that no file has must not fill the memory."""


_CLOSING = " \t\f\v\r\ufeff\xa0})];,"


class Unreadable(Exception):
    """A report that is none: cut short, of an unknown format, or made up."""


@dataclass(frozen=True)
class Lines:
    """Which lines of one file tests ran, counted from 1; a line that is in none of them is no code to the tool."""

    covered: frozenset[int] = frozenset()
    missed: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    """Left out of the count by a comment or by the tool's configuration."""

    def with_run(self, other: Lines) -> Lines:
        """What two reports say together: what one of them saw run was run."""
        covered = self.covered | other.covered
        missed = (self.missed | other.missed) - covered
        return Lines(covered, missed, (self.excluded | other.excluded) - covered - missed)


@dataclass(frozen=True)
class Spans:
    """Stretches of a file's text as V8 counts them, in UTF-16 units; where one lies in another, its count holds."""

    spans: tuple[tuple[int, int, int], ...]
    """(start, end, count)"""

    def lines(self, source: bytes) -> Lines:
        """Lines by whether the first character of each that is no blank, and closes nothing, was run."""
        counts = self._counts()
        covered: set[int] = set()
        missed: set[int] = set()
        offset = 0
        for number, line in enumerate(source.decode("utf-8", "replace").split("\n"), 1):
            if line.strip():
                skipped = line[: len(line) - len(line.lstrip(_CLOSING))]
                at = offset + len(skipped.encode("utf-16-le")) // 2
                (covered if counts.at(at) else missed).add(number)
            offset += len(line.encode("utf-16-le")) // 2 + 1
        return Lines(frozenset(covered), frozenset(missed))

    def _counts(self) -> _Counts:
        return _Counts(sorted(self.spans, key=lambda span: (span[0], -span[1])))


class _Counts:
    """Counts by offset, asked for in rising order; of spans that lie in one another, as V8's do."""

    def __init__(self, outer_first: list[tuple[int, int, int]]) -> None:
        self._waiting = list(reversed(outer_first))
        self._open: list[tuple[int, int]] = []

    def at(self, offset: int) -> int:
        while self._waiting and self._waiting[-1][0] <= offset:
            start, end, count = self._waiting.pop()
            self._close(start)
            self._open.append((min(end, self._open[-1][0]) if self._open else end, count))
        self._close(offset)
        return self._open[-1][1] if self._open else 0

    def _close(self, offset: int) -> None:
        while self._open and self._open[-1][0] <= offset:
            self._open.pop()


@dataclass(frozen=True)
class Report:
    """One report: what it says of each file, by the name that the tool gave it."""

    tool: str
    """In words: `coverage.py`, `Go`, `LCOV`."""
    families: frozenset[str]
    """The languages that it measures: a file of them that it does not know was never loaded."""
    files: Mapping[str, Lines | Spans]


@dataclass(frozen=True)
class Places:
    """How a report's names lead to paths of the repository."""

    root: str
    """The work tree's absolute path where the report was made."""
    folder: str
    """The folder that the report lay in, inside the repository; "" is its top."""
    paths: frozenset[str]
    """Every path of the commit."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Go module → its folder."""

    def locate(self, names: Iterable[str]) -> dict[str, str]:
        """Name → path, of those that lead to one."""
        plain = {name: self._plain(name) for name in names}
        by_name: dict[str, list[str]] = {}
        for path in self.paths:
            by_name.setdefault(path.rpartition("/")[2], []).append(path)
        endings = {name: _endings(at, by_name) for name, at in plain.items() if at}
        prefix = self._prefix(plain, endings)
        found = {name: self._find(at, prefix, endings[name]) for name, at in plain.items() if at}
        return {name: path for name, path in found.items() if path}

    def _plain(self, name: str) -> str:
        """A name relative to wherever the tool stood; "" where it lies outside of the work tree."""
        path = normpath(name)
        if path.startswith("/"):
            root = self.root.rstrip("/") + "/"
            return path.removeprefix(root) if path.startswith(root) else ""
        modules = [module for module in self.modules if path.startswith(f"{module}/")]
        if modules:
            module = max(modules, key=len)
            return posixpath.join(self.modules[module], path.removeprefix(f"{module}/"))
        return path

    def _prefix(self, plain: Mapping[str, str], endings: Mapping[str, list[str]]) -> str:
        """The one folder below which most of the names exist: where the tool stood."""
        votes: dict[str, int] = {}
        for name, paths in endings.items():
            for path in paths[:50]:
                folder = path[: -len(plain[name])].rstrip("/")
                votes[folder] = votes.get(folder, 0) + 1
        most = max(votes.values(), default=0)
        best = [folder for folder, count in votes.items() if count == most]
        return best[0] if len(best) == 1 else ""

    def _find(self, at: str, prefix: str, endings: list[str]) -> str:
        for folder in (prefix, self.folder, ""):
            if (path := normpath(posixpath.join(folder, at))) in self.paths:
                return path
        return endings[0] if len(endings) == 1 else ""


def _endings(at: str, by_name: Mapping[str, list[str]]) -> list[str]:
    """The paths that end with a relative one, whole names alone."""
    alike = by_name.get(at.rpartition("/")[2], [])
    return [path for path in alike if path == at or path.endswith(f"/{at}")]
