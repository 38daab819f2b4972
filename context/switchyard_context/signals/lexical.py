"""Words that a text shares with files, rare ones counting most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from switchyard_context.term_index import TermIndex
from switchyard_context.terms import Field

Scores = npt.NDArray[np.float64]

_K1 = 1.2


def tally(files: npt.NDArray[Any], worths: npt.NDArray[Any], size: int) -> Scores:
    """What each file gets in all, where one entry gives one file something."""
    return np.bincount(files, worths, minlength=size).astype(np.float64)


class FieldMatch:
    """Where the terms of a query stand in one field: read once, weighed as often as wanted."""

    def __init__(self, index: TermIndex, field: Field, terms: Iterable[str], length_weight: float) -> None:
        """Look the terms up.

        Args:
            length_weight: BM25's b: 0 takes long files as they are, 1 counts shares.

        Source: Robertson, Zaragoza 2009.
        """
        self.lengths = index.lengths(field)
        self._size = len(self.lengths)
        self.rarity: dict[str, float] = {}
        norms = _K1 * (1 - length_weight + length_weight * self.lengths / max(1.0, self._mean_length()))
        files, gains, numbers = [], [], []
        self._numbers: dict[str, int] = {}
        for term in sorted(set(terms)):
            found = index.postings(field, term)
            count = len(found.files)
            self.rarity[term] = rarity = float(np.log(1 + (self._size - count + 0.5) / (count + 0.5)))
            if count:
                self._numbers[term] = len(self._numbers)
                files.append(found.files)
                gains.append(rarity * found.counts * (_K1 + 1) / (found.counts + norms[found.files]))
                numbers.append(np.full(count, self._numbers[term]))
        self._files = np.concatenate(files) if files else np.zeros(0, dtype=np.int32)
        self._gains = np.concatenate(gains) if gains else np.zeros(0)
        self._terms = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64)

    def score(self, weights: Mapping[str, float]) -> Scores:
        """BM25 of a part of the query, files by id."""
        factors = np.zeros(len(self._numbers) + 1)
        for term, weight in weights.items():
            if term in self._numbers:
                factors[self._numbers[term]] = weight
        return tally(self._files, self._gains * factors[self._terms], self._size)

    def terms_in(self, file: int) -> list[str]:
        """The terms that a file holds, the one that says most about it first."""
        own = np.flatnonzero(self._files == file)
        names = list(self._numbers)
        return [names[self._terms[row]] for row in own[np.argsort(-self._gains[own], kind="stable")]]

    def _mean_length(self) -> float:
        return float(self.lengths.mean()) if self._size else 0.0
