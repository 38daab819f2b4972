"""Signals of relevance on arrays, and their fusion: closeness in the import graph, and words of a text."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from switchyard_context.facts import FileFacts
from switchyard_context.graph import ImportGraph, is_test
from switchyard_context.naming import stems_of, words_of

Scores = npt.NDArray[np.float64]

_DAMPING = 0.7
_ROUNDS = 24
_BACKWARD_WEIGHT = 0.6
_FUSION_OFFSET = 60
_K1, _B = 1.2, 0.6
_PATH_WEIGHT, _DEFINITION_WEIGHT, _IMPORT_WEIGHT = 3, 2, 1
_TEST_FACTOR = 0.5
_PATH_LIKE = re.compile(r"[\w@\[\]()+-]+(?:[./\\][\w@\[\]()+-]+)+")
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w{2,}\b")
_STOP_WORDS = frozenset(
    re.split(
        r"\s+",
        "the and for that this with from have has not but are was were when then than can cannot should would could "
        "use used using into its it's also only all any add make does did get set new fix error issue bug code file",
    )
)


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


def match_text(graph: ImportGraph, text: str) -> Scores:
    """How well files answer a text: paths it names, identifiers it quotes, words it shares with their names."""
    lists = [_named_paths(graph, text), _named_identifiers(graph, text), _word_scores(graph, text)]
    scores = fuse(lists, weights=(3.0, 1.5, 1.0))
    demote = np.array([_TEST_FACTOR if is_test(path) else 1.0 for path in graph.files])
    demoted: Scores = scores * demote
    return demoted


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
            total[positive] += weight / (_FUSION_OFFSET + ranks)
    return total


def _named_paths(graph: ImportGraph, text: str) -> Scores:
    """Files that the text names by path, by the end of a path, or as a dotted module."""
    scores = np.zeros(len(graph.files))
    mentions = {mention.replace("\\", "/").strip("./") for mention in _PATH_LIKE.findall(text)}
    if not mentions:
        return scores
    dotted = {mention.replace(".", "/") for mention in mentions if "/" not in mention}
    for index, path in enumerate(graph.files):
        stem = path.rpartition(".")[0].removesuffix("/__init__").removesuffix("/index")
        for mention in mentions:
            if path == mention or path.endswith("/" + mention) or mention.endswith("/" + path):
                scores[index] = max(scores[index], 2.0 + mention.count("/"))
        for name in dotted:
            # `pkg.module.Class` names the module as well.
            for candidate in (name, name.rpartition("/")[0]):
                if "/" in candidate and (stem == candidate or stem.endswith("/" + candidate)):
                    scores[index] = max(scores[index], 1.0 + candidate.count("/"))
    return scores


def _named_identifiers(graph: ImportGraph, text: str) -> Scores:
    """Files that define an identifier of the text; one that many files define says little."""
    wanted = {word for word in IDENTIFIER.findall(text) if not word.islower() or "_" in word or f"`{word}`" in text}
    scores = np.zeros(len(graph.files))
    if not wanted:
        return scores
    holders: dict[str, list[int]] = {}
    for index, path in enumerate(graph.files):
        for definition in graph.facts[path].definitions:
            name = definition.name.rpartition(".")[2]
            if name in wanted:
                holders.setdefault(name, []).append(index)
    for found in holders.values():
        for index in sorted(set(found)):
            scores[index] += 1 / len(set(found))
    return scores


def _word_scores(graph: ImportGraph, text: str) -> Scores:
    """BM25 over the words of paths, definitions and imported names.

    Source: Robertson, Zaragoza 2009.
    """
    query = Counter(word for word in stems_of(words_of(text)) if len(word) > 2 and word not in _STOP_WORDS)
    scores = np.zeros(len(graph.files))
    if not query or not graph.files:
        return scores
    documents = [_words_in(path, graph.facts[path]) for path in graph.files]
    lengths = np.array([sum(document.values()) for document in documents], dtype=np.float64)
    norms = _K1 * (1 - _B + _B * lengths / max(1.0, float(lengths.mean())))
    for word in sorted(query):
        holders = [index for index, document in enumerate(documents) if word in document]
        if holders:
            counts = np.array([documents[index][word] for index in holders], dtype=np.float64)
            rarity = math.log(1 + (len(documents) - len(holders) + 0.5) / (len(holders) + 0.5))
            boost = 1 + math.log(query[word])
            scores[holders] += boost * rarity * counts * (_K1 + 1) / (counts + norms[holders])
    return scores


def _words_in(path: str, facts: FileFacts) -> Counter[str]:
    words: Counter[str] = Counter()
    for weight, text in (
        (_PATH_WEIGHT, path),
        (_DEFINITION_WEIGHT, " ".join(item.name for item in facts.definitions)),
        (_IMPORT_WEIGHT, " ".join(name for item in facts.imports for name, _ in item.names)),
    ):
        for word in stems_of(words_of(text)):
            words[word] += weight
    return words
