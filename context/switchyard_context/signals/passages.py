"""A closer look at the contents of the few best files: where words of the text stand together, and in what order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from switchyard_context.naming import MIN_STEM, stem_of

_WORD = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MAX_BYTES = 200_000
_WINDOW = 240
"""Words: about forty lines."""
_HALF_PHRASE = 0.3
"""What a pair is worth in which one word says nothing by itself."""
_MAX_VOCABULARY = 500

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Passages:
    """What one file holds."""

    whole: float
    """The best window's share of the text's words."""
    title: float
    """The same for the first line of the text."""
    phrases: float
    """Pairs of words that follow each other in the text and in the file."""


class PassageReader:
    """Compares contents with one text."""

    def __init__(self, stems: Sequence[str], worths: Mapping[str, float], title: Mapping[str, float]) -> None:
        """
        Args:
            stems: The words of the text in their order.
            worths: What each is worth; words that say nothing are left out.
            title: The same for the words of the first line.
        """
        names = list(dict.fromkeys((*worths, *stems)))[:_MAX_VOCABULARY]
        self._ids = {name: number for number, name in enumerate(names)}
        self._beginnings = {name[:MIN_STEM] for name in names}
        self._numbers: dict[bytes, int] = {}
        self._worths = np.array([worths.get(name, 0.0) for name in names])
        self._title = np.array([title.get(name, 0.0) for name in names])
        self._pairs = self._pairs_of(np.array([self._ids.get(stem, -1) for stem in stems], dtype=np.int64))

    def read(self, content: bytes) -> Passages:
        """Look into one file."""
        numbers = self._numbers
        words = _WORD.findall(content[:_MAX_BYTES])
        for word in set(words).difference(numbers):
            low = word.lower().decode()
            # A stem keeps the first letters, so most words need no stemming to be ruled out.
            numbers[word] = self._ids.get(stem_of(low), -1) if low[:MIN_STEM] in self._beginnings else -1
        sequence = np.fromiter(map(numbers.__getitem__, words), dtype=np.int64, count=len(words))
        whole, title = self._best_window(sequence)
        found = np.intersect1d(self._pairs, self._pairs_of(sequence))
        return Passages(whole, title, self._worth_of(found))

    def _best_window(self, sequence: Ids) -> tuple[float, float]:
        places = np.flatnonzero(sequence >= 0)
        if not len(places) or not len(self._ids):
            return 0.0, 0.0
        half = _WINDOW // 2
        count = len(self._ids)
        rows = len(sequence) // half + 1
        cells = np.bincount(places // half * count + sequence[places], minlength=rows * count).reshape(rows, count)
        cells = cells + np.vstack((cells[1:], np.zeros((1, count), dtype=cells.dtype)))
        filled = cells / (cells + 1)
        return float((filled @ self._worths).max()), float((filled @ self._title).max())

    def _pairs_of(self, sequence: Ids) -> Ids:
        left, right = sequence[:-1], sequence[1:]
        kept = (left >= 0) & (right >= 0) & (left != right)
        return np.unique(left[kept] * _MAX_VOCABULARY + right[kept])

    def _worth_of(self, pairs: Ids) -> float:
        left, right = self._worths[pairs // _MAX_VOCABULARY], self._worths[pairs % _MAX_VOCABULARY]
        worth = np.where((left > 0) & (right > 0), left + right, _HALF_PHRASE * (left + right))
        return float(worth.sum())
