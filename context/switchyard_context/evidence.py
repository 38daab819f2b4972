"""All that speaks for the files of a tree in answer to one text, by kind of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from switchyard_context.codebase import Codebase
from switchyard_context.graph import is_test
from switchyard_context.mentions import Mentions
from switchyard_context.rank_fusion import fuse
from switchyard_context.signals import links, names, past, places
from switchyard_context.signals.lexical import FieldMatch, Scores
from switchyard_context.signals.passages import PassageReader
from switchyard_context.terms import Field

_FIELDS: Mapping[Field, float] = {"word": 0.5, "defined_word": 0.4, "path_word": 0.5, "name_word": 0.3}
"""Field → how much a file's length counts against it."""
_FIRST_WEIGHTS: Mapping[str, float] = {
    "word": 1.0,
    "word_title": 1.0,
    "defined_word": 0.7,
    "defined_word_title": 0.7,
    "path_word": 0.7,
    "path_word_title": 0.7,
    "defined": 1.0,
    "held": 0.7,
    "chain": 1.0,
    "called": 0.7,
    "path": 2.0,
    "frame": 1.5,
    "message": 1.0,
    "tests": 0.5,
    "churn": 0.3,
    "scope": 0.5,
}
_SEEDS = 20
_CONSIDERED = 400
_OPENED = 50
_TEST_FACTOR = 0.3


@dataclass(frozen=True)
class Evidence:
    """What speaks for each file."""

    signals: Mapping[str, Scores]
    matches: Mapping[Field, FieldMatch]
    first: Scores
    """The fusion of what each file says by itself, tests set back: the seeds of what files say for each other."""


def gather(codebase: Codebase, mentions: Mentions) -> Evidence:
    """Ask every kind of evidence; only the best files by the others are opened."""
    index, graph = codebase.terms, codebase.graph
    vocabulary = {*mentions.words, *mentions.title, *mentions.code}
    matches = {field: FieldMatch(index, field, vocabulary, weight) for field, weight in _FIELDS.items()}
    signals: dict[str, Scores] = {}
    for field, match in matches.items():
        signals[field] = match.score(mentions.words)
        signals[f"{field}_title"] = match.score(mentions.title)
    signals["word_code"] = matches["word"].score(mentions.code)
    signals["defined_code"] = matches["defined_word"].score(mentions.code)
    signals["defined"] = names.defined_names(index, mentions)
    signals["held"] = names.held_names(index, mentions)
    signals["chain"] = names.chained_names(index, mentions)
    signals["called"] = names.called_files(index, mentions)
    signals["path"] = places.named_paths(index, graph.files, mentions)
    signals["frame"] = places.framed(index, graph.files, mentions)
    signals["tests"] = links.witnessed(graph, signals["word"])
    arranged = past.arrange(codebase.history, graph)
    signals["message"] = arranged.votes(past.resembling(arranged, mentions.words))
    signals["message_title"] = arranged.votes(past.resembling(arranged, mentions.title))
    signals["described"] = past.described(arranged, mentions.words)
    signals["described_title"] = past.described(arranged, mentions.title)
    signals["scope"] = past.in_scope(arranged, mentions.scope)
    signals["churn"] = past.churn(arranged)
    first = fuse([signals[name] for name in _FIRST_WEIGHTS], list(_FIRST_WEIGHTS.values()))
    _set_tests_back(first, graph.files)
    seeds = _seeds(first)
    signals["imported"] = links.neighbouring(graph, seeds, reverse=False)
    signals["importing"] = links.neighbouring(graph, seeds, reverse=True)
    signals["together"] = past.changed_together(arranged, seeds)
    _look_closer(codebase, mentions, matches["word"].rarity, first, signals)
    return Evidence(signals, matches, first)


def best_first(scores: Scores, limit: int) -> list[int]:
    """The files with a score, best first; ids ascend with paths, so equal ones are ordered by path."""
    order = np.argsort(-scores, kind="stable")[:limit]
    return [int(file) for file in order if scores[file] > 0]


def _look_closer(
    codebase: Codebase, mentions: Mentions, rarity: Mapping[str, float], first: Scores, signals: dict[str, Scores]
) -> None:
    worths, titles = (
        {word: weight * rarity[word] for word, weight in part.items()} for part in (mentions.words, mentions.title)
    )
    reader = PassageReader(mentions.stems, worths, titles)
    passage, passage_title, phrases = (np.zeros(len(first)) for _ in range(3))
    best = {codebase.graph.files[file]: file for file in best_first(first, _OPENED)}
    for path, content in codebase.source.read_many(best):
        found = reader.read(content)
        passage[best[path]], passage_title[best[path]], phrases[best[path]] = found.whole, found.title, found.phrases
    signals |= {"passage": passage, "passage_title": passage_title, "phrases": phrases}


def _set_tests_back(scores: Scores, files: Sequence[str]) -> None:
    for file in best_first(scores, _CONSIDERED):
        if is_test(files[file]):
            scores[file] *= _TEST_FACTOR


def _seeds(first: Scores) -> Scores:
    """The best files, each with its worth beside the best one's, squared."""
    seeds = np.zeros(len(first))
    best = best_first(first, _SEEDS)
    if best:
        seeds[best] = (first[best] / first[best[0]]) ** 2
    return seeds
