"""A first order out of many, by ranks alone: what it puts first is worth a closer look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from switchyard_context.signals.lexical import Scores

_OFFSET = 60


def fuse(signals: Sequence[Scores], weights: Sequence[float]) -> Scores:
    """Reciprocal-rank fusion; equal scores share a rank, a score of 0 counts for nothing.

    Source: Cormack, Clarke, Büttcher 2009.
    """
    total = np.zeros(len(signals[0]))
    for scores, weight in zip(signals, weights, strict=True):
        positive = scores > 0
        if positive.any():
            levels = np.unique(scores[positive])[::-1]
            ranks = np.searchsorted(-levels, -scores[positive])
            total[positive] += weight / (_OFFSET + ranks)
    return total
