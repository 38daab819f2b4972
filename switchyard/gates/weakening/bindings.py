"""What variables stand for: tokens with names replaced by what they were given, and the elements of list literals."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from switchyard.gates.weakening.model import Tokens
from switchyard.gates.weakening.tokens import close_of, is_name, split_top

_MAX_ROWS = 2000
_MAX_VALUE = 120
_MAX_RESOLVED = 600
"""Tokens: beyond them a variable keeps its name."""
_TABLE = re.compile(r"(test_?)?cases|tests|tcs|scenarios", re.IGNORECASE)
_HOLE = re.compile(r"\$?\{(\w+)\}")


def resolve(tokens: Tokens, bindings: Mapping[str, Tokens], depth: int = 2) -> Tokens:
    """The tokens with each variable replaced by what it was given; members and keywords keep their names."""
    found: list[str] = []
    for index, leaf in enumerate(tokens):
        value = bindings.get(leaf)
        before, after = tokens[index - 1] if index else "", tokens[index + 1] if index + 1 < len(tokens) else ""
        if value is None or before in (".", "::", "->", "?.") or after in ("=", ":") or len(value) > _MAX_VALUE:
            found.append(_filled(leaf, bindings))
        elif leaf in value or not depth:
            found.extend(value if leaf not in value else (leaf,))
        else:
            found.extend(resolve(value, bindings, depth - 1))
    return tuple(found) if len(found) <= _MAX_RESOLVED else tokens


def _filled(leaf: str, bindings: Mapping[str, Tokens]) -> str:
    """A template with each hole that names a constant string filled: `${version}` of the file's head."""
    if leaf[:1] not in ("`", "f") or "{" not in leaf:
        return leaf
    return _HOLE.sub(lambda hole: " ".join(bindings.get(hole[1], (hole[0],))), leaf)


def maker_of(tokens: Tokens, bindings: Mapping[str, Tokens]) -> Tokens:
    """`mock` for `service.rate()` after `service = mock(RateService.class)`."""
    for _ in range(4):
        root = next((leaf for leaf in tokens if is_name(leaf) and leaf not in ("await", "new", "not")), "")
        value = bindings.get(root)
        if value is None or root in value:
            break
        tokens = value
    ends = [index for index, leaf in enumerate(tokens) if leaf in ("(", "{")]
    return tokens[: ends[0]] if ends else tokens


def rows_elsewhere(bindings: Mapping[str, Tokens], loops: Collection[Tokens], text: bytes) -> list[Tokens]:
    """The rows of tables that the body hands to a function instead of going over them."""
    handed = [name for name in bindings if _TABLE.fullmatch(name) and (name,) not in loops and name.encode() in text]
    return [row for name in handed for row in rows_of(bindings[name])]


def is_no_range(tokens: Tokens) -> bool:
    """Whether a loop over it never turns: `range(0)`, `0..0`, `rows[:0]`, `rows.slice(0, 0)`."""
    if tokens[-4:] == ("[", ":", "0", "]") or tokens[-6:] in ((".", "slice", "(", "0", ")"), ("(", "0", ",", "0", ")")):
        return True
    return tokens in (("range", "(", "0", ")"), ("range", "(", "0", ",", "0", ")"), ("0", "..", "0"), ("1", "..", "1"))


def rows_of(tokens: Tokens) -> list[Tokens]:
    """The elements of a list literal, whatever type is written before it; [] for anything else."""
    while len(tokens) > 4 and tokens[-2:] == ("(", ")") and tokens[-4] in (".", "::"):
        tokens = tokens[:-4]
    group = _last_group(tokens)
    rows = split_top(group, (",",)) if group else []
    return rows if len(rows) <= _MAX_ROWS else []


def _last_group(tokens: Tokens) -> Tokens:
    group: Tokens = ()
    index = 0
    while index < len(tokens):
        if tokens[index] in ("(", "[", "{"):
            closing = close_of(tokens, index)
            group = tokens[index + 1 : closing]
            index = closing
        index += 1
    return group if tokens and tokens[-1] in (")", "]", "}") else ()
