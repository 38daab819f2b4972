"""Which files hold which terms: one sorted table a field, and a second small one for files that changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Protocol

import numpy as np
import numpy.typing as npt

from switchyard_context.term_rows import hash_term, unpack_terms
from switchyard_context.terms import FIELDS, Field

Ids = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Postings:
    """The files that hold one term, by ascending id, and how often."""

    files: Ids
    counts: npt.NDArray[np.float32]


class Table(Protocol):
    """The postings of one field."""

    @property
    def lengths(self) -> Ids:
        """How many terms each file holds."""

    def find(self, term: int) -> tuple[Ids, Counts]:
        """The files that hold a term, by ascending id, and how often."""


@dataclass(frozen=True)
class MemoryTable:
    """A table as it was built: `files[starts[i]:starts[i + 1]]` hold the term `hashes[i]`, which ascend."""

    hashes: Hashes
    starts: npt.NDArray[np.int64]
    files: Ids
    counts: Counts
    lengths: Ids

    def find(self, term: int) -> tuple[Ids, Counts]:
        position = int(np.searchsorted(self.hashes, np.uint64(term)))
        if position == len(self.hashes) or int(self.hashes[position]) != term:
            return self.files[:0], self.counts[:0]
        rows = slice(int(self.starts[position]), int(self.starts[position + 1]))
        return self.files[rows], self.counts[rows]


def build_tables(rows: Iterable[Sequence[bytes]], size: int) -> dict[Field, MemoryTable]:
    """The tables of all fields.

    Args:
        rows: The packed terms of each file, by ascending id; no field is in two of a file's rows.
    """
    hashes = {field: bytearray() for field in FIELDS}
    counts = {field: bytearray() for field in FIELDS}
    sizes = {field: np.zeros(size, dtype=np.int32) for field in FIELDS}
    for index, parts in enumerate(rows):
        for field, found in chain.from_iterable(map(unpack_terms, parts)):
            hashes[field] += found.hashes
            counts[field] += found.counts
            sizes[field][index] = len(found.counts) // 2
    return {field: _build(hashes.pop(field), counts.pop(field), sizes.pop(field)) for field in FIELDS}


def _build(hash_bytes: bytearray, count_bytes: bytearray, sizes: Ids) -> MemoryTable:
    hashes = np.frombuffer(hash_bytes, dtype=np.uint64)
    counts = np.frombuffer(count_bytes, dtype=np.uint16)
    files = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    ends = np.cumsum(sizes)
    totals = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    lengths = (totals[ends] - totals[ends - sizes]).astype(np.int32)
    order = np.argsort(hashes, kind="stable")
    hashes, files, counts = hashes[order], files[order], counts[order]
    del order
    firsts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))) if len(hashes) else np.zeros(0, int)
    starts = np.append(firsts, len(hashes)).astype(np.int64)
    return MemoryTable(hashes[firsts], starts, files, counts, lengths)


class TermIndex:
    """Which files hold which terms; file ids are positions in `ImportGraph.files`."""

    def __init__(
        self,
        size: int,
        base: Mapping[Field, Table],
        moved: Ids | None = None,
        overlay: Mapping[Field, Table] | None = None,
    ) -> None:
        """
        Args:
            size: How many files there are.
            moved: The id here of each file of the base, -1 for one that is gone or has changed; None: they are alike.
            overlay: Tables of the files that the base has not.
        """
        self._size = size
        self._base = base
        self._moved = moved
        self._overlay = overlay or {}

    def postings(self, field: Field, term: str) -> Postings:
        """Where a term stands; empty if nowhere."""
        number = _hash(term)
        files, counts = self._base[field].find(number)
        if self._moved is not None:
            files = self._moved[files]
            kept = files >= 0
            files, counts = files[kept], counts[kept]
        if self._overlay:
            more, their_counts = self._overlay[field].find(number)
            files, counts = np.concatenate((files, more)), np.concatenate((counts, their_counts))
            order = np.argsort(files, kind="stable")
            files, counts = files[order], counts[order]
        return Postings(files, counts.astype(np.float32))

    def lengths(self, field: Field) -> npt.NDArray[np.float64]:
        """How many terms of a field each file holds, shape (files,)."""
        base = self._base[field].lengths
        if self._moved is None:
            lengths = base.astype(np.float64)
        else:
            lengths = np.zeros(self._size)
            kept = self._moved >= 0
            lengths[self._moved[kept]] = base[kept]
        return lengths + self._overlay[field].lengths if self._overlay else lengths


@lru_cache(maxsize=100_000)
def _hash(term: str) -> int:
    return hash_term(term)
