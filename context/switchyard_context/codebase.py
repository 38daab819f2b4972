"""One tree and all that is known of it: its files, who imports whom, and which words stand where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from switchyard_context.cache import BlobCache
from switchyard_context.graph import ImportGraph, resolve_graph
from switchyard_context.history import PastCommit, read_history
from switchyard_context.index import Index
from switchyard_context.source import Source
from switchyard_context.term_index import TermIndex, build_tables
from switchyard_context.term_rows import TermHasher
from switchyard_context.terms import path_terms_of


@dataclass(frozen=True)
class Codebase:
    """One tree, read and resolved."""

    source: Source
    index: Index
    graph: ImportGraph
    cache: Path | None = None

    @cached_property
    def history(self) -> list[PastCommit]:
        """The newest ancestors of the tree, newest first."""
        return read_history(self.source.repository, self.source.revision, self.cache)

    @cached_property
    def terms(self) -> TermIndex:
        files = self.graph.files
        hasher = TermHasher()
        rows = ((row, hasher.pack(path_terms_of(path))) for path, row in self.index.terms(files))
        return TermIndex(len(files), build_tables(rows, len(files)))


def open_codebase(source: Source, cache: Path | None = None) -> Codebase:
    """Read a tree.

    Args:
        cache: Folder for what is known of blobs and trees, shared by every revision and worktree; None keeps nothing.
    """
    index = Index(source, BlobCache(cache))
    return Codebase(source, index, resolve_graph(source, index), cache)
