"""Whether one claim asks less than the one that it stands for."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from difflib import SequenceMatcher

from switchyard.gates.weakening.conditions import MATCHES_ALL, is_tautology
from switchyard.gates.weakening.model import STRENGTHS, Claim, Kind, Tokens
from switchyard.gates.weakening.tokens import (
    is_constant,
    is_literal,
    is_name,
    is_number,
    number_of,
    roots_of,
    split_top,
    string_value,
    without_parentheses,
    words_of,
)

Verdict = tuple[Kind, str]
"""What was done, and why it counts."""

_ANYTHING = words_of(
    "ANY anything any objectContaining arrayContaining stringContaining stringMatching isA anyString anyInt"
    " anyLong anyList anyMap notNull Anything AnythingOfType MatchedBy _ IgnoringCase"
)
_BROAD_ERRORS = frozenset(("Exception", "BaseException", "Throwable", "Error", "RuntimeException"))
_COARSE_WHEN_SMALL = frozenset(("places", "decimal", "digits", "precision", "significant", "numDigits"))
_OPPOSED = frozenset(
    frozenset(pair)
    for pair in (
        ("truth", "falsy"),
        ("truthy", "falsy"),
        ("contains", "excludes"),
        ("called", "uncalled"),
        ("called_with", "uncalled"),
        ("called_times", "uncalled"),
        ("raises", "no_raise"),
    )
)
_EXITS = (("not",), ("unless",))
"""What begins a guard that stands for leaving early; with `unless`, where nothing else is done on the way out."""
_BOUNDS = ((">",), (">=",), ("<",), ("<=",))
_PREDICATES = frozenset(("matches", "starts_or_ends", "close", "type", "contains", "pattern"))
_EMPTY = (("[", "]"), ("{", "}"), ("0",), ('""',))
"""Equal to these and falsy are the same to most writers."""
_COARSENED = frozenset(
    (name, "(") for name in ("set", "frozenset", "sorted", "bool", "type", "any", "all", "Set", "round", "int", "abs")
)
"""What takes order, number or kind from a value before it is compared."""
_STAND_INS = ("mock", "stub", "fake", "dummy")


def judge(before: Claim, after: Claim, renames: dict[str, str], free: Collection[str]) -> Verdict | None:
    """What became of a claim, or None where it asks as much as before.

    Args:
        before: The base's.
        after: The change's that stands for it.
        renames: Names that the change replaced throughout.
        free: Names whose conditions are no guard: a test's parameters, what a loop goes over.
    """
    if before.relation == "equal" == after.relation and before.expected and _is_turned(before, after):
        before = replace(
            before, subject=before.expected, expected=before.subject, origin=before.value, value=before.origin
        )
    return (
        _reach(before, after, free)
        or _substance(before, after)
        or _tolerance(before, after)
        or _expectation(before, _renamed(before.value, renames), after)
    )


def _is_turned(before: Claim, after: Claim) -> bool:
    """Whether what was taken for the expected side is now looked at."""
    start = len(before.expected)
    return before.subject == after.expected and after.subject[:start] == before.expected and before.subject != ("None",)


def _reach(before: Claim, after: Claim, free: Collection[str]) -> Verdict | None:
    if after.is_dead and not before.is_dead:
        return Kind.CANNOT_FAIL, "the assertion is never reached"
    if after.is_swallowed and not before.is_swallowed:
        return Kind.CANNOT_FAIL, "a failure of the assertion is caught"
    if is_vacuous(after) and not is_vacuous(before):
        return Kind.CANNOT_FAIL, "the assertion holds of anything"
    if len(after.guards) > len(before.guards):
        added = [guard for guard in after.guards if guard not in before.guards]
        bound = [guard for guard in added if guard[0] == "unless" or not roots_of(guard) & set(free)]
        if bound:
            return Kind.GUARDED_ASSERTION, f"asserted only under the condition: {_told(bound[0])}"
    for then, now in zip(before.guards, after.guards, strict=False):
        if _is_narrower(then, now) and not roots_of(now) & set(free):
            return Kind.GUARDED_ASSERTION, f"asserted under fewer conditions: {_told(now)}"
    return None


def _told(guard: Tokens) -> str:
    return " ".join(("not", *guard[1:]) if guard[:1] == ("unless",) else guard)


def _is_narrower(then: Tokens, now: Tokens) -> bool:
    """Whether a guard lets less through than it did: one more `and`, or one `or` fewer; the reverse behind `not`."""
    if then == now:
        return False
    if then[:1] in _EXITS and now[:1] in _EXITS:
        return _is_narrower(now[1:], then[1:])
    then, now = without_parentheses(then), without_parentheses(now)
    every, each = (set(split_top(tokens, ("and", "&&"))) for tokens in (then, now))
    any_of, some = (set(split_top(tokens, ("or", "||"))) for tokens in (then, now))
    return every < each or (some < any_of and bool(some))


def is_vacuous(claim: Claim) -> bool:
    """True of anything as written, or once variables stand for what they were given."""
    if is_tautology(claim):
        return True
    resolved = Claim(claim.relation, claim.origin, claim.value)
    is_same = claim.relation == "truth" or claim.origin == claim.value
    return is_same and claim.relation in ("equal", "truth", "close") and is_tautology(resolved)


def _substance(before: Claim, after: Claim) -> Verdict | None:
    of_calls = after.relation in ("called", "called_with", "called_times", "uncalled")
    looked_at = (*before.maker, *before.subject, *before.origin, *before.value)
    if not of_calls and _is_stand_in(after.maker) and not _is_stand_in(looked_at):
        return Kind.MOCKED_SUBJECT, "what is looked at is now a stand-in"
    if frozenset((before.relation, after.relation)) in _OPPOSED or _is_denied(before, after):
        return Kind.CHANGED_EXPECTATION, "the opposite is expected"
    if after.strength < before.strength and not (after.relation == "falsy" and before.expected in _EMPTY):
        return Kind.LOOSENED_ASSERTION, f"{_word(before)} became {_word(after)}"
    if after.subject[:2] in _COARSENED and before.subject == after.subject[2:-1]:
        return Kind.LOOSENED_ASSERTION, f"only {after.subject[0]}(…) of it is looked at"
    if len(_any_of(after.value)) > len(_any_of(before.value)):
        return Kind.LOOSENED_ASSERTION, "a value became a wildcard"
    return None


def _is_denied(before: Claim, after: Claim) -> bool:
    """Whether `not x.matches(y)` became `x.matches(y)`, or the reverse."""
    one, other = (before, after) if before.relation == "falsy" else (after, before)
    if one.relation != "falsy" or other.relation not in _PREDICATES:
        return False
    said, held = (
        {leaf for leaf in tokens if is_name(leaf) or is_literal(leaf)}
        for tokens in (one.subject, (*other.subject, *other.expected))
    )
    # The method's own name stands in the relation.
    return held <= said and len(said - held) <= 1


def _word(claim: Claim) -> str:
    return claim.relation.replace("_", " ")


def _is_stand_in(tokens: Tokens) -> bool:
    return tokens[-1:] in (("fn",), ("spyOn",)) or any(
        word in leaf.lower() for leaf in tokens if is_name(leaf) for word in _STAND_INS
    )


def _any_of(tokens: Tokens) -> list[str]:
    return [leaf for leaf in tokens if leaf in _ANYTHING]


def _tolerance(before: Claim, after: Claim) -> Verdict | None:
    if before.relation == after.relation == "bound" and before.expected[0][0] == after.expected[0][0]:
        old, new = number_of(before.value[1:]), number_of(after.value[1:])
        if old is not None and new is not None and old != new:
            wider = new > old if before.expected[0][0] == "<" else new < old
            return (Kind.WIDENED_TOLERANCE, "the bound lets more through") if wider else None
    if before.relation == after.relation == "called_with" and after.options != before.options:
        loose = any("atLeast" in value or "atMost" in value for _, value in after.options)
        kind = Kind.LOOSENED_ASSERTION if loose else Kind.CHANGED_EXPECTATION
        return kind, "it may be called more or less often"
    if "close" not in (before.relation, after.relation) or before.relation != after.relation:
        return None
    old_options, new_options = dict(before.options), dict(after.options)
    for name in sorted(old_options.keys() | new_options.keys()):
        old, new = _number(old_options.get(name)), _number(new_options.get(name))
        if old is None and new is None:
            continue
        if new is None:
            return (Kind.WIDENED_TOLERANCE, f"the tolerance {name} is gone") if name not in new_options else None
        coarse = name in _COARSE_WHEN_SMALL
        limit = old if old is not None else (7 if coarse else 0)
        if (new < limit) if coarse else (new > limit and (old is not None or not old_options)):
            return Kind.WIDENED_TOLERANCE, f"the tolerance {name} is wider"
    return None


def _number(text: str | None) -> float | None:
    found = [leaf for leaf in (text or "").split() if is_number(leaf)]
    return number_of((found[0],)) if len(found) == 1 else None


def _renamed(tokens: Tokens, renames: dict[str, str]) -> Tokens:
    return tuple(renames.get(leaf, leaf) for leaf in tokens)


def _expectation(before: Claim, expected: Tokens, after: Claim) -> Verdict | None:
    if before.relation != after.relation:
        return _across_relations(before, expected, after)
    if after.relation in ("truth", "falsy", "truthy", "helper", "reached", "either"):
        return _within_subject(before, after)
    if expected == after.value or (before.expected == after.expected and before.relation != "equal"):
        return None
    if after.relation == "raises":
        return _error(expected, after.value)
    if after.relation in ("contains", "matches", "starts_or_ends"):
        return _part(expected, after.value)
    if after.relation in ("bound", "length_bound"):
        return _bound(expected, after)
    if not _demands_otherwise(before, expected, after):
        return None
    return Kind.CHANGED_EXPECTATION, "another value is expected"


def _across_relations(before: Claim, expected: Tokens, after: Claim) -> Verdict | None:
    if STRENGTHS[after.relation] > STRENGTHS[before.relation]:
        return None
    if (
        expected
        and after.value
        and not _same_words(expected, after.value)
        and _literals(expected) - _literals(after.value)
    ):
        return Kind.CHANGED_EXPECTATION, "another value is expected"
    return None


def _within_subject(before: Claim, after: Claim) -> Verdict | None:
    """A predicate holds its expected value inside; a change of strings or numbers there counts."""
    old, new = (*before.subject, *before.expected), (*after.subject, *after.expected)
    if _is_lower_bound(old, new):
        return Kind.WIDENED_TOLERANCE, "the bound lets more through"
    if len(old) != len(new) or before.relation == "reached":
        return None
    changed = [(one, other) for one, other in zip(old, new, strict=True) if one != other]
    if changed and all(is_literal(one) and is_literal(other) for one, other in changed):
        return Kind.CHANGED_EXPECTATION, "another value is expected"
    places = [index for index, leaf in enumerate(old) if leaf != new[index]]
    if places and all(old[index - 2 : index] == ("any", "(") for index in places):
        return Kind.CHANGED_EXPECTATION, "another type is expected"
    return None


def _is_lower_bound(old: Tokens, new: Tokens) -> bool:
    """Whether a bound somewhere inside a predicate became `> 0` or the like."""
    same = next((index for index, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(new))
    start = same if new[same : same + 1] in _BOUNDS else same - 1
    return old[start : start + 1] in _BOUNDS and new[start : start + 1] in _BOUNDS and (
        new[start][0] == old[start][0] == ">" and new[start + 1 : start + 2] in (("0",), ("1",))
        and old[start + 1 : start + 2] not in (("0",), ("1",)))  # fmt: skip


def _error(expected: Tokens, value: Tokens) -> Verdict | None:
    if not expected:
        return None
    if not value or (set(value) & _BROAD_ERRORS and not set(expected) & _BROAD_ERRORS):
        return Kind.LOOSENED_ASSERTION, "any error will do"
    if set(expected) < set(value):
        return Kind.LOOSENED_ASSERTION, "more kinds of error will do"
    return (Kind.CHANGED_EXPECTATION, "another error is expected") if not _same_words(expected, value) else None


def _part(expected: Tokens, value: Tokens) -> Verdict | None:
    old, new = string_value(expected), string_value(value)
    if _is_looser(expected, value):
        return Kind.LOOSENED_ASSERTION, "the pattern matches more"
    if old is None or new is None:
        changed = _literals(expected) - _literals(value)
        return (Kind.CHANGED_EXPECTATION, "another part is expected") if changed else None
    if new in MATCHES_ALL:
        return Kind.CANNOT_FAIL, "the pattern matches anything"
    if new != old and new in old:
        return Kind.LOOSENED_ASSERTION, "a shorter part is looked for"
    return None if old in new else (Kind.CHANGED_EXPECTATION, "another part is expected")


def _is_looser(expected: Tokens, value: Tokens) -> bool:
    """Whether nothing but wildcards and quantifiers was put into the pattern that comes first."""
    old, new = string_value(expected[:1]), string_value(value[:1])
    if not old or not new or old == new or max(len(old), len(new)) > 2000:
        return False
    cuts = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changed = [(old[i1:i2], new[j1:j2]) for tag, i1, i2, j1, j2 in cuts if tag != "equal"]
    return all(re.fullmatch(r"[?*|.+()\[\]\\dwsDWS]+", put) and not gone.strip("+") for gone, put in changed)


def _bound(expected: Tokens, after: Claim) -> Verdict | None:
    if expected[0][0] != after.value[0][0]:
        return Kind.CHANGED_EXPECTATION, "the bound points the other way"
    old, new = number_of(expected[1:]), number_of(after.value[1:])
    if old is None or new is None:
        return None
    if old == new:
        wider = len(after.value[0]) > len(expected[0])
    else:
        wider = new > old if after.value[0][0] == "<" else new < old
    return (Kind.WIDENED_TOLERANCE, "the bound lets more through") if wider else None


def _demands_otherwise(before: Claim, expected: Tokens, after: Claim) -> bool:
    """Whether the value itself is another, and not only the way in which it is written or made."""
    if _same_words(expected, after.value) or _spells_the_same(before.expected, after.expected):
        return False
    if (before.origin, expected) == (after.value, after.origin):
        return False
    lost = _literals(expected) - _literals(after.value)
    if len(expected) == 1 and is_literal(expected[0]) and "+" in after.value and len(_literals(after.value)) > 1:
        return True
    if before.subject == after.subject and expected[:1] == after.value[:1] == ("{",) and not lost:
        return bool(_literals(after.value) - _literals(expected))
    if before.subject == after.subject and expected[:1] == ("[",) and "{" not in expected and not lost:
        return sorted(expected) == sorted(after.value)
    if before.expected == after.expected:
        named = any(word in leaf.lower() for leaf in after.expected for word in ("expect", "want", "golden"))
        return bool(lost) and (named or is_constant(expected) or is_constant(after.value))
    return bool(lost) or _names_otherwise(expected, after.value)


def _names_otherwise(expected: Tokens, value: Tokens) -> bool:
    """Whether a member or a constant took the place of another: `State.CANCELLED` and `State.PLACED`."""
    if len(expected) != len(value):
        return False
    changed = [index for index, leaf in enumerate(expected) if leaf != value[index]]
    called = [index for index in changed if expected[index + 1 : index + 2] == ("(",)]
    first = changed[0] if changed else 0
    is_member = first > 0 and expected[first - 1] in (".", "::")
    return bool(changed) and not called and (is_member or expected[first][:1].isupper())


def _spells_the_same(one: Tokens, other: Tokens) -> bool:
    """Whether the strings hold the same text, joined by `+` in one and put into a template in the other."""
    texts = ["".join(filter(None, (string_value((leaf,)) for leaf in tokens))) for tokens in (one, other)]
    # What draws a snapshot in line indents it as the code around it.
    drop = str.strip if one[:1] and one[0][:1] == "`" else str.rstrip
    if "\n" in texts[0] and list(map(drop, texts[0].split("\n"))) == list(map(drop, texts[1].split("\n"))):
        return True
    is_template = any(leaf[:1] in ("f", "`") for leaf in (*one, *other) if string_value((leaf,)) is not None)
    return is_template and texts[0] == texts[1] != ""


def _same_words(one: Tokens, other: Tokens) -> bool:
    """Equal but for brackets and quoting."""
    return [leaf for leaf in one if leaf not in "()[]{},"] == [leaf for leaf in other if leaf not in "()[]{},"]


def _literals(tokens: Tokens) -> set[str]:
    return {leaf for leaf in tokens if is_literal(leaf)}
