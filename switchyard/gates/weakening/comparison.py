"""Compares a test with what it was, and says where what was proven went."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from switchyard.gates.weakening.cases import judge_rows
from switchyard.gates.weakening.conduct import (
    judge_ends,
    judge_expected_names,
    judge_loops,
    judge_marks,
    judge_patches,
)
from switchyard.gates.weakening.judging import is_vacuous, judge
from switchyard.gates.weakening.model import STRENGTHS, Claim, Kind, Tokens, Weakening
from switchyard.gates.weakening.pairing import match_claims
from switchyard.gates.weakening.tokens import is_literal, is_string, literals_of, names_of, number_of
from switchyard.gates.weakening.units import Unit

_MAX_TEXT = 160
_TIDYING = re.compile(r"_?(clean|tear|close|reset|shut|stop|setup|set_up|delete|destroy)", re.IGNORECASE)
"""Helpers that check only that they could do what they are for."""
_UNWRAPS = frozenset(("unwrap", "expect", "unwrap_err", "expect_err"))
"""Fail where a branch that panics stood."""
_MAX_ABLE = 200
"""Claims of one test that are tried for another's."""
_MAX_TRIES = 20_000
"""Tests that are tried in all for what deleted ones said in other words."""


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

    @staticmethod
    def _keys(helper: Claim) -> set[str]:
        """The names of its arguments, as the strings that they may stand for."""
        return {f'"{name}"' for name in names_of(helper.value)}

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
        told = [item for item in self.able if item.relation == "helper" and len(item.value) > 3]
        if len(spoken) > 1 and any(spoken <= {*literals_of(item.value), *self._keys(item)} for item in told):
            return True
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
    pairs, removed, added = match_claims(_without_repeats(old), _without_repeats(new))
    free = _free(after)
    added = added + [now for then, now in pairs if then.key != now.key and _says_more(then, now, free)]
    if removed:
        added = added + _inlined(before, after, world)
    return Change(before, after, pairs, removed, added)


def _free(unit: Unit) -> frozenset[str]:
    """Names that a table or a caller gives: what depends on them is no condition of the test's own."""
    return (unit.parameters - {"testing", "T", "B"}) | unit.body.loop_names


def _without_repeats(claims: Sequence[Claim]) -> list[Claim]:
    """A claim that is written twice in a row is one."""
    return [claim for index, claim in enumerate(claims) if not index or not _is_repeated(claims[index - 1], claim)]


def _is_repeated(one: Claim, other: Claim) -> bool:
    return replace(one, line=0) == replace(other, line=0) and 0 < other.line - one.line < 3


def _says_more(then: Claim, now: Claim, free: Collection[str]) -> bool:
    """Whether a claim may stand for several: a table's columns, a whole instead of its parts, a helper's arguments."""
    if now.relation == "helper":
        return bool(literals_of(now.value) - literals_of(then.value))
    whole = now.relation == "equal" and now.subject == then.subject[: len(now.subject)] != then.subject
    return bool(names_of(now.value) & set(free)) or whole


def claims_of(unit: Unit, helpers: Mapping[str, Unit]) -> list[Claim]:
    """A unit's own claims, and one for each helper that it calls and that claims something."""
    named = {claim.subject[0] for claim in unit.body.claims if claim.relation == "helper" and claim.subject}
    called = [
        Claim("helper", (name,), line=unit.line, origin=(name,))
        for name in sorted(unit.body.own_calls - named)
        if name in helpers and name != unit.name and not _TIDYING.match(name) and helpers[name].body.claims
    ]
    return [*unit.body.claims, *called]


def _inlined(before: Unit, after: Unit, world: World) -> list[Claim]:
    """What helpers claim that the test calls newly."""
    found: list[Claim] = []
    for name in sorted(after.body.calls - (before.body.calls & world.helpers_before.keys())):
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
    found = [*judge_marks(before, after), *judge_rows(before, after, world.helpers_after, world.renames)]
    free = _free(after)
    here = Offer(after, change.added, world.helpers_after)
    for old, new in change.pairs:
        verdict = judge(old, new, world.renames, free)
        if verdict is not None and not _is_said_otherwise(old, new, verdict[0], here, free):
            found.append(_found(after, new.line, verdict[0], old.text, new.text, verdict[1]))
    gone = [claim for claim in change.removed if not _is_kept(claim, here, offers, len(before.body.loops))]
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
    if not any(item.kind is Kind.CHANGED_EXPECTATION for item in found):
        found += judge_expected_names(before, after)
    return [*found, *judge_loops(before, after), *judge_ends(before, after), *judge_patches(before, after)]


def _is_said_otherwise(old: Claim, new: Claim, kind: Kind, here: Offer, free: Collection[str]) -> bool:
    """Whether the same values stand in a table now, or a weak claim made room for a strong one."""
    if kind is Kind.CHANGED_EXPECTATION and names_of(new.value) & set(free):
        return here.covers(old)
    if kind is Kind.CHANGED_EXPECTATION and old.relation == new.relation == "called_times":
        then, now = (number_of(claim.value[:1]) for claim in (old, new))
        more = sum(item.subject == new.subject and item.relation == "called_with" for item in here.added)
        return then is not None and now is not None and 0 < now - then <= more
    return kind is Kind.LOOSENED_ASSERTION and old.strength <= STRENGTHS["truth"] and any(
        item.strength > old.strength and item.subject[: len(old.subject)] == old.subject for item in here.added
    )  # fmt: skip


def _is_kept(claim: Claim, here: Offer, offers: Offers, loops: int) -> bool:
    """Whether what a test claimed is claimed otherwise; `loops` says how many loops it had."""
    if claim.is_dead or is_vacuous(claim) or (claim.relation == "no_raise" and here.unit.body.claims):
        return True
    if len(here.unit.body.loops) > loops and any(claim.key == item.key for item in here.unit.body.claims):
        return True
    return here.covers(claim) or _is_pointless(claim, here) or offers.say(claim, here.unit)


def _is_pointless(claim: Claim, here: Offer) -> bool:
    """A step of the set-up that is gone can't go wrong, and `raises` says what `fail()` behind a call did."""
    if claim.subject[:1] in (("assert_err",), ("assert_ok",)) and here.unit.body.calls & _UNWRAPS:
        return True
    if claim.relation == "reached":
        unwraps = here.unit.path.endswith(".rs") and bool(here.unit.body.calls & _UNWRAPS)
        return unwraps or any(item.relation == "raises" for item in here.unit.body.claims)
    of_step = (
        claim.relation == "equal" and claim.value == ("None",) and "".join(claim.subject[-1:]).lower().startswith("err")
    )
    is_made = bool(claim.maker) and claim.maker != claim.subject
    return of_step and is_made and bool(here.unit.body.claims) and not names_of(claim.maker) <= here.words


def _found(unit: Unit, line: int, kind: Kind, before: str, after: str, why: str) -> Weakening:
    return Weakening(unit.path, line or unit.line, kind, unit.qualified, before[:_MAX_TEXT], after[:_MAX_TEXT], why)


def _short(tokens: Tokens) -> str:
    return " ".join(tokens)[:_MAX_TEXT]
