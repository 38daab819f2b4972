"""Compares how a test is run and what it does around its claims: skips, retries, loops, ends, stand-ins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from switchyard.gates.weakening.bodies import RETRY, SKIP
from switchyard.gates.weakening.model import Kind, Weakening
from switchyard.gates.weakening.tokens import is_name, literals_of
from switchyard.gates.weakening.units import Unit

_MAX_TEXT = 160
_JOINED = frozenset(("or", "||", "all", "DisabledOnOs", "DisabledOnJre"))
"""What adds a condition to another under which a test is left out."""
_RETRYING = re.compile(r"(with_?retr(y|ies)|retry_?(until|assert)\w*|flaky|retrying)", re.IGNORECASE)
_EXPECTED_NAMES = ("expect", "want", "golden")
_PARTS = frozenset(("filter", "slice", "take", "skip", "limit", "head", "take_while", "skip_while", "takeWhile"))


def judge_marks(before: Unit, after: Unit) -> list[Weakening]:
    """Skips and retries that are new."""
    old, new = before.all_marks, after.all_marks if after.is_test else []
    found: list[Weakening] = []
    for is_retry in (True, False):
        then = [mark for mark in old if (mark[0] == RETRY) is is_retry]
        now = [mark for mark in new if (mark[0] == RETRY) is is_retry]
        worst = max(now, default=None)
        if not is_retry and (wider := _wider(then, now)):
            why = "left out under more conditions"
            found.append(_found(after, after.line, Kind.SKIPPED_TEST, "", wider, why))
            continue
        if worst is None or (worst[0] <= max((rank for rank, _ in then), default=-1) and len(now) <= len(then)):
            continue
        kind = Kind.TOLERATED_FAILURE if is_retry else Kind.SKIPPED_TEST
        why = "failures are retried" if is_retry else "left out" if worst[0] == SKIP else "left out under a condition"
        found.append(_found(after, after.line, kind, "", worst[1], why))
    return found


def _wider(then: Sequence[tuple[int, str]], now: Sequence[tuple[int, str]]) -> str:
    """A condition that leaves out where the old one did, and elsewhere; "" for none."""
    for _, text in now:
        words = set(text.split())
        for _, old in then:
            if set(old.split()) < words and _JOINED & words and text not in (other for _, other in then):
                return text
    return ""


def judge_expected_names(before: Unit, after: Unit) -> list[Weakening]:
    """Variables named after what is expected that hold other values now, where no claim shows it: a helper's loop."""
    shown = {
        leaf for unit in (before, after) for claim in unit.body.claims for leaf in (*claim.subject, *claim.expected)
    }
    found = []
    for name, then in before.body.bindings.items():
        now = after.body.bindings.get(name, then)
        lost = literals_of(then) - literals_of(now)
        if name.lower().startswith(_EXPECTED_NAMES) and name not in shown and lost and name in before.flat:
            why = "what is expected is another value"
            found.append(_found(after, after.line, Kind.CHANGED_EXPECTATION, _short(then), _short(now), why))
    lost_told = Counter(before.body.told) - Counter(after.body.told)
    new_told = Counter(after.body.told) - Counter(before.body.told)
    for callee, key, value in lost_told:
        near = [now for name, other, now in new_told if (name, other) == (callee, key)]
        if near:
            why = "what is expected is another value"
            found.append(_found(after, after.line, Kind.CHANGED_EXPECTATION, f"{key}={value}", f"{key}={near[0]}", why))
    return found


def judge_loops(before: Unit, after: Unit) -> list[Weakening]:
    """Loops that go over a part of what they went over."""
    old, new = Counter(before.body.loops), Counter(after.body.loops)
    lost, new = old - new, new - old
    found = []
    for then in lost if before.body.claims and after.body.claims else ():
        for now in new:
            rest = now[len(then) :] if now[: len(then)] == then else ()
            sliced = rest[:1] == ("[",) and ":" in rest
            filtered = rest[:1] == (".",) and (rest[1:2] == rest[1:] or rest[1] in _PARTS)
            if sliced or filtered:
                why = "fewer are looked at"
                found.append(_found(after, after.line, Kind.GUARDED_ASSERTION, _short(then), _short(now), why))
    muted = Counter(after.flat)["simplefilter"] > Counter(before.flat)["simplefilter"] and '"ignore"' in after.flat
    if muted and after.path.endswith(".py"):
        found.append(_found(after, after.line, Kind.TOLERATED_FAILURE, "", "simplefilter", "warnings no longer fail"))
    retries = {name for name in after.body.calls - before.body.calls if _RETRYING.fullmatch(name)}
    for name in sorted(retries) if before.is_test and before.body.claims else ():
        found.append(_found(after, after.line, Kind.TOLERATED_FAILURE, "", name, "failures are retried"))
    if "should_panic" in after.flat and "should_panic" not in before.flat and before.is_test and before.body.claims:
        why = "a failure is expected now"
        found.append(_found(after, after.line, Kind.CHANGED_EXPECTATION, "", "should_panic", why))
    return found


def judge_ends(before: Unit, after: Unit) -> list[Weakening]:
    stopped = (before.body.calls & after.body.dead_calls) - after.body.calls
    if stopped and not any(claim.is_dead for claim in after.body.claims):
        text = ", ".join(sorted(stopped))
        return [_found(after, after.line, Kind.CANNOT_FAIL, text, "", "what the test did is never reached")]
    new = Counter(after.body.exits) - Counter(before.body.exits)
    return [
        _found(
            after, after.line, Kind.CANNOT_FAIL, "", text, "the test ends, or catches its own failure, whatever happens"
        )
        for text in sorted(new)
    ]


def judge_patches(before: Unit, after: Unit) -> list[Weakening]:
    """Stand-ins for the very thing that the claims look at."""
    old = {target for _, target in before.body.patches}
    used, ran = (
        {leaf for claim in unit.body.claims for leaf in claim.origin} | unit.body.calls for unit in (after, before)
    )
    found = []
    for call, target in after.body.patches:
        names = [part for leaf in target for part in leaf.strip("\"'`").split(".")]
        if target not in old and names and is_name(names[-1]) and names[-1] in used & ran:
            found.append(_found(after, after.line, Kind.MOCKED_SUBJECT, names[-1], call, "what is tested is replaced"))
    return found


def _found(unit: Unit, line: int, kind: Kind, before: str, after: str, why: str) -> Weakening:
    return Weakening(unit.path, line or unit.line, kind, unit.qualified, before[:_MAX_TEXT], after[:_MAX_TEXT], why)


def _short(tokens: Sequence[str]) -> str:
    return " ".join(tokens)[:_MAX_TEXT]
