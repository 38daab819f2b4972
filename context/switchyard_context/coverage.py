"""Which tests speak for some files, best first: by names, imports, content and history together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from switchyard_context.codebase import Codebase
from switchyard_context.graph import ImportGraph, is_test
from switchyard_context.naming import stems_of, words_of
from switchyard_context.terms import Field

Scores = npt.NDArray[np.float64]

_WEIGHTS = {
    "name": 1.0, "folder": 0.3, "path": 0.3, "imports": 1.0, "identifiers": 0.5, "words": 1.0, "subject": 1.0,
    "together": 1.0, "mostly_together": 1.0, "recent": 0.2,
}  # fmt: skip
_GENERIC = frozenset({"init", "index", "mod", "lib", "main", "package", "info"})
_NOISE = frozenset({"test", "tests", "spec", "specs", "src", "unit", "integration", "it", "e2e", "java", "python"})
_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "e2e"})
_K1, _B = 1.2, 0.6
_WALK_STEPS, _WALK_SHARE = 5, 0.6
_HALF_AGE = 400
_MAX_NAMES = 400


@dataclass(frozen=True, slots=True)
class RankedTest:
    """A test file and how much speaks for it."""

    path: str
    score: float
    reasons: tuple[str, ...]


def rank_tests(codebase: Codebase, targets: Sequence[str]) -> list[RankedTest]:
    """The test files that most likely exercise the targets; those for which nothing speaks are left out.

    A test's import counts for more the less else it imports; a name counts for more the fewer tests hold it; commits
    that touched a target and a test count for more the newer and the smaller they are.
    """
    graph = codebase.graph
    subjects = [path for path in dict.fromkeys(targets) if path in graph]
    tests = [index for index in _tests_in(graph) if graph.files[index] not in subjects]
    if not subjects or not tests:
        return []
    signals = _signals(codebase, subjects, tests)
    total = np.zeros(len(tests))
    for name, scores in signals.items():
        if scores.max() > 0:
            total += _WEIGHTS[name] * scores / scores.max()
    evident = np.any([signals[name] > 0 for name in _EVIDENCE], axis=0)
    order = sorted(
        np.flatnonzero(evident).tolist(), key=lambda at: (-round(float(total[at]), 9), graph.files[tests[at]])
    )
    return [RankedTest(graph.files[tests[at]], round(float(total[at]), 4), _reasons(signals, at)) for at in order]


def _tests_in(graph: ImportGraph) -> list[int]:
    """Tests, and what lies among them and is imported by one: shared fixtures change with the tests that use them."""
    tests = {index for index, path in enumerate(graph.files) if is_test(path)}
    used = {other for test in tests for other in graph.forward.of(test)}
    return sorted(tests | {index for index in used if _FOLDERS & set(graph.files[index].split("/")[:-1])})


# Without any of these a test merely lies near, was edited lately or says common words.
_EVIDENCE = ("name", "imports", "identifiers", "together", "subject")


def _signals(codebase: Codebase, subjects: list[str], tests: list[int]) -> dict[str, Scores]:
    graph = codebase.graph
    ids = np.array(tests, dtype=np.int64)
    paths = [graph.files[index] for index in tests]
    names = [_subject_of(path) for path in paths]
    wholes = [_path_words(path) for path in paths]
    together, mostly, recent = _history(codebase, subjects, paths)
    defined = _defined_names(graph, subjects)
    about = dict.fromkeys((word for path in subjects for word in _subject_of(path)), 1.0)
    return {
        "name": np.max([_overlap(_subject_of(path), names) for path in subjects], axis=0),
        "path": np.max([_overlap(_path_words(path), wholes) for path in subjects], axis=0),
        "folder": np.max([_nearness(path, paths) for path in subjects], axis=0),
        "imports": _imports(graph, subjects)[ids],
        "identifiers": _bm25(codebase, ids, "identifier", dict.fromkeys(defined, 1.0)),
        "words": _bm25(codebase, ids, "word", _words_in(defined)),
        "subject": _bm25(codebase, ids, "word", about) + _bm25(codebase, ids, "path_word", about),
        "together": together,
        "mostly_together": mostly,
        "recent": recent,
    }


def _subject_of(path: str) -> frozenset[str]:
    """What a file is about by its name; `__init__.py`, `index.ts` and their like by their folder's."""
    folders, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    if stem.strip("_").lower() in _GENERIC and folders:
        stem = folders.rpartition("/")[2]
    return frozenset(stems_of(words_of(stem))) - _NOISE


def _path_words(path: str) -> frozenset[str]:
    return frozenset(stems_of(words_of(path.rpartition(".")[0]))) - _NOISE


def _overlap(own: frozenset[str], others: Sequence[frozenset[str]]) -> Scores:
    """The share of words in common, rare ones counting most."""
    holders = Counter(word for words in others for word in words)
    worth = {word: math.log(1 + (len(others) + 1) / (holders[word] + 0.5)) for word in holders.keys() | own}
    scores = np.zeros(len(others))
    for index, words in enumerate(others):
        if common := own & words:
            scores[index] = sum(worth[word] for word in sorted(common)) / sum(
                worth[word] for word in sorted(own | words)
            )
    return scores


def _nearness(path: str, others: Sequence[str]) -> Scores:
    """The share of folders in common, from the top."""
    own = path.split("/")[:-1]
    scores = np.zeros(len(others))
    for index, other in enumerate(others):
        folders = other.split("/")[:-1]
        shared = next(
            (at for at, (a, b) in enumerate(zip(own, folders, strict=False)) if a != b), min(len(own), len(folders))
        )
        scores[index] = 2 * shared / max(1, len(own) + len(folders))
    return scores


def _imports(graph: ImportGraph, subjects: Sequence[str]) -> Scores:
    """The chance that a walk along imports, at random and ending early, comes from a file to a subject."""
    size = len(graph.files)
    out = np.maximum(1, np.bincount(graph.importers_ids, minlength=size))
    starts = [graph.id_of(path) for path in subjects]
    reached = np.zeros(size)
    reached[starts] = 1
    total = np.zeros(size)
    for _ in range(_WALK_STEPS):
        reached = _WALK_SHARE * np.bincount(graph.importers_ids, reached[graph.imported_ids], minlength=size) / out
        reached[starts] = 0
        total += reached
    return total


def _defined_names(graph: ImportGraph, subjects: Sequence[str]) -> list[str]:
    names = [item.name.rpartition(".")[2] for path in subjects for item in graph.facts[path].definitions]
    return list(dict.fromkeys(names))[:_MAX_NAMES]


def _words_in(names: Sequence[str]) -> dict[str, float]:
    counts = Counter(word for name in names for word in set(stems_of(words_of(name))) if len(word) > 2)
    return {word: 1 + math.log(count) for word, count in counts.items()}


def _bm25(codebase: Codebase, tests: npt.NDArray[np.int64], field: Field, query: Mapping[str, float]) -> Scores:
    """How well the tests answer the terms; rarity is counted among tests alone.

    Source: Robertson, Zaragoza 2009.
    """
    lengths = codebase.terms.lengths(field)[tests]
    norms = _K1 * (1 - _B + _B * lengths / max(1.0, float(lengths.mean())))
    places = np.full(len(codebase.graph.files), -1, dtype=np.int64)
    places[tests] = np.arange(len(tests))
    scores = np.zeros(len(tests))
    for term in sorted(query):
        found = codebase.terms.postings(field, term)
        at = places[found.files]
        counts, at = found.counts[at >= 0], at[at >= 0]
        rarity = math.log(1 + (len(tests) - len(at) + 0.5) / (len(at) + 0.5))
        scores[at] += query[term] * rarity * counts * (_K1 + 1) / (counts + norms[at])
    return scores


def _history(codebase: Codebase, subjects: Sequence[str], paths: Sequence[str]) -> tuple[Scores, Scores, Scores]:
    """Changed in the same commits; the same in proportion to all changes of the test; how lately it changed at all."""
    places = {path: index for index, path in enumerate(paths)}
    wanted = set(subjects)
    together, changes, recent = np.zeros(len(paths)), np.zeros(len(paths)), np.zeros(len(paths))
    for age, commit in enumerate(codebase.history):
        touched = [places[path] for path in commit.paths if path in places]
        if not touched:
            continue
        changes[touched] += 1
        for index in touched:
            recent[index] = max(recent[index], 1 / (1 + age))
        if not wanted.isdisjoint(commit.paths):
            together[touched] += 1 / (1 + age / _HALF_AGE) / math.log(2 + len(commit.paths))
    return together, together / np.sqrt(np.maximum(1, changes)), recent


def _reasons(signals: Mapping[str, Scores], at: int) -> tuple[str, ...]:
    said = {
        "name": "named alike",
        "imports": "reaches it through imports",
        "identifiers": "mentions what it defines",
        "together": "changed together with it",
        "subject": "says its name",
    }
    return tuple(text for name, text in said.items() if signals[name][at] > 0)
