"""Orders of the files of a tree: by what a text says, and by how close they are to others in the import graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from switchyard_context.codebase import Codebase
from switchyard_context.evidence import best_first, gather
from switchyard_context.features import describe_candidates
from switchyard_context.fusion import weigh
from switchyard_context.graph import ImportGraph
from switchyard_context.mentions import read_mentions
from switchyard_context.rank_fusion import fuse
from switchyard_context.reasons import reasons_for
from switchyard_context.signals.lexical import Scores

__all__ = ["Ranked", "Scores", "closeness", "fuse", "rank_files"]

_DAMPING = 0.7
_ROUNDS = 24
_BACKWARD_WEIGHT = 0.6
_RANKED = 60
_BEHIND = -math.inf
_SILENT = frozenset({"churn", "together", "imported", "importing"})
"""Kinds of evidence that speak without a word of the text."""
_SEVERAL_PARTS, _NAMED_BONUS = 1.9, 2.0
"""A path of the text agrees with the file's in its name and a folder, or more."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One file that answers a text."""

    path: str
    score: float
    reasons: tuple[str, ...]


def rank_files(codebase: Codebase, text: str, limit: int = _RANKED) -> list[Ranked]:
    """The files that a text is about, best first; tests after all others, unless the text names them by path."""
    if not text.strip() or not codebase.graph.files:
        return []
    mentions = read_mentions(text)
    evidence = gather(codebase, mentions)
    if not any(scores.any() for name, scores in evidence.signals.items() if name not in _SILENT):
        return []
    candidates = describe_candidates(codebase, mentions, evidence)
    scores = dict(zip(candidates.files, weigh(candidates).tolist(), strict=True)) if candidates.files else {}
    for file in scores:
        scores[file] += _NAMED_BONUS * (evidence.signals["path"][file] > _SEVERAL_PARTS)
    others = [file for file in best_first(evidence.first, limit) if file not in scores]
    order = [*sorted(scores, key=lambda file: (-scores[file], file)), *others][:limit]
    files = codebase.graph.files
    return [
        Ranked(files[file], scores.get(file, _BEHIND), reasons_for(evidence, mentions.written, file)) for file in order
    ]


def closeness(graph: ImportGraph, seeds: Mapping[str, float]) -> Scores:
    """Personalised PageRank from the seeds over imports in both directions.

    Args:
        graph: N files, M edges; O((N + M) · 24).
        seeds: Path → weight; paths that the graph does not hold count for nothing.

    Source: Page et al. 1999, section 2.6 (personalised teleport vector).
    """
    size = len(graph.files)
    teleport = np.zeros(size)
    for path, weight in seeds.items():
        if path in graph:
            teleport[graph.id_of(path)] += weight
    if not teleport.any():
        return teleport
    teleport /= teleport.sum()
    sources = np.concatenate([graph.importers_ids, graph.imported_ids])
    targets = np.concatenate([graph.imported_ids, graph.importers_ids])
    weights = np.repeat([1.0, _BACKWARD_WEIGHT], len(graph.importers_ids))
    out = np.bincount(sources, weights, minlength=size)
    shares = weights / np.where(out > 0, out, 1.0)[sources]
    rank = teleport.copy()
    for _ in range(_ROUNDS):
        flow = np.bincount(targets, rank[sources] * shares, minlength=size)
        rank = _DAMPING * flow + (1 - _DAMPING * flow.sum()) * teleport
    return rank
