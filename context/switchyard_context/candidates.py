"""Which files are due for a request, in which role and why, the most needed first; the budget comes later."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, get_args

import numpy as np

from switchyard_context.chains import Chains
from switchyard_context.codebase import Codebase
from switchyard_context.coverage import rank_tests
from switchyard_context.graph import Edge, ImportGraph, is_test
from switchyard_context.languages import language_of
from switchyard_context.languages.contract import parents_of
from switchyard_context.mentions import read_mentions
from switchyard_context.named_files import other_files_named
from switchyard_context.rank import Ranked, Scores, closeness, fuse, rank_files
from switchyard_context.request import Aim, Request, Role
from switchyard_context.roles import nature_of
from switchyard_context.source import Source

Tier = Literal["target", "always", "match", "import", "test", "config", "neighbour"]
TIERS: tuple[Tier, ...] = get_args(Tier)

_TEXT_TARGETS, _SURE_TARGETS = 5, 2
"""How many answers of a text count as targets, and of how many of these the imports are due."""
_TEXT_MATCHES, _RANKED = 15, 60
_MAX_TESTS, _MAX_NEIGHBOURS = 6, 16
_MAX_TESTS_OF_GUESSES, _MAX_NEIGHBOURS_OF_GUESSES = 4, 6
_BESIDE_WEIGHT = 0.3
_IDENTIFIER = re.compile(r"\b[A-Za-z_]\w{2,}\b")


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


def list_candidates(request: Request, goal: Aim, codebase: Codebase) -> list[Candidate]:
    """Every file worth considering, each once, best first; scores fall from 1 and order the list."""
    graph, source = codebase.graph, codebase.source
    answers = _answers(request, goal, codebase)
    named = list(_named(goal, graph, set(_IDENTIFIER.findall(request.text))))
    matched = [] if named or goal.absent else list(_matched(answers, graph))
    first = [replace(item, role="target") for item in matched[:_TEXT_TARGETS]]
    spoken = (
        [] if named else [path for path in other_files_named(request.text, graph, source) if goal.is_in_focus(path)]
    )
    others = [Candidate(path, "target", "match", ("named in the text",)) for path in spoken]
    lead = [*first, *others] if _names_code(request.text, spoken) else [*others, *first]
    centres = [item.path for item in (*named, *lead)]
    known = [path for path in centres if path in graph]
    found: dict[str, Candidate] = {}
    _merge(found, [*named, *lead, *_always(goal, graph), *matched[_TEXT_TARGETS:]])
    _merge(found, _imports(known if named else known[:_SURE_TARGETS], graph))
    is_told = bool(named or goal.absent)
    _merge(found, _tests(known, codebase, _MAX_TESTS if is_told else _MAX_TESTS_OF_GUESSES))
    _merge(found, _configs((*centres, *goal.absent), source))
    aside = codebase.generated | codebase.vendored
    near = _neighbours(goal, known, graph, answers, aside.union(found))
    _merge(found, islice(near, _MAX_NEIGHBOURS if is_told else _MAX_NEIGHBOURS_OF_GUESSES))
    return _with_scores(list(found.values()))


def _answers(request: Request, goal: Aim, codebase: Codebase) -> dict[str, Ranked]:
    """The files that answer the text, best first."""
    ranked = rank_files(codebase, request.text, _RANKED)
    aside = codebase.generated | codebase.vendored
    wanted = (item for item in ranked if item.path not in aside or item.path in request.text)
    return {item.path: item for item in wanted if goal.is_in_focus(item.path)}


def _names_code(text: str, spoken: Iterable[str]) -> bool:
    """Whether anything in the text but the names of those files is a name of code."""
    for path in spoken:
        text = text.replace(path, " ").replace(posixpath.basename(path), " ")
    mentions = read_mentions(text)
    return bool(mentions.names or mentions.frames or mentions.chains)


def _merge(found: dict[str, Candidate], more: Iterable[Candidate]) -> None:
    """A file that is due twice keeps its first place, and says both reasons."""
    for item in more:
        known = found.get(item.path)
        if known is None:
            found[item.path] = item
        else:
            reasons = tuple(dict.fromkeys((*known.reasons, *item.reasons)))
            found[item.path] = replace(known, reasons=reasons, wanted=known.wanted | item.wanted)


def _named(goal: Aim, graph: ImportGraph, words: Set[str]) -> Iterator[Candidate]:
    for path in goal.targets:
        symbols = goal.symbols.get(path, frozenset())
        definitions = graph.facts[path].definitions if path in graph else ()
        told = frozenset(item.name for item in definitions if item.name.rpartition(".")[2] in words)
        yield Candidate(path, "target", "target", (_asked(path, goal),), wanted=symbols or told, symbols=symbols)


def _asked(path: str, goal: Aim) -> str:
    if symbols := goal.symbols.get(path):
        return f"asked for: {', '.join(sorted(symbols))}"
    return "given as a seed" if path in goal.seeded else "named as a target"


def _always(goal: Aim, graph: ImportGraph) -> Iterator[Candidate]:
    for path in goal.always:
        yield Candidate(path, nature_of(path, graph), "always", ("listed to be always in",))


def _matched(answers: Mapping[str, Ranked], graph: ImportGraph) -> Iterator[Candidate]:
    for rank, item in enumerate(islice(answers.values(), _TEXT_MATCHES), start=1):
        reasons = (f"matches the text, rank {rank}", *item.reasons)
        yield Candidate(item.path, nature_of(item.path, graph), "match", reasons)


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


def _tests(targets: list[str], codebase: Codebase, limit: int) -> Iterator[Candidate]:
    """The tests that speak for the targets, then the fixtures that these use."""
    graph = codebase.graph
    changed = [path for path in targets if not is_test(path)]
    tests = [item for item in rank_tests(codebase, changed) if item.path not in codebase.vendored][:limit]
    for item in tests:
        chain = " → ".join((item.path, *(edge.imported for edge in graph.why_any(item.path, changed))))
        covers = (f"covers: {chain}",) if " → " in chain else ()
        yield Candidate(item.path, "test", "test", (*item.reasons, *covers))
    for item in tests:
        for folder in parents_of(item.path):
            if (path := f"{folder}/conftest.py" if folder else "conftest.py") in graph:
                yield Candidate(path, "test", "test", (f"fixtures of {item.path}",))


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
    goal: Aim, targets: list[str], graph: ImportGraph, answers: Mapping[str, Ranked], taken: Set[str]
) -> Iterator[Candidate]:
    """What lies close in the graph, and where there is a text, what answers it."""
    beside = {path: absent for absent in goal.absent for path in _siblings(absent, graph) if path not in targets}
    seeds = {**dict.fromkeys(beside, _BESIDE_WEIGHT), **dict.fromkeys(targets, 1.0)}
    chains = Chains(graph, seeds)
    of_text = np.zeros(len(graph.files))
    for rank, path in enumerate(answers):
        of_text[graph.id_of(path)] = 1 / (1 + rank)
    scores = fuse([closeness(graph, seeds), of_text], weights=(2.0, 1.0))
    fresh = (path for path in _best(graph, scores) if path not in taken and goal.is_in_focus(path))
    for path in fresh:
        reasons = [f"beside {beside[path]}, which is not there yet"] if path in beside else []
        if path not in seeds and (chain := chains.to(path)):
            reasons.append(f"linked: {chain}")
        if path in answers:
            reasons.append("shares words with the text")
        yield Candidate(path, nature_of(path, graph), "neighbour", tuple(reasons))


def _best(graph: ImportGraph, scores: Scores) -> list[str]:
    """Files with a score, best first; equal ones by path."""
    order = sorted(np.flatnonzero(scores > 0), key=lambda index: (-scores[index], graph.files[index]))
    return [graph.files[index] for index in order]


def _siblings(path: str, graph: ImportGraph) -> list[str]:
    folder = posixpath.dirname(path)
    suffix = posixpath.splitext(path)[1]
    return [other for other in graph.files if posixpath.dirname(other) == folder and other.endswith(suffix)][:8]


def _with_scores(candidates: list[Candidate]) -> list[Candidate]:
    ordered = sorted(candidates, key=lambda item: TIERS.index(item.tier))
    size = len(ordered)
    return [replace(item, score=round(1 - position / size, 4)) for position, item in enumerate(ordered)]
