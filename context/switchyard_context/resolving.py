"""Imports turned into edges: of a whole language, or of the files that an edit concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from switchyard_context.facts import EDGE_KINDS, EdgeKind
from switchyard_context.index import Index, Selected
from switchyard_context.languages.asking import AskedFacts, Node
from switchyard_context.languages.contract import Language
from switchyard_context.source import Source

_MAX_ALIKE = 20_000


@dataclass
class Resolved:
    """What came of resolving some files of one language."""

    edges: list[tuple[str, str, int, EdgeKind]] = field(default_factory=list)
    """(importer, imported, first line, kind)"""
    unresolved: set[tuple[str, int, str]] = field(default_factory=set)
    """(importer, line, import as written)"""
    problems: dict[str, str] = field(default_factory=dict)
    asked: dict[str, frozenset[Node]] = field(default_factory=dict)
    """File → whose facts its resolution rests on, directly or through groups."""
    groups: list[frozenset[Node]] = field(default_factory=list)
    configs: set[str] = field(default_factory=set)
    """The files that were read for what they configure."""


def resolve_files(
    source: Source, index: Index, language: Language, own: Sequence[str], some: Iterable[str]
) -> Resolved:
    """Resolve the imports of some of a language's files.

    Args:
        own: All files of the language, sorted.
    """
    tree = _ReadTree(source)
    facts = AskedFacts(Selected(index, own))
    resolver = language.open_resolver(tree, facts)
    known = facts.keys()
    result = Resolved(groups=facts.groups, configs=tree.read_paths)
    for path, found in index.read_all(list(some)):
        facts.take()
        if found.problem:
            result.problems[path] = found.problem
        seen: set[tuple[str, EdgeKind]] = {(path, kind) for kind in EDGE_KINDS}
        for item in found.imports:
            resolution = resolver.resolve(path, item)
            result.unresolved.update((path, item.line, name) for name in resolution.missing)
            for target in resolution.targets:
                if target not in seen and target[0] in known:
                    seen.add(target)
                    result.edges.append((path, target[0], item.line, target[1]))
        asked = facts.take() - {path}
        if asked:
            result.asked[path] = frozenset(asked)
    return result


class _ReadTree:
    """A tree that notes which files were read; files of one name are read together."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.paths: frozenset[str] = source.paths
        self.links: Mapping[str, str] = source.links
        self.read_paths: set[str] = set()
        self._contents: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        self.read_paths.add(path)
        if self._source.root is not None:
            return self._source.read(path)
        if path not in self._contents:
            # A process for each file of a revision would take longer than all else.
            name = path.rpartition("/")[2]
            alike = [other for other in self._source.paths if other.endswith(name)] if path in self.paths else []
            self._contents.update(self._source.read_many(alike[:_MAX_ALIKE]))
            if path not in self._contents:
                self._contents[path] = self._source.read(path)
        return self._contents[path]
