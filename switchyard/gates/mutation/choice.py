"""Which faults are tried where not all can be: spread over the lines, then over the kinds of fault; always the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from switchyard.gates.mutation.generation import still_parses
from switchyard.gates.mutation.model import PRIORITY, Mutant, Operator


def choose_mutants(found: Iterable[Mutant], sources: Mapping[str, bytes], most: int) -> list[Mutant]:
    """At most so many faults, sorted by place.

    Args:
        sources: Path → the file that its faults were found in.
    """
    waiting = _by_line(found)
    chosen: list[Mutant] = []
    used: Counter[Operator] = Counter()
    while waiting and len(chosen) < most:
        for place in _spread(sorted(waiting), most - len(chosen)):
            mutant = _take(waiting[place], sources, used)
            if mutant is not None:
                chosen.append(mutant)
                used[mutant.operator] += 1
            if not waiting[place]:
                del waiting[place]
    return sorted(chosen, key=lambda mutant: (mutant.path, mutant.start, mutant.replacement))


def _by_line(found: Iterable[Mutant]) -> dict[tuple[str, int], list[Mutant]]:
    lines: dict[tuple[str, int], list[Mutant]] = {}
    for mutant in found:
        lines.setdefault((mutant.path, mutant.line), []).append(mutant)
    return lines


def _spread(places: list[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """So many of the places, evenly over all of them."""
    if len(places) <= most:
        return places
    return [places[index * len(places) // most] for index in range(most)]


def _take(line: list[Mutant], sources: Mapping[str, bytes], used: Counter[Operator]) -> Mutant | None:
    """The fault of one line whose kind was tried least so far; those that would not parse are dropped."""
    while line:
        best = min(line, key=lambda mutant: (used[mutant.operator], PRIORITY.index(mutant.operator), mutant.start))
        line.remove(best)
        if still_parses(best, sources[best.path]):
            return best
    return None
