"""Which test of the change is which test of the base, moved, renamed or not, and the same for their claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.tokens import dice, is_constant, similarity
from switchyard.gates.weakening.units import Unit

_MAX_COMPARED = 20_000
"""Pairs whose similarity is taken; beyond them only names and texts count."""
_TRIVIAL = frozenset(((), ("None",), ("0",), ("1",)))


@dataclass
class Matching:
    pairs: list[tuple[Unit, Unit]] = field(default_factory=list)
    uncollected: list[tuple[Unit, Unit]] = field(default_factory=list)
    """A test, and the function that it has become."""
    lost: list[Unit] = field(default_factory=list)
    new: list[Unit] = field(default_factory=list)


def match_units(before: Sequence[Unit], after: Sequence[Unit]) -> Matching:
    """Pair the base's tests with the change's."""
    found = Matching()
    tests = [unit for unit in after if unit.is_test]
    others = [unit for unit in after if not unit.is_test]
    wanted = [unit for unit in before if unit.is_test]
    keys: list[Callable[[Unit], object]] = [
        lambda unit: (unit.path, unit.qualified),
        lambda unit: unit.text,
        lambda unit: (unit.path, unit.name),
        lambda unit: unit.qualified,
    ]
    for key in keys:
        wanted, tests = _pair_by(key, wanted, tests, found.pairs)
    # Said before the search by likeness: the same name in the same place that is no test any more.
    wanted, others = _pair_by(keys[0], wanted, others, found.uncollected)
    wanted, tests = _pair_alike(wanted, tests, 0.6, found.pairs)
    known = {(unit.path, unit.qualified) for unit in before if not unit.is_test}
    fresh = [unit for unit in others if (unit.path, unit.qualified) not in known]
    wanted, _ = _pair_by(lambda unit: unit.name, wanted, fresh, found.uncollected)
    wanted, _ = _pair_alike(wanted, fresh, 0.75, found.uncollected)
    found.lost, found.new = wanted, tests
    return found


def _pair_by(
    key: Callable[[Unit], object], before: list[Unit], after: list[Unit], pairs: list[tuple[Unit, Unit]]
) -> tuple[list[Unit], list[Unit]]:
    """Pair what has the same key; the rest of both sides is returned."""
    table: dict[object, list[Unit]] = defaultdict(list)
    for unit in after:
        table[key(unit)].append(unit)
    rest: list[Unit] = []
    taken: set[int] = set()
    for unit in before:
        candidates = table.get(key(unit))
        if candidates:
            chosen = max(candidates, key=lambda other: dice(unit.bag, other.bag)) if candidates[1:] else candidates[0]
            candidates.remove(chosen)
            taken.add(id(chosen))
            pairs.append((unit, chosen))
        else:
            rest.append(unit)
    return rest, [unit for unit in after if id(unit) not in taken]


def _pair_alike(
    before: list[Unit], after: list[Unit], least: float, pairs: list[tuple[Unit, Unit]]
) -> tuple[list[Unit], list[Unit]]:
    if not before or not after or len(before) * len(after) > _MAX_COMPARED:
        return before, after
    scored = []
    for i, one in enumerate(before):
        for j, other in enumerate(after):
            a, b = len(one.text), len(other.text)
            # Dice's coefficient can't be reached by texts of too different lengths.
            if min(a, b) * 4 >= max(a, b) and one.path.rsplit(".", 1)[-1] == other.path.rsplit(".", 1)[-1]:
                score = dice(one.bag, other.bag) + (0.1 if one.name == other.name else 0)
                if score >= least:
                    scored.append((-score, i, j))
    left, right = set(range(len(before))), set(range(len(after)))
    for _, i, j in sorted(scored):
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            pairs.append((before[i], after[j]))
    return [before[i] for i in sorted(left)], [after[j] for j in sorted(right)]


def match_claims(
    before: Sequence[Claim], after: Sequence[Claim]
) -> tuple[list[tuple[Claim, Claim]], list[Claim], list[Claim]]:
    """(pairs, claims of the base without a counterpart, claims that are new)."""
    pairs: list[tuple[Claim, Claim]] = []
    old, new = list(before), list(after)
    for key in (
        lambda claim: (*claim.key, claim.origin, claim.value, claim.is_dead, claim.is_swallowed),
        lambda claim: (claim.relation, claim.origin, claim.value, claim.options),
        lambda claim: (claim.relation, claim.subject, claim.value, claim.options, claim.maker),
        lambda claim: (claim.relation, claim.subject, claim.value, claim.options),
    ):
        old, new = _same_claims(key, old, new, pairs)
    if len(old) * len(new) > _MAX_COMPARED:
        old, new = _same_claims(lambda claim: (claim.relation, claim.subject), old, new, pairs)
    scored = (
        sorted(
            (-score, i, j)
            for i, one in enumerate(old)
            for j, other in enumerate(new)
            if (score := _likeness(one, other)) > 0
        )
        if len(old) * len(new) <= _MAX_COMPARED
        else []
    )
    left, right = set(range(len(old))), set(range(len(new)))
    for _, i, j in scored:
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            pairs.append((old[i], new[j]))
    return pairs, [old[i] for i in sorted(left)], [new[j] for j in sorted(right)]


def _same_claims(
    key: Callable[[Claim], object], old: list[Claim], new: list[Claim], pairs: list[tuple[Claim, Claim]]
) -> tuple[list[Claim], list[Claim]]:
    table: dict[object, list[int]] = defaultdict(list)
    for index, claim in enumerate(new):
        table[key(claim)].append(index)
    rest, taken = [], set()
    for claim in old:
        candidates = table.get(key(claim))
        if candidates:
            taken.add(candidates[0])
            pairs.append((claim, new[candidates.pop(0)]))
        else:
            rest.append(claim)
    return rest, [claim for index, claim in enumerate(new) if index not in taken]


def _likeness(one: Claim, other: Claim) -> float:
    """How probably two claims are the same one, 0 where they aren't."""
    if (one.relation == "helper") is not (other.relation == "helper"):
        return 0
    score = 0.5 * (one.relation == other.relation) + 0.2 * (one.guards == other.guards)
    looked = max(similarity(one.subject, other.subject), similarity(one.origin, other.origin))
    if one.subject == other.subject or one.origin == other.origin:
        return 3 + score + (one.value == other.value) + similarity(one.value, other.value)
    if _looks_inside(one.subject, other.subject):
        return 2.5 + score
    if one.relation == other.relation and one.value == other.value and one.value not in _TRIVIAL:
        return 2 + looked if is_constant(one.value) or looked > 0.3 else 0
    whole = similarity((*one.subject, *one.expected), (*other.subject, *other.expected))
    return 1 + score + whole if max(whole, looked) >= 0.5 else 0


def _looks_inside(one: Tokens, other: Tokens) -> bool:
    """Whether the same thing is looked at, or a part of it."""
    short, long = sorted((one, other), key=len)
    return 0 < len(short) < len(long) <= len(short) + 6 and (
        long[: len(short)] == short or long[-len(short) :] == short
    )
