"""Many properties of a candidate into one number, by trees that were learned on other repositories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from switchyard_context.features import Candidates
from switchyard_context.signals.lexical import Scores

_WEIGHTS_FILE = "fusion.json"


@dataclass(frozen=True)
class Trees:
    """Regression trees as arrays, shape (trees, nodes), padded; node 0 is a tree's root.

    Source: Burges 2010, "From RankNet to LambdaRank to LambdaMART"; trained by `benchmarks/train_fusion.py`.
    """

    columns: tuple[str, ...]
    features: npt.NDArray[np.int64]
    """Position in `columns` that a node looks at."""
    thresholds: Scores
    """Up to it a row goes left."""
    children: npt.NDArray[np.int64]
    """Shape (trees, nodes, 2): left and right; a negative number is the leaf of its complement."""
    leaves: Scores
    depth: int

    def predict(self, rows: npt.NDArray[np.float64]) -> Scores:
        """The sum of what every tree says of each row."""
        trees = np.arange(len(self.features))
        nodes = np.zeros((len(rows), len(trees)), dtype=np.int64)
        for _ in range(self.depth):
            inner = np.maximum(nodes, 0)
            values = np.take_along_axis(rows, self.features[trees, inner], axis=1)
            right = (values > self.thresholds[trees, inner]).astype(np.int64)
            nodes = np.where(nodes < 0, nodes, self.children[trees, inner, right])
        total: Scores = self.leaves[trees, ~nodes].sum(axis=1)
        return total


def parse_trees(document: Mapping[str, Any]) -> Trees:
    """Trees as `fusion.json` holds them."""
    trees = document["trees"]
    size = max(len(tree["features"]) for tree in trees)
    count = max(len(tree["leaves"]) for tree in trees)

    def padded(name: str, width: int, filler: object) -> list[Any]:
        return [[*tree[name], *[filler] * (width - len(tree[name]))] for tree in trees]

    return Trees(
        tuple(document["columns"]),
        np.array(padded("features", size, 0), dtype=np.int64),
        np.array(padded("thresholds", size, 0.0)),
        np.array(padded("children", size, [-1, -1]), dtype=np.int64),
        np.array(padded("leaves", count, 0.0)),
        int(document["depth"]),
    )


@cache
def _learned() -> Trees:
    return parse_trees(json.loads((files("switchyard_context") / _WEIGHTS_FILE).read_text("utf-8")))


def weigh(candidates: Candidates) -> Scores:
    """How likely each candidate is meant, beside the others; the numbers mean nothing across texts."""
    learned = _learned()
    places = {name: place for place, name in enumerate(candidates.columns)}
    return learned.predict(candidates.rows[:, [places[name] for name in learned.columns]])
