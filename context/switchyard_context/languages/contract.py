"""What a language gives the graph: facts from bytes alone, and a resolver that turns imports into files of one tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from switchyard_context.facts import EdgeKind, FileFacts, Import


class Tree(Protocol):
    """The tree that imports are resolved in."""

    @property
    def paths(self) -> frozenset[str]:
        """Every path in the tree, of whatever language."""

    @property
    def links(self) -> Mapping[str, str]:
        """Symbolic link → the file of the tree that it leads to."""

    def read(self, path: str) -> bytes:
        """A file's content; empty if it can't be read."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where one import leads."""

    targets: tuple[tuple[str, EdgeKind], ...] = ()
    missing: tuple[str, ...] = ()
    """What looks local and is not in the tree, as written; third-party and standard modules are neither."""


@dataclass(slots=True)
class Targets:
    """A Resolution in the making."""

    found: dict[tuple[str, EdgeKind], None] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)

    def add(self, path: str, kind: EdgeKind) -> None:
        self.found[path, kind] = None

    def miss(self, name: str) -> None:
        self.missing[name] = None

    def finish(self) -> Resolution:
        return Resolution(tuple(self.found), tuple(self.missing))


class Resolver(Protocol):
    """Made once per tree; `resolve` never raises for what a repository may contain."""

    def resolve(self, importer: str, item: Import) -> Resolution: ...


@dataclass(frozen=True)
class Language:
    """One family of files that import one another."""

    name: str
    version: int
    """Raised whenever the same bytes give other facts; part of the cache key."""
    readers: Mapping[str, Callable[[bytes], FileFacts]]
    """File-name suffix → reader."""
    open_resolver: Callable[[Tree, Mapping[str, FileFacts]], Resolver]
    is_test: Callable[[str], bool]
    configs: Sequence[Sequence[str]]
    """Files that configure the sources beneath them: of each group the nearest one counts."""
    tracks_facts: bool = False
    """Whether the resolver keeps every answer that rests on facts in a `Memo` (asking.py): an edit that others can see
    then costs those who asked, and otherwise the whole language."""


def parents_of(path: str) -> Iterable[str]:
    """The folders above a path, nearest first, ending with the root `""`."""
    while path:
        path = path.rpartition("/")[0]
        yield path
