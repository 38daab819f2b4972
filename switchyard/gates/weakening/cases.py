"""Compares the cases that a test is run with: rows of tables, parameters, what a provider gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from switchyard.gates.weakening.model import Kind, Tokens, Weakening
from switchyard.gates.weakening.tokens import is_literal, is_string, literals_of, similarity
from switchyard.gates.weakening.units import Unit

_PROVIDERS = frozenset(("Stream", "Arguments", "Collection", "Iterable", "DataProvider"))
"""What methods return that give JUnit its cases."""
_EXPECTED_KEYS = ("want", "expect", "output", "result", "out", "exp", "err")
_MAX_TEXT = 160


def judge_rows(before: Unit, after: Unit, helpers: Mapping[str, Unit], renames: Mapping[str, str]) -> list[Weakening]:
    """Cases that a table has lost, or that demand something else."""
    if not after.is_test and not _PROVIDERS & set(after.flat[:12]):
        return []
    old, new = (Counter(_renamed(unit.all_rows, renames)) for unit in (before, after))
    lost, won = list((old - new).elements()), list((new - old).elements())
    fixtures = [helpers[name] for name in sorted(after.parameters & helpers.keys())]
    words = Counter(leaf for unit in (after, *fixtures) for leaf in unit.flat)
    found: list[Weakening] = []
    for row in lost:
        near = max(won, key=lambda other: _likeness(row, other), default=())
        if not near or _likeness(row, near) < 0.5:
            if literals_of(row) - words or (literals_of(row) and not won and not fixtures and len(new) < len(old)):
                found.append(_found(after, Kind.REMOVED_CASE, row, (), "the case is gone"))
            continue
        won.remove(near)
        if not _skips(row) and _skips(near):
            found.append(_found(after, Kind.SKIPPED_TEST, row, near, "the case is left out"))
        elif _expects_otherwise(row, near):
            found.append(_found(after, Kind.CHANGED_EXPECTATION, row, near, "the case expects another value"))
    return found


def _renamed(rows: Sequence[Tokens], renames: Mapping[str, str]) -> list[Tokens]:
    return [tuple(renames.get(leaf, leaf) for leaf in row) for row in rows] if renames else list(rows)


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


def _found(unit: Unit, kind: Kind, before: Tokens, after: Tokens, why: str) -> Weakening:
    return Weakening(unit.path, unit.line, kind, unit.qualified, _short(before), _short(after), why)


def _short(tokens: Tokens) -> str:
    return " ".join(tokens)[:_MAX_TEXT]
