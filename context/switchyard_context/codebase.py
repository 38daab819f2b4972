"""One tree and all that is known of it: its files, who imports whom, and which words stand where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from switchyard_context.cache import BlobCache
from switchyard_context.globs import narrow
from switchyard_context.graph import ImportGraph
from switchyard_context.history import PastCommit, read_history
from switchyard_context.index import Index
from switchyard_context.marks import GENERATED, VENDORED
from switchyard_context.source import Source
from switchyard_context.term_index import MemoryTable, TermIndex, build_tables
from switchyard_context.term_rows import TermHasher
from switchyard_context.terms import Field, path_terms_of
from switchyard_context.tree_state import TreeState, next_state
from switchyard_context.tree_store import TreeStore, key_of_tree


@dataclass(frozen=True)
class Codebase:
    """One tree, read and resolved."""

    source: Source
    graph: ImportGraph
    index: Index
    state: TreeState
    store: TreeStore
    key: str
    """The name of the tree's state in the store."""
    cache: Path | None = None

    @property
    def problems(self) -> dict[str, str]:
        """Path → why little is known of the file."""
        return self.state.problems

    @cached_property
    def generated(self) -> frozenset[str]:
        """The files that `.gitattributes` calls generated."""
        return self._marked(GENERATED)

    @cached_property
    def vendored(self) -> frozenset[str]:
        """The files that `.gitattributes` calls somebody else's."""
        return self._marked(VENDORED)

    def _marked(self, mark: int) -> frozenset[str]:
        files = self.graph.files
        return frozenset(files[position] for position in np.flatnonzero(self.state.marks & mark))

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the cache; it cost time and no result."""
        return [*self.index.warnings, *self.store.warnings]

    @cached_property
    def history(self) -> list[PastCommit]:
        """The newest ancestors of the tree, newest first."""
        return read_history(self.source.repository, self.source.revision, self.cache)

    @cached_property
    def terms(self) -> TermIndex:
        """The words of all files, by where they stand."""
        files, moved = self.graph.files, self.state.moved
        shared = self.store.load_terms(self.state.terms_key)
        if shared is None or len(shared["word"].lengths) != len(moved):
            own = build_tables(_term_rows(self.index, files), len(files))
            if self.index.is_stable:
                self.store.save_terms(own, self.key)
            return TermIndex(len(files), own)
        others = set(range(len(files))).difference(moved.tolist())
        if not others and len(moved) == len(files):
            return TermIndex(len(files), shared)
        rows = iter(_term_rows(self.index, [files[position] for position in sorted(others)]))
        overlay = build_tables((next(rows) if at in others else () for at in range(len(files))), len(files))
        return TermIndex(len(files), shared, moved, overlay)

    def own_terms(self) -> dict[Field, MemoryTable]:
        """The words of this tree's files and of no other's, as they are kept."""
        kept = self.store.load_terms(self.key) if self.state.terms_key == self.key else None
        return kept or build_tables(_term_rows(self.index, self.graph.files), len(self.graph.files))


def open_codebase(
    source: Source, cache: Path | None = None, *, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Codebase:
    """Read a tree.

    Args:
        cache: Folder for what is known of blobs and trees, shared by every revision and worktree; None keeps nothing.
        include: Patterns as in `.gitignore`: only source files that one of them names are looked at; none: all are.
        exclude: Patterns of what is left out, included or not.
    """
    source = narrow(source, include, exclude)
    rows, store = BlobCache(cache), TreeStore(cache)
    key = key_of_tree(source)
    kept = store.load(source, key)
    index = Index(source, rows, kept.files if kept is not None else None)
    state = store.settle_terms(kept or next_state(store.nearest(source), source, index), key)
    if state is not kept and index.is_stable:
        store.save(state, key)
    return Codebase(source, ImportGraph(source.revision, index, state), index, state, store, key, cache)


def build_graph(source: Source, cache: Path | None = None) -> ImportGraph:
    """Read a tree's imports and resolve them.

    Args:
        cache: As for `open_codebase`.
    """
    return open_codebase(source, cache).graph


def _term_rows(index: Index, files: Sequence[str]) -> Iterator[tuple[bytes, bytes]]:
    hasher = TermHasher()
    for path, row in index.terms(files):
        yield row, hasher.pack(path_terms_of(path))
