"""One tree and all that is known of it: its files, who imports whom, and which words stand where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from switchyard_context.graph import ImportGraph, build_graph
from switchyard_context.history import PastCommit, read_history
from switchyard_context.source import Source
from switchyard_context.terms import Field, Terms, path_terms_of, terms_of


@dataclass(frozen=True)
class Postings:
    """The files that hold one term, by ascending id, and how often."""

    files: npt.NDArray[np.int32]
    counts: npt.NDArray[np.float32]


class TermIndex:
    """Which files hold which terms; file ids are positions in `ImportGraph.files`."""

    def __init__(self, files: Sequence[Terms]) -> None:
        self._postings: dict[tuple[Field, str], list[tuple[int, int]]] = {}
        self._lengths: dict[Field, npt.NDArray[np.float64]] = {}
        for index, terms in enumerate(files):
            for field, counts in terms.items():
                lengths = self._lengths.setdefault(field, np.zeros(len(files)))
                lengths[index] = sum(counts.values())
                for term, count in counts.items():
                    self._postings.setdefault((field, term), []).append((index, count))
        self._size = len(files)

    def postings(self, field: Field, term: str) -> Postings:
        """Where a term stands; empty if nowhere."""
        found = self._postings.get((field, term), [])
        return Postings(
            np.array([index for index, _ in found], dtype=np.int32),
            np.array([count for _, count in found], dtype=np.float32),
        )

    def lengths(self, field: Field) -> npt.NDArray[np.float64]:
        """How many terms of a field each file holds, shape (files,)."""
        return self._lengths.get(field, np.zeros(self._size))


@dataclass(frozen=True)
class Codebase:
    """One tree, read and resolved."""

    source: Source
    graph: ImportGraph
    cache: Path | None = None

    @cached_property
    def history(self) -> list[PastCommit]:
        """The newest ancestors of the tree, newest first."""
        return read_history(self.source.repository, self.source.revision, self.cache)

    @cached_property
    def terms(self) -> TermIndex:
        contents = dict(self.source.read_many(self.graph.files))
        files: list[Mapping[Field, Mapping[str, int]]] = [
            {**terms_of(contents.get(path, b""), self.graph.facts[path]), **path_terms_of(path)}
            for path in self.graph.files
        ]
        return TermIndex(files)


def open_codebase(source: Source, cache: Path | None = None) -> Codebase:
    """Read a tree.

    Args:
        cache: Folder for what is known of blobs and trees, shared by every revision and worktree; None keeps nothing.
    """
    return Codebase(source, build_graph(source, cache), cache)
