"""Flat leaf lists: what is compared, whichever language it was written in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

from switchyard.gates.weakening.model import Tokens

_OPENERS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = frozenset(_OPENERS.values())
CONSTANTS = frozenset(("True", "False", "None", "true", "false", "null", "nil", "undefined", "NaN"))
_MAX_COMPARED = 400
"""Tokens: beyond them two pieces of source are taken for alike by their beginnings."""
_PLACEHOLDER = re.compile(r"\$?\{[^{}]*\}")
_MEMBERS = ((".",), ("?.",), ("::",))
_PREFIXES = "rRbBuUfF@$"


def words_of(text: str) -> frozenset[str]:
    """A vocabulary, written as words between blanks."""
    return frozenset(text.split())


def is_string(leaf: str) -> bool:
    return (leaf.lstrip(_PREFIXES)[:1] in ('"', "'", "`") and len(leaf) > 1) or leaf.startswith(('r#"', 'br#"'))


def is_number(leaf: str) -> bool:
    return leaf[:1].isdigit() or (leaf[:1] == "." and leaf[1:2].isdigit())


def is_literal(leaf: str) -> bool:
    return leaf in CONSTANTS or is_number(leaf) or is_string(leaf)


def is_name(leaf: str) -> bool:
    return (leaf[:1].isalpha() or leaf[:1] in "_$") and leaf not in CONSTANTS and not is_string(leaf)


def literals_of(tokens: Tokens) -> Counter[str]:
    return Counter(leaf for leaf in tokens if is_literal(leaf))


def names_of(tokens: Tokens) -> set[str]:
    return {leaf for leaf in tokens if is_name(leaf)}


def roots_of(tokens: Tokens) -> set[str]:
    """The names that are no members of others."""
    return {leaf for index, leaf in enumerate(tokens) if is_name(leaf) and tokens[index - 1 : index] not in _MEMBERS}


def is_constant(tokens: Tokens) -> bool:
    """Whether nothing but literals stands here: `5`, `[1, "a"]`, `-0.5`."""
    return any(map(is_literal, tokens)) and not any(map(is_name, tokens))


def string_value(tokens: Tokens) -> str | None:
    """What is between the quotes of a single string literal, without what is put in when it runs."""
    if len(tokens) != 1 or not is_string(tokens[0]):
        return None
    text = tokens[0].lstrip(_PREFIXES).strip("\"'`#")
    formatted = "f" in tokens[0][:2].lower() or tokens[0][:1] == "`"
    return _PLACEHOLDER.sub("", text) if formatted else text


def number_of(tokens: Tokens) -> float | None:
    """The value of a numeric literal with its sign, whatever suffix it carries."""
    negative = tokens[:1] == ("-",)
    rest = tokens[1:] if negative else tokens
    if len(rest) != 1 or not is_number(rest[0]):
        return None
    text = rest[0].replace("_", "")
    for suffix in ("", "f", "F", "d", "D", "L", "l", "n", "f64", "f32", "u8", "u32", "u64", "usize", "i32", "i64"):
        try:
            value = float(text.removesuffix(suffix) if suffix else text)
        except ValueError:
            continue
        return -value if negative else value
    return None


def walk_top(tokens: Tokens) -> Iterator[tuple[int, str]]:
    """(index, leaf) of the tokens that stand outside all brackets."""
    depth = 0
    for index, leaf in enumerate(tokens):
        if leaf in _CLOSERS:
            depth -= 1
        if depth == 0 and leaf not in _CLOSERS:
            yield index, leaf
        if leaf in _OPENERS:
            depth += 1


def split_top(tokens: Tokens, separators: Collection[str]) -> list[Tokens]:
    """The pieces between separators outside all brackets; empty pieces are left out."""
    pieces, start = [], 0
    for index, leaf in walk_top(tokens):
        if leaf in separators:
            pieces.append(tokens[start:index])
            start = index + 1
    pieces.append(tokens[start:])
    return [piece for piece in pieces if piece]


def close_of(tokens: Tokens, opening: int) -> int:
    """The index of the bracket that closes the one at `opening`, or the end."""
    depth = 0
    for index in range(opening, len(tokens)):
        if tokens[index] in _OPENERS:
            depth += 1
        elif tokens[index] in _CLOSERS:
            depth -= 1
            if depth == 0:
                return index
    return len(tokens)


def without_parentheses(tokens: Tokens) -> Tokens:
    while tokens[:1] == ("(",) and close_of(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


Link = tuple[str, list[Tokens] | None]
"""A name in a chain of calls, and its arguments; None where it isn't called."""


def chain_of(tokens: Tokens) -> list[Link]:
    """`expect(x).not.toBe(y)` as links; [] where the tokens are no such chain.

    Type arguments and the marks of macros and optional calls are passed over.
    """
    links: list[Link] = []
    index, end = 0, len(tokens)
    while index < end:
        leaf = tokens[index]
        if is_name(leaf):
            links.append((leaf, None))
        elif leaf == "(" and links:
            closing = close_of(tokens, index)
            links[-1] = (links[-1][0], split_top(tokens[index + 1 : closing], (",",)))
            index = closing
        elif leaf == "[" and links:
            index = close_of(tokens, index)
        elif leaf == "<" and links:
            while index < end and tokens[index] != ">":
                index += 1
        elif leaf not in (".", "?.", "::", "!", "&", "*", "?", "await", "new"):
            return []
        index += 1
    return links


def similarity(one: Tokens, other: Tokens) -> float:
    """Dice's coefficient of the two bags of tokens, 0 to 1."""
    if not one and not other:
        return 1.0
    one, other = one[:_MAX_COMPARED], other[:_MAX_COMPARED]
    return dice(Counter(one), Counter(other))


def dice(one: Counter[str], other: Counter[str]) -> float:
    """Dice's coefficient of two bags."""
    return 2 * (one & other).total() / max(1, one.total() + other.total())
