"""Finds the faults that could be put into lines of a file, by its syntax tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from switchyard.gates.mutation.dialects import (
    BOUNDARIES,
    COMPARISONS,
    DIALECTS,
    INEXACT,
    LOGGING,
    LOGIC,
    MESSAGES,
    OPERATIONS,
    OPERATORS,
    TEXTUAL,
    Dialect,
)
from switchyard.gates.mutation.model import MOST_TOLD, Mutant, Operator
from switchyard.gates.mutation.returns import changed_returns
from switchyard.gates.mutation.statements import changed_statements
from switchyard.gates.mutation.trees import Edit, replaced, text_of
from switchyard.gates.sources import is_docstring, language_of, parse

if TYPE_CHECKING:
    from tree_sitter import Node

_NUMBER = re.compile(r"(\d{1,9})(\.\d{1,9})?([A-Za-z]\w*)?")
_TEST_ATTRIBUTE = re.compile(r"#\[\s*(?:\w+::)*test\b|#\[\s*cfg\(.*\btest\b")
_LISTS = frozenset(("parameters", "formal_parameters", "argument_list", "arguments", "parenthesized_expression"))
_ARITHMETIC = frozenset(("+", "-", "*", "/", "%", "//", "**", "<<", ">>", "&", "|", "^", "+=", "-=", "*=", "/="))
_EXIT_CONDITION = re.compile(r"__name__|(typing\.)?TYPE_CHECKING$")


def mutants_of(path: str, source: bytes, lines: Collection[int]) -> list[Mutant]:
    """Every fault for these lines, in the order of the file; none where the file can't be read.

    Args:
        lines: Counted from 1; only what begins on one of them is changed.
    """
    language = language_of(path)
    root = parse(language, source) if language in DIALECTS else None
    if root is None or root.has_error:
        return []
    dialect, wanted = DIALECTS[language], frozenset(lines)
    found = [
        _mutant(path, edit)
        for node in _walk(root, dialect)
        if node.is_named
        for edit in _edits(node, dialect, language)
        if edit.node.start_point.row + 1 in wanted
    ]
    return sorted(set(found), key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))


def still_parses(mutant: Mutant, source: bytes) -> bool:
    """Whether the file with the fault in it is still one of its language."""
    return is_readable(mutant.path, mutant.put_into(source))


def is_readable(path: str, source: bytes) -> bool:
    """Whether faults can be looked for: the file is well formed, and neither too long nor nested too deeply."""
    language = language_of(path)
    root = parse(language, source) if language in DIALECTS else None
    return root is not None and not root.has_error


def _mutant(path: str, edit: Edit) -> Mutant:
    shown, start, end = edit.shown, edit.node.start_byte, edit.node.end_byte
    text = shown.text or b""
    after = (
        text[: start - shown.start_byte]
        + edit.replacement.encode("utf-8", "surrogateescape")
        + text[end - shown.start_byte :]
    )
    return Mutant(
        path=path,
        line=edit.node.start_point.row + 1,
        operator=edit.operator,
        start=start,
        end=end,
        replacement=edit.replacement.encode("utf-8", "surrogateescape"),
        before=_told(text),
        after="" if edit.operator == "statement" else _told(after),
    )


def _told(source: bytes) -> str:
    flat = " ".join(source.decode("utf-8", "replace").split())
    return flat if len(flat) <= MOST_TOLD else f"{flat[: MOST_TOLD - 1]}…"


def _walk(root: Node, dialect: Dialect) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if _is_left_alone(node, dialect):
            continue
        yield node
        inner = node.children
        if node.type in dialect.throws or _is_message(node, dialect):
            inner = []
        waiting.extend(reversed(inner))


def _is_left_alone(node: Node, dialect: Dialect) -> bool:
    if node.type in dialect.left_alone or is_docstring(node):
        return True
    if node.type in dialect.calls:
        return LOGGING.search(_callee(node)) is not None
    if node.type in ("mod_item", "function_item"):
        return _is_rust_test(node)
    if node.type == "if_statement":
        return _EXIT_CONDITION.match(text_of(node.child_by_field_name("condition"))) is not None
    return False


def _is_rust_test(node: Node) -> bool:
    before = node.prev_named_sibling
    while before is not None and before.type in ("attribute_item", "line_comment", "block_comment"):
        if _TEST_ATTRIBUTE.match(text_of(before)):
            return True
        before = before.prev_named_sibling
    return False


def _is_message(node: Node, dialect: Dialect) -> bool:
    return node.type in dialect.calls and MESSAGES.match(_callee(node)) is not None


def _callee(node: Node) -> str:
    """The text of what is called, without its arguments."""
    arguments = node.child_by_field_name("arguments")
    text = node.text or b""
    called = text[: arguments.start_byte - node.start_byte] if arguments is not None else text
    return called.decode("utf-8", "replace")[:200].strip()


def _edits(node: Node, dialect: Dialect, language: str) -> Iterator[Edit]:
    if node.type in OPERATIONS:
        yield from _operators(node, language)
    if node.type in dialect.not_operators:
        yield from _without_not(node)
    if node.type in dialect.conditions or node.type == "conditional_expression":
        yield from _negated(node, dialect)
    if node.type in dialect.truths:
        yield from _turned_truth(node, dialect)
    if node.type in dialect.numbers:
        yield from _next_number(node, dialect)
    if node.type in ("await", "await_expression") and language != "rust":
        yield replaced(node, text_of(node.named_children[-1]) if node.named_children else "", "await")
    yield from changed_returns(node, language)
    yield from changed_statements(node, dialect, language)


def _operators(node: Node, language: str) -> Iterator[Edit]:
    """`a < b` → `a <= b`, and the like; of a chain, each operator by itself."""
    for token in node.children:
        sign = token.type if not token.is_named else ""
        if token.type in ("is not", "not in"):
            sign = token.type
        if sign in ("is", "is not", "in", "not in") and language != "python":
            continue
        if sign in _ARITHMETIC and _is_textual(node):
            continue
        for other in OPERATORS.get(sign, ()):
            yield replaced(token, other, _operator_kind(sign, other), shown=node)


def _operator_kind(sign: str, other: str) -> Operator:
    if (sign, other) in BOUNDARIES:
        return "boundary"
    if sign in COMPARISONS:
        return "comparison"
    return "logic" if sign in LOGIC else "arithmetic"


def _is_textual(node: Node) -> bool:
    """Whether an operand, or an operand's operand, is a text or a list."""
    waiting = list(node.named_children)
    while waiting:
        operand = waiting.pop()
        if TEXTUAL.search(operand.type):
            return True
        if operand.type in OPERATIONS or operand.type in ("parenthesized_expression", "expression_list"):
            waiting.extend(operand.named_children)
    return False


def _without_not(node: Node) -> Iterator[Edit]:
    if node.children and node.children[0].type in ("not", "!") and node.named_children:
        operand = node.named_children[-1]
        inner = operand.children[0].type if operand.children else ""
        above = node.parent.children[0].type if node.parent is not None and node.parent.children else ""
        if inner not in ("not", "!") and above not in ("not", "!"):
            yield replaced(node, text_of(operand), "negation")


def _negated(node: Node, dialect: Dialect) -> Iterator[Edit]:
    """`if ready:` → `if not ready:`, where nothing in the condition could be changed by itself."""
    if node.type == "conditional_expression":
        condition = node.named_children[1] if len(node.named_children) == 3 else None
    else:
        condition = node.child_by_field_name(dialect.conditions[node.type])
    while condition is not None and condition.type == "parenthesized_expression" and condition.named_children:
        condition = condition.named_children[0]
    if condition is not None and condition.type in dialect.atoms:
        yield replaced(condition, f"{dialect.negation}{text_of(condition)}", "negation")


def _turned_truth(node: Node, dialect: Dialect) -> Iterator[Edit]:
    text = text_of(node)
    other = dialect.truths[node.type] or {"true": "false", "false": "true"}.get(text, "")
    if other and not _is_inexact(node, dialect) and node.is_named:
        yield replaced(node, other, "constant", shown=_shown_constant(node))


def _next_number(node: Node, dialect: Dialect) -> Iterator[Edit]:
    number = _NUMBER.fullmatch(text_of(node))
    if number is None or _is_inexact(node, dialect):
        return
    whole, rest, suffix = int(number[1]) + 1, number[2] or "", number[3] or ""
    if suffix[:1] in ("e", "E", "x", "b", "o", "j") or (number[1].startswith("0") and len(number[1]) > 1):
        return
    yield replaced(node, f"{whole}{rest}{suffix}", "constant", shown=_shown_constant(node))


def _is_inexact(node: Node, dialect: Dialect) -> bool:
    """Whether a constant stands where its value is a matter of taste, or must be like no other."""
    holder = node.parent
    while holder is not None and holder.type in ("expression_list", "literal_element", "unary_expression"):
        holder = holder.parent
    if holder is None:
        return False
    if holder.type in dialect.labels:
        return holder.named_children[0] == node or node.parent != holder
    name = holder.child_by_field_name(dialect.names[holder.type]) if holder.type in dialect.names else None
    return name is not None and name != node and INEXACT.search(text_of(name)) is not None


def _shown_constant(node: Node) -> Node:
    """A number by itself says nothing: what it stands in is shown, as long as that is short."""
    shown = node
    while shown.parent is not None and shown.parent.end_point.row == node.start_point.row:
        above = shown.parent
        if above.start_point.row != node.start_point.row or len(above.text or b"") > MOST_TOLD // 2:
            break
        if above.type in _LISTS and shown != node:
            break
        shown = above
    return shown
