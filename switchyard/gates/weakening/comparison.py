"""Compares a test with what it was, and says where what was proven went."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from switchyard.gates.weakening.bodies import RETRY, SKIP
from switchyard.gates.weakening.judging import is_vacuous, judge
from switchyard.gates.weakening.model import STRENGTHS, Claim, Kind, Tokens, Weakening
from switchyard.gates.weakening.pairing import match_claims
from switchyard.gates.weakening.tokens import is_literal, is_string, literals_of, names_of, similarity
from switchyard.gates.weakening.units import Unit

_PROVIDERS = frozenset(("Stream", "Arguments", "Collection", "Iterable", "DataProvider"))
"""What methods return that give JUnit its cases."""
_MAX_TEXT = 160
_MAX_ABLE = 200
"""Claims of one test that are tried for another's."""
_MAX_TRIES = 20_000
"""Tests that are tried in all for what deleted ones said in other words."""
_EXPECTED_KEYS = ("want", "expect", "output", "result", "out", "exp", "err")


@dataclass
class World:
    """What a test is judged against beside itself."""

    helpers_before: Mapping[str, Unit]
    """Functions beside tests, by name."""
    helpers_after: Mapping[str, Unit]
    renames: dict[str, str] = field(default_factory=dict)
    """Names that the change replaced throughout."""


@dataclass
class Change:
    """A test before and after, with the claims that have no counterpart."""

    before: Unit
    after: Unit
    pairs: list[tuple[Claim, Claim]]
    removed: list[Claim]
    added: list[Claim]


@dataclass
class Offer:
    """A test of the change with what it claims newly: where claims of the base may have gone."""

    unit: Unit
    added: list[Claim]
    helpers: Mapping[str, Unit] = field(default_factory=dict)

    @cached_property
    def words(self) -> set[str]:
        """Its tokens and those of the functions that it names, and what its strings list with commas."""
        flat = set(self.unit.flat)
        for name in {leaf.strip("\"'") for leaf in flat} & self.helpers.keys():
            flat |= set(self.helpers[name].flat)
        listed = {part.strip() for leaf in flat if is_string(leaf) for part in re.split(r"[,|\n]", leaf[1:-1])}
        return flat | listed

    @cached_property
    def able(self) -> list[Claim]:
        """What of it can fail."""
        return [claim for claim in self.added if not (claim.is_dead or claim.is_swallowed or is_vacuous(claim))]

    @cached_property
    def said(self) -> set[object]:
        """Its claims, as written and as they are once variables stand for what they were given."""
        return {claim.key for claim in self.able} | {_resolved(claim) for claim in self.able}

    def covers(self, claim: Claim) -> bool:
        """Whether this test claims it too, in its own words or over a table of values."""
        if claim.key in self.said or _resolved(claim) in self.said:
            return True
        able = [
            item
            for item in self.able[:_MAX_ABLE]
            if item.strength >= claim.strength or claim.relation == "helper" or _tells_message(item, claim)
        ]
        if any(_tells_message(item, claim) for item in able):
            return True
        spoken = {leaf for leaf in (*claim.subject, *claim.expected) if is_literal(leaf)}
        if not able or not all(leaf in self.words or leaf.strip("\"'`") in self.words for leaf in spoken):
            return False
        names = names_of(claim.origin)
        return len(names & self.words) * 2 >= len(names) and any(_akin(item, claim) for item in able)


def _resolved(claim: Claim) -> object:
    return (claim.relation, claim.origin, claim.value)


def _tells_message(one: Claim, claim: Claim) -> bool:
    """Whether one holds the text of an error against a pattern, as the other does by hand."""
    return one.relation == "matches" and _is_message(claim) and literals_of(claim.value) <= literals_of(one.value)


def _is_message(claim: Claim) -> bool:
    """Whether it is about the text of a caught error."""
    return claim.subject[-2:] == (".", "message") or "excinfo" in claim.subject


def _akin(one: Claim, other: Claim) -> bool:
    return bool(names_of(one.origin) & names_of(other.origin)) or one.relation == other.relation


class Offers:
    """All places where claims of the base may have gone."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self._offers = offers
        self._tries = _MAX_TRIES
        self._said: dict[object, set[int]] = defaultdict(set)
        for offer in offers:
            for key in offer.said:
                self._said[key].add(id(offer.unit))

    def say(self, claim: Claim, besides: Unit) -> bool:
        """Whether another test says the very same."""
        return bool(self._said.get(claim.key, set()) - {id(besides)})

    def cover(self, claims: Sequence[Claim]) -> bool:
        """Whether other tests have taken over all of these."""
        return bool(claims) and all(claim.key in self._said or self._covers(claim) for claim in claims)

    def _covers(self, claim: Claim) -> bool:
        for offer in self._offers:
            self._tries -= 1
            if self._tries < 0:
                return False
            if offer.covers(claim):
                return True
        return False


def open_change(before: Unit, after: Unit, world: World) -> Change:
    """Pair the claims of a test with what they were."""
    old = [_renamed(claim, world.renames) for claim in claims_of(before, world.helpers_before)]
    new = claims_of(after, world.helpers_after)
    pairs, removed, added = match_claims(old, new)
    free = after.parameters | after.body.loop_names
    added = added + [now for then, now in pairs if then.key != now.key and _says_more(then, now, free)]
    if removed:
        added = added + _inlined(before, after, world)
    return Change(before, after, pairs, removed, added)


def _says_more(then: Claim, now: Claim, free: Collection[str]) -> bool:
    """Whether a claim may stand for several: over a table's columns, or over a whole object instead of its parts."""
    whole = now.relation == "equal" and now.subject == then.subject[: len(now.subject)] != then.subject
    return bool(names_of(now.value) & set(free)) or whole


def claims_of(unit: Unit, helpers: Mapping[str, Unit]) -> list[Claim]:
    """A unit's own claims, and one for each helper that it calls and that claims something."""
    named = {claim.subject[0] for claim in unit.body.claims if claim.relation == "helper" and claim.subject}
    called = [
        Claim("helper", (name,), line=unit.line, origin=(name,))
        for name in sorted(unit.body.own_calls - named)
        if name in helpers and name != unit.name and helpers[name].body.claims
    ]
    return [*unit.body.claims, *called]


def _inlined(before: Unit, after: Unit, world: World) -> list[Claim]:
    """What helpers claim that the test calls newly."""
    found: list[Claim] = []
    for name in sorted(after.body.calls - before.body.calls):
        helper = world.helpers_after.get(name)
        if helper is not None:
            found += helper.body.claims
    return found


def _renamed(claim: Claim, renames: Mapping[str, str]) -> Claim:
    if not renames:
        return claim
    subject, expected, origin, value = (
        tuple(renames.get(leaf, leaf) for leaf in tokens)
        for tokens in (claim.subject, claim.expected, claim.origin, claim.value)
    )
    return Claim(
        claim.relation, subject, expected, claim.options, claim.line, claim.guards, claim.is_swallowed, claim.is_dead,
        origin, value, claim.maker,
    )  # fmt: skip


def judge_change(change: Change, offers: Offers, world: World) -> list[Weakening]:
    """Every way in which a test asks less than it did."""
    before, after = change.before, change.after
    found = [*judge_marks(before, after), *_judge_rows(before, after, world)]
    free = after.parameters | after.body.loop_names
    here = Offer(after, change.added, world.helpers_after)
    for old, new in change.pairs:
        verdict = judge(old, new, world.renames, free)
        if verdict is not None and not _is_said_otherwise(old, new, verdict[0], here, free):
            found.append(_found(after, new.line, verdict[0], old.text, new.text, verdict[1]))
    gone = [claim for claim in change.removed if not _is_kept(claim, here, offers)]
    if gone and not after.body.claims:
        text = "; ".join(claim.text for claim in gone)
        found.append(_found(after, after.line, Kind.EMPTIED_TEST, text, "", "nothing is asserted any more"))
    else:
        raises = any(claim.relation == "raises" for claim in after.body.claims)
        for claim in gone:
            kind, why = Kind.REMOVED_ASSERTION, "the assertion is gone"
            if raises and claim.subject == ("raised",):
                kind, why = Kind.LOOSENED_ASSERTION, "what the error says no longer counts"
            elif any(map(is_vacuous, change.added)):
                kind, why = Kind.CANNOT_FAIL, "what stands in its place holds of anything"
            found.append(_found(after, after.line, kind, claim.text, "", why))
    if not before.body.claims and before.body.calls and not after.body.calls and after.is_test:
        found.append(_found(after, after.line, Kind.EMPTIED_TEST, _short(before.flat), "", "nothing is run any more"))
    return [*found, *_judge_ends(before, after), *_judge_patches(change)]


def _is_said_otherwise(old: Claim, new: Claim, kind: Kind, here: Offer, free: Collection[str]) -> bool:
    """Whether the same values stand in a table now, or a weak claim made room for a strong one."""
    if kind is Kind.CHANGED_EXPECTATION and names_of(new.value) & set(free):
        return here.covers(old)
    return kind is Kind.LOOSENED_ASSERTION and old.strength <= STRENGTHS["truth"] and any(
        item.strength > old.strength and item.subject[: len(old.subject)] == old.subject for item in here.added
    )  # fmt: skip


def _is_kept(claim: Claim, here: Offer, offers: Offers) -> bool:
    if claim.is_dead or (claim.relation == "no_raise" and here.unit.body.claims):
        return True
    return here.covers(claim) or _is_pointless(claim, here) or offers.say(claim, here.unit)


def _is_pointless(claim: Claim, here: Offer) -> bool:
    """A step of the set-up that is gone can't go wrong, and `raises` says what `fail()` behind a call did."""
    if claim.relation == "reached":
        return any(item.relation == "raises" for item in here.added)
    of_step = (
        claim.relation == "equal" and claim.value == ("None",) and "".join(claim.subject[-1:]).lower().startswith("err")
    )
    is_made = bool(claim.maker) and claim.maker != claim.subject
    return of_step and is_made and bool(here.unit.body.claims) and not names_of(claim.maker) <= here.words


def judge_marks(before: Unit, after: Unit) -> list[Weakening]:
    """Skips and retries that are new."""
    old, new = before.all_marks, after.all_marks if after.is_test else []
    found: list[Weakening] = []
    for is_retry in (True, False):
        then = [mark for mark in old if (mark[0] == RETRY) is is_retry]
        now = [mark for mark in new if (mark[0] == RETRY) is is_retry]
        worst = max(now, default=None)
        if worst is None or (worst[0] <= max((rank for rank, _ in then), default=-1) and len(now) <= len(then)):
            continue
        kind = Kind.TOLERATED_FAILURE if is_retry else Kind.SKIPPED_TEST
        why = "failures are retried" if is_retry else "left out" if worst[0] == SKIP else "left out under a condition"
        found.append(_found(after, after.line, kind, "", worst[1], why))
    return found


def _judge_rows(before: Unit, after: Unit, world: World) -> list[Weakening]:
    """Cases that a table has lost, or that demand something else."""
    if not after.is_test and not _PROVIDERS & set(after.flat[:12]):
        return []
    old, new = Counter(before.all_rows), Counter(after.all_rows)
    lost, won = list((old - new).elements()), list((new - old).elements())
    fixtures = [world.helpers_after[name] for name in sorted(after.parameters & world.helpers_after.keys())]
    words = Counter(leaf for unit in (after, *fixtures) for leaf in unit.flat)
    found: list[Weakening] = []
    for row in lost:
        near = max(won, key=lambda other: _likeness(row, other), default=())
        if not near or _likeness(row, near) < 0.5:
            if literals_of(row) - words or (literals_of(row) and not won and not fixtures and len(new) < len(old)):
                found.append(_found(after, after.line, Kind.REMOVED_CASE, _short(row), "", "the case is gone"))
            continue
        won.remove(near)
        if not _skips(row) and _skips(near):
            found.append(
                _found(after, after.line, Kind.SKIPPED_TEST, _short(row), _short(near), "the case is left out")
            )
        elif _expects_otherwise(row, near):
            found.append(
                _found(
                    after,
                    after.line,
                    Kind.CHANGED_EXPECTATION,
                    _short(row),
                    _short(near),
                    "the case expects another value",
                )
            )
    return found


def _likeness(row: Tokens, other: Tokens) -> float:
    """How probably two rows are the same case; all values kept make up for what is written around them."""
    if len(row) == len(other) == 1 and is_string(row[0]) and is_string(other[0]):
        return similarity(tuple(row[0].split()), tuple(other[0].split()))
    spoken = literals_of(row)
    return max(similarity(row, other), 0.6 if spoken and spoken <= literals_of(other) else 0)


def _skips(row: Tokens) -> bool:
    return bool({"skip", "xfail", "skipif", "skipIf"} & set(row))


def _expects_otherwise(row: Tokens, near: Tokens) -> bool:
    """Whether the last value, or the one under a telling key, is another."""
    if literals_of(row) <= literals_of(near) and len(near) > len(row):
        return False
    if _is_shortened(row, near):
        return False
    plain, other = ([leaf for leaf in tokens if leaf not in ")]},"] for tokens in (row, near))
    if len(plain) != len(other):
        return (bool(literals_of(row) - literals_of(near)) and plain[:1] == other[:1]) or _keyed(row) != _keyed(near)
    if _keyed(row) or _keyed(near):
        return _keyed(row) != _keyed(near)
    return plain[-1] != other[-1] and (is_literal(plain[-1]) or is_literal(other[-1]))


def _is_shortened(row: Tokens, near: Tokens) -> bool:
    """Whether a column is gone and all else the same; what was asserted of it shows in the assertions."""
    rest = iter(row)
    return len(near) < len(row) and row[-2:] == near[-2:] and all(leaf in rest for leaf in near)


def _keyed(row: Tokens) -> list[Tokens]:
    """The tokens behind `want:`, `expected:` and the like."""
    return [
        row[index + 2 : index + 6]
        for index, leaf in enumerate(row[:-2])
        if row[index + 1] in (":", "=") and leaf.strip("\"'").lower().startswith(_EXPECTED_KEYS)
    ]


def _judge_ends(before: Unit, after: Unit) -> list[Weakening]:
    new = Counter(after.body.exits) - Counter(before.body.exits)
    return [
        _found(
            after, after.line, Kind.CANNOT_FAIL, "", text, "the test ends, or catches its own failure, whatever happens"
        )
        for text in sorted(new)
    ]


def _judge_patches(change: Change) -> list[Weakening]:
    """Stand-ins for the very thing that the claims look at."""
    old = {target for _, target in change.before.body.patches}
    used, ran = (
        {leaf for claim in unit.body.claims for leaf in claim.origin} | unit.body.calls
        for unit in (change.after, change.before)
    )
    found = []
    for call, target in change.after.body.patches:
        names = [part for leaf in target for part in leaf.strip("\"'`").split(".")]
        if target not in old and names and names[-1] in used & ran:
            found.append(
                _found(
                    change.after, change.after.line, Kind.MOCKED_SUBJECT, names[-1], call, "what is tested is replaced"
                )
            )
    return found


def _found(unit: Unit, line: int, kind: Kind, before: str, after: str, why: str) -> Weakening:
    return Weakening(unit.path, line or unit.line, kind, unit.qualified, before[:_MAX_TEXT], after[:_MAX_TEXT], why)


def _short(tokens: Tokens) -> str:
    return " ".join(tokens)[:_MAX_TEXT]
