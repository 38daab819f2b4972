"""Which files are due for a request, in which role and why, the most needed first; the budget comes later."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, get_args

import numpy as np

from switchyard_context.chains import Chains
from switchyard_context.graph import Edge, ImportGraph, is_test, names_test_of
from switchyard_context.languages import LANGUAGES, language_of
from switchyard_context.languages.contract import parents_of
from switchyard_context.rank import IDENTIFIER, Scores, closeness, fuse, match_text
from switchyard_context.request import Aim, Request, Role
from switchyard_context.source import Source

Tier = Literal["target", "always", "match", "import", "test", "config", "neighbour"]
TIERS: tuple[Tier, ...] = get_args(Tier)

_TEXT_TARGETS = 5
_MAX_TESTS = 6
_TEST_HOPS = 3
_MAX_NEIGHBOURS = 16
_BESIDE_WEIGHT = 0.3
_TEXT_MATCHES = 15
_CONFIG_NAMES = frozenset(name for language in LANGUAGES.values() for group in language.configs for name in group)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that may go in."""

    path: str
    role: Role
    tier: Tier
    reasons: tuple[str, ...]
    score: float = 0.0
    wanted: frozenset[str] = frozenset()
    """Names of it that a target uses, or that were asked for."""
    symbols: frozenset[str] = frozenset()
    """Only these were asked for."""


def list_candidates(request: Request, goal: Aim, graph: ImportGraph, source: Source) -> list[Candidate]:
    """Every file worth considering, each once, best first; scores fall from 1 and order the list."""
    scores = match_text(graph, request.text) if request.text.strip() else np.zeros(len(graph.files))
    named = list(_named(goal, graph, set(IDENTIFIER.findall(request.text))))
    matched = [] if named or goal.absent else _matched(graph, scores, _TEXT_MATCHES)
    first = [replace(item, role="target") for item in matched[:_TEXT_TARGETS]]
    centres = [item.path for item in (*named, *first)]
    found: dict[str, Candidate] = {}
    _merge(found, [*named, *first, *_always(goal, graph), *matched[_TEXT_TARGETS:]])
    near = closeness(graph, dict.fromkeys(centres, 1.0))
    known = [path for path in centres if path in graph]
    _merge(found, _imports(known, graph))
    _merge(found, _tests(known, graph, near))
    _merge(found, _configs((*centres, *goal.absent), source))
    _merge(found, _neighbours(goal, known, graph, scores, set(found)))
    return _with_scores(list(found.values()))


def _merge(found: dict[str, Candidate], more: Iterable[Candidate]) -> None:
    """A file that is due twice keeps its first place, and says both reasons."""
    for item in more:
        known = found.get(item.path)
        if known is None:
            found[item.path] = item
        else:
            reasons = tuple(dict.fromkeys((*known.reasons, *item.reasons)))
            found[item.path] = replace(known, reasons=reasons, wanted=known.wanted | item.wanted)


def nature_of(path: str, graph: ImportGraph) -> Role:
    """The role that a file has by itself."""
    name = posixpath.basename(path)
    if name in _CONFIG_NAMES:
        return "config"
    if is_test(path) or name == "conftest.py":
        return "test"
    if name.endswith((".pyi", ".d.ts", ".d.mts", ".d.cts")):
        return "type"
    definitions = graph.facts[path].definitions if path in graph else ()
    return "type" if definitions and all(item.kind == "type" for item in definitions) else "dependency"


def _named(goal: Aim, graph: ImportGraph, words: Set[str]) -> Iterator[Candidate]:
    for path in goal.targets:
        symbols = goal.symbols.get(path, frozenset())
        definitions = graph.facts[path].definitions if path in graph else ()
        told = frozenset(item.name for item in definitions if item.name.rpartition(".")[2] in words)
        asked = f"asked for: {', '.join(sorted(symbols))}" if symbols else "named as a target"
        yield Candidate(path, "target", "target", (asked,), wanted=symbols or told, symbols=symbols)


def _always(goal: Aim, graph: ImportGraph) -> Iterator[Candidate]:
    for path in goal.always:
        yield Candidate(path, nature_of(path, graph), "always", ("listed to be always in",))


def _matched(graph: ImportGraph, scores: Scores, limit: int) -> list[Candidate]:
    paths = _best(graph, scores)[:limit]
    return [
        Candidate(path, nature_of(path, graph), "match", (f"matches the text, rank {rank}",))
        for rank, path in enumerate(paths, start=1)
    ]


def _best(graph: ImportGraph, scores: Scores) -> list[str]:
    """Files with a score, best first; equal ones by path."""
    order = sorted(np.flatnonzero(scores > 0), key=lambda index: (-scores[index], graph.files[index]))
    return [graph.files[index] for index in order]


def _imports(targets: list[str], graph: ImportGraph) -> Iterator[Candidate]:
    for target in targets:
        names = _names_by_line(graph, target)
        for edge in graph.imports_of(target):
            role = nature_of(edge.imported, graph)
            if edge.kind == "type" and role == "dependency":
                role = "type"
            reason = f"{_said(edge)} by {target} at line {edge.line}"
            yield Candidate(edge.imported, role, "import", (reason,), wanted=names.get(edge.line, frozenset()))


def _said(edge: Edge) -> str:
    match edge.kind:
        case "type":
            return "imported for types"
        case "dynamic":
            return "imported by name"
        case "reexport":
            return "imported through a re-export"
        case _:
            return "imported"


def _names_by_line(graph: ImportGraph, path: str) -> dict[int, frozenset[str]]:
    names: dict[int, frozenset[str]] = {}
    for item in graph.facts[path].imports:
        names[item.line] = names.get(item.line, frozenset()) | {name for name, _ in item.names}
    return names


def _tests(targets: list[str], graph: ImportGraph, near: Scores) -> Iterator[Candidate]:
    changed = [path for path in targets if not is_test(path)]
    reached = graph.distances(changed, _TEST_HOPS, reverse=True)
    covering = [path for path in reached if is_test(path)]
    covering.sort(key=lambda path: (not names_test_of(path, changed), reached[path], -near[graph.id_of(path)], path))
    for path in covering[:_MAX_TESTS]:
        chain = graph.why_any(path, changed)
        covers = " → ".join((path, *(edge.imported for edge in chain)))
        named = ("named after a target",) if names_test_of(path, changed) else ()
        yield Candidate(path, "test", "test", (*named, f"covers: {covers}"))


def _configs(centres: tuple[str, ...], source: Source) -> Iterator[Candidate]:
    """The nearest file of each kind of configuration above each target."""
    for centre in centres:
        language = language_of(centre)
        for group in language.configs if language else ():
            found = (f"{folder}/{name}" if folder else name for folder in parents_of(centre) for name in group)
            nearest = next((path for path in found if path in source.blobs), None)
            if nearest is not None:
                yield Candidate(nearest, "config", "config", (f"configures {centre}",))


def _neighbours(
    goal: Aim, targets: list[str], graph: ImportGraph, text_scores: Scores, taken: Set[str]
) -> Iterator[Candidate]:
    """What lies close in the graph, and where there is a text, what answers it."""
    beside = {path: absent for absent in goal.absent for path in _siblings(absent, graph) if path not in targets}
    seeds = {**dict.fromkeys(beside, _BESIDE_WEIGHT), **dict.fromkeys(targets, 1.0)}
    chains = Chains(graph, seeds)
    scores = fuse([closeness(graph, seeds), text_scores], weights=(2.0, 1.0))
    fresh = (path for path in _best(graph, scores) if path not in taken)
    for path in islice(fresh, _MAX_NEIGHBOURS):
        reasons = [f"beside {beside[path]}, which is not there yet"] if path in beside else []
        if path not in seeds and (chain := chains.to(path)):
            reasons.append(f"linked: {chain}")
        if text_scores[graph.id_of(path)] > 0:
            reasons.append("shares words with the text")
        yield Candidate(path, nature_of(path, graph), "neighbour", tuple(reasons))


def _siblings(path: str, graph: ImportGraph) -> list[str]:
    folder = posixpath.dirname(path)
    suffix = posixpath.splitext(path)[1]
    return [other for other in graph.files if posixpath.dirname(other) == folder and other.endswith(suffix)][:8]


def _with_scores(candidates: list[Candidate]) -> list[Candidate]:
    ordered = sorted(candidates, key=lambda item: TIERS.index(item.tier))
    size = len(ordered)
    return [replace(item, score=round(1 - position / size, 4)) for position, item in enumerate(ordered)]
