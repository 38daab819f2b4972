"""All that was found out about one state of a tree, and what the next state may keep of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from switchyard_context.facts import EDGE_KINDS
from switchyard_context.index import Index
from switchyard_context.languages import LANGUAGES, Language, language_of
from switchyard_context.languages.asking import Node
from switchyard_context.marks import Marks, read_marks
from switchyard_context.resolving import Resolved, resolve_files
from switchyard_context.source import Source

Ids = npt.NDArray[np.int32]

# Edges of a file are written by line, then path, then kind by name.
_KIND_RANK = np.array([sorted(EDGE_KINDS).index(kind) for kind in EDGE_KINDS])
# What no resolver looks for: that such a file comes or goes changes no edge.
_INERT = (
    ".md", ".rst", ".txt", ".adoc", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".pdf", ".css", ".scss",
    ".less", ".html", ".snap", ".lock", ".po", ".mo", ".pot", ".csv", ".sql", ".sh", ".woff", ".woff2", ".ttf", ".map",
)  # fmt: skip


def _no_ids() -> Ids:
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True)
class EdgeTable:
    """Edges as columns, sorted by importer, line, imported and kind; files by their ids."""

    importers: Ids = field(default_factory=_no_ids)
    imported: Ids = field(default_factory=_no_ids)
    lines: Ids = field(default_factory=_no_ids)
    kinds: Ids = field(default_factory=_no_ids)


@dataclass(frozen=True)
class TreeState:
    """One state of a tree. A file's id is its position in `files`."""

    blobs: Mapping[str, str]
    """Path → content id of everything in the tree, sorted by path."""
    links: Mapping[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    """What some language reads."""
    edges: EdgeTable = field(default_factory=EdgeTable)
    unresolved: list[tuple[str, int, str]] = field(default_factory=list)
    """(importer, line, import as written), sorted."""
    problems: dict[str, str] = field(default_factory=dict)
    marks: Marks = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    """Which files are generated or vendored, as bits."""
    configs: dict[str, list[str]] = field(default_factory=dict)
    """Language → the files that its resolver read."""
    askers: Ids = field(default_factory=_no_ids)
    asked: Ids = field(default_factory=_no_ids)
    """Whose resolution rests on whose facts: ids of files, or -1 - n for the n-th group."""
    terms_key: str = ""
    """The table of terms that this state shares with others; empty: none yet."""
    moved: Ids = field(default_factory=_no_ids)
    """The id here of each file of that table; -1 for one that is gone or has changed."""


def next_state(previous: TreeState, source: Source, index: Index) -> TreeState:
    """The state of a tree, made from a state of before; from an empty one, everything is resolved.

    The result is the same from whichever state it is made.
    """
    files = list(index)
    by_language = _by_language(files)
    redone: dict[str, Resolved] = {}
    replaced: list[str] = []
    touched = {path for path, _ in previous.blobs.items() ^ source.blobs.items()}
    index.parse_absent([path for path in files if path in touched])
    for language in LANGUAGES.values():
        own = by_language[language.name]
        wanted = _files_to_redo(previous, source, index, language, own, touched)
        if wanted:
            redone[language.name] = resolve_files(source, index, language, own, wanted)
            replaced += wanted
    return _merge(previous, source, files, redone, frozenset(replaced))


def _by_language(files: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in LANGUAGES}
    for path in files:
        language = language_of(path)
        assert language is not None
        found[language.name].append(path)
    return found


def _files_to_redo(
    previous: TreeState, source: Source, index: Index, language: Language, own: Sequence[str], touched: set[str]
) -> Sequence[str]:
    """Those whose imports may lead elsewhere than before.

    All of a language's, when its files or what configures it came, went or was edited; otherwise those that were
    edited, and those whose resolution rests on the facts of one that now shows others something else.
    """
    if previous.links != source.links or not touched.isdisjoint(previous.configs.get(language.name, ())):
        return own
    changed = []
    for path in sorted(touched):
        of = language_of(path)
        if (path in previous.blobs) != (path in source.blobs):
            if of is language or (of is None and not path.endswith(_INERT)):
                return own
        elif of is language:
            changed.append(path)
    shown = [path for path in changed if index.shows_other_than(path, previous.blobs[path])]
    if not shown:
        return changed
    ids = {path: position for position, path in enumerate(previous.files)}
    askers = _askers_of({ids[path] for path in shown}, previous)
    if askers and not language.tracks_facts:
        return own
    return sorted({*changed, *(previous.files[asker] for asker in askers)})


def _askers_of(asked: set[int], state: TreeState) -> set[int]:
    """The files whose resolution rests on the facts of some, through however many groups."""
    found: set[int] = set()
    while asked:
        askers = {int(asker) for asker in state.askers[np.isin(state.asked, list(asked))]}
        asked = {asker for asker in askers if asker < 0} - found
        found |= askers
    return {asker for asker in found if asker >= 0}


def _merge(
    previous: TreeState, source: Source, files: list[str], redone: Mapping[str, Resolved], replaced: Collection[str]
) -> TreeState:
    ids = {path: position for position, path in enumerate(files)}
    # The new id of each file of before; -1 for one whose findings are of no use any more.
    kept = np.array([-1 if path in replaced else ids.get(path, -1) for path in previous.files], dtype=np.int32)
    here = np.array([ids.get(path, -1) for path in previous.files], dtype=np.int32)
    results = redone.values()
    askers, asked = _merge_asked(previous, kept, here, results, ids)
    configs = {name: set(paths) for name, paths in previous.configs.items()}
    for name, result in redone.items():
        configs.setdefault(name, set()).update(result.configs)
    problems = {path: why for path, why in previous.problems.items() if path in ids and path not in replaced}
    unresolved = {item for item in previous.unresolved if item[0] in ids and item[0] not in replaced}
    return TreeState(
        blobs=source.blobs,
        links=source.links,
        files=files,
        edges=_merge_edges(previous.edges, kept, here, results, ids),
        unresolved=sorted(unresolved.union(*(result.unresolved for result in results))),
        problems=dict(sorted((problems | {p: w for result in results for p, w in result.problems.items()}).items())),
        marks=read_marks(source, files),
        configs={name: sorted(path for path in paths if path in source.paths) for name, paths in configs.items()},
        askers=askers,
        asked=asked,
        terms_key=previous.terms_key,
        moved=_moved(previous, source, here),
    )


def _merge_edges(
    before: EdgeTable, kept: Ids, here: Ids, results: Iterable[Resolved], ids: Mapping[str, int]
) -> EdgeTable:
    stays = kept[before.importers] >= 0
    rows = np.array(
        [(ids[a], ids[b], line, EDGE_KINDS.index(kind)) for result in results for a, b, line, kind in result.edges],
        dtype=np.int32,
    ).reshape(-1, 4)
    importers = np.concatenate((kept[before.importers[stays]], rows[:, 0]))
    imported = np.concatenate((here[before.imported[stays]], rows[:, 1]))
    lines = np.concatenate((before.lines[stays], rows[:, 2]))
    kinds = np.concatenate((before.kinds[stays], rows[:, 3]))
    order = np.lexsort((_KIND_RANK[kinds], imported, lines, importers))
    return EdgeTable(importers[order], imported[order], lines[order], kinds[order])


def _merge_asked(
    previous: TreeState, kept: Ids, here: Ids, results: Iterable[Resolved], ids: Mapping[str, int]
) -> tuple[Ids, Ids]:
    groups = -int(min(previous.askers.min(initial=0), previous.asked.min(initial=0)))
    pairs: list[tuple[int, int]] = []
    for result in results:
        for path, nodes in result.asked.items():
            pairs += [(ids[path], _number(node, ids, groups)) for node in nodes]
        for position, nodes in enumerate(result.groups):
            pairs += [(-1 - groups - position, _number(node, ids, groups)) for node in nodes]
        groups += len(result.groups)
    fresh = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    old_askers, old_asked = _mapped(previous.askers, kept), _mapped(previous.asked, here)
    stays = ((previous.askers < 0) | (old_askers >= 0)) & ((previous.asked < 0) | (old_asked >= 0))
    askers = np.concatenate((old_askers[stays], fresh[:, 0])).astype(np.int32)
    asked = np.concatenate((old_asked[stays], fresh[:, 1])).astype(np.int32)
    return _without_unused_groups(askers, asked)


def _mapped(nodes: Ids, ids: Ids) -> Ids:
    return np.where(nodes >= 0, ids[np.maximum(nodes, 0)], nodes).astype(np.int32) if len(nodes) else nodes


def _number(node: Node, ids: Mapping[str, int], groups: int) -> int:
    return -1 - groups - node if isinstance(node, int) else ids[node]


def _without_unused_groups(askers: Ids, asked: Ids) -> tuple[Ids, Ids]:
    """Only what a file still rests on, the groups numbered anew."""
    while True:
        used = (askers >= 0) | np.isin(askers, asked)
        if used.all():
            break
        askers, asked = askers[used], asked[used]
    groups = np.unique(asked[asked < 0])
    return _renumbered(askers, groups), _renumbered(asked, groups)


def _renumbered(nodes: Ids, groups: Ids) -> Ids:
    return np.where(nodes < 0, -1 - np.searchsorted(groups, nodes), nodes).astype(np.int32)


def _moved(previous: TreeState, source: Source, here: Ids) -> Ids:
    """Where the files of the table of terms are now: those that still have the same content under the same path."""
    same = np.array([source.blobs.get(path) == previous.blobs[path] for path in previous.files], dtype=bool)
    return _mapped(previous.moved, np.where(same, here, -1).astype(np.int32))
