"""What the import graph says: tests that read like the text speak for what they import, files for neighbours."""

from __future__ import annotations

import numpy as np

from switchyard_context.graph import ImportGraph, is_test
from switchyard_context.signals.lexical import Scores, tally

_WITNESSES = 40


def witnessed(graph: ImportGraph, words: Scores) -> Scores:
    """Files that tests import which resemble the text; what every test imports gets little."""
    scores = np.zeros(len(graph.files))
    if not words.any():
        return scores
    popular = np.bincount(graph.imported_ids, minlength=len(graph.files))
    best = np.argsort(-words, kind="stable")[: _WITNESSES * 5]
    tests = [int(file) for file in best if words[file] > 0 and is_test(graph.files[file])][:_WITNESSES]
    for test in tests:
        for other in set(graph.forward.of(test)):
            scores[other] += (words[test] / words.max()) ** 2 / np.sqrt(popular[other])
    return scores


def neighbouring(graph: ImportGraph, seeds: Scores, *, reverse: bool) -> Scores:
    """Files that good ones import (reverse: that import good ones), each giving its worth in equal shares."""
    givers, takers = graph.importers_ids, graph.imported_ids
    if reverse:
        givers, takers = takers, givers
    out = np.maximum(1, np.bincount(givers, minlength=len(graph.files)))
    return tally(takers, seeds[givers] / np.sqrt(out[givers]), len(graph.files))
