"""Faults by leaving out: a call, a change of state, or an error that is no longer raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from switchyard.gates.mutation.dialects import LOGGING, Dialect
from switchyard.gates.mutation.trees import Edit, replaced, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_BLOCKS = frozenset(("block", "statement_block", "statement_list", "module", "program", "constructor_body"))
_TALLIES = frozenset(
    (
        *("augmented_assignment", "augmented_assignment_expression", "compound_assignment_expr"),
        *("update_expression", "inc_statement", "dec_statement"),
    )
)
_ASSIGNMENTS = frozenset(("assignment", "assignment_expression", "assignment_statement"))
_DEFERRED = frozenset(("defer_statement", "go_statement", "send_statement", "delete_statement"))
_WRAPPERS = frozenset(("await", "await_expression", "try_expression"))
_ENDINGS = re.compile(r"(panic|os\.Exit|\w*log\.Fatal\w*|super|this|System\.exit|(std::)?process(\.|::)exit)$")
"""Calls after which nothing comes: code may not compile without them."""
_DEFINITIONS = re.compile(r"^(arrow_function|function\w*|class\w*|lambda\w*|generator_function)$")
_EXPORTS = re.compile(r"(module\.)?exports\b")


def changed_statements(node: Node, dialect: Dialect, language: str) -> Iterator[Edit]:
    """A statement that does something, taken out; what compiles only with it stays compiled."""
    if not node.is_named or node.parent is None or node.parent.type not in _BLOCKS:
        return
    if node.type in dialect.throws:
        if _is_guard(node, dialect):
            yield _removed(node, dialect)
        return
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else node
    # In Rust what is no statement is the block's value.
    if language == "rust" and inner is node:
        return
    if _is_effect(inner, dialect):
        yield _removed(node, dialect)


def _removed(node: Node, dialect: Dialect) -> Edit:
    return replaced(node, dialect.removal.format(text_of(node)), "statement")


def _is_effect(node: Node, dialect: Dialect) -> bool:
    while node.type in _WRAPPERS and node.named_children:
        node = node.named_children[-1] if node.type != "try_expression" else node.named_children[0]
    if node.type in dialect.calls:
        return not (LOGGING.search(_called(node)) or _ENDINGS.match(_called(node)))
    if node.type in _TALLIES or node.type in _DEFERRED:
        return True
    if node.type in _ASSIGNMENTS:
        if any(child.type in ("+=", "-=", "*=", "/=") for child in node.children):
            return True
        left = node.child_by_field_name("left")
        if left is not None and left.type == "expression_list" and len(left.named_children) == 1:
            left = left.named_children[0]
        return left is not None and left.type in dialect.targets and not (_is_definition(node) or _is_first(node))
    return False


def _is_definition(node: Node) -> bool:
    """Whether something is named here rather than changed: a function, or what a module gives to others."""
    right = node.child_by_field_name("right")
    if right is None or _DEFINITIONS.search(right.type):
        return True
    return _EXPORTS.match(text_of(node.child_by_field_name("left"))) is not None


def _is_first(node: Node) -> bool:
    """Whether a constructor in Java gives a field its value, which it may have to."""
    statement = node.parent
    return statement is not None and statement.parent is not None and statement.parent.type == "constructor_body"


def _called(node: Node) -> str:
    arguments = node.child_by_field_name("arguments")
    text = text_of(node)
    return text.partition("(")[0].strip() if arguments is not None else text


def _is_guard(node: Node, dialect: Dialect) -> bool:
    """Whether an error is raised on a condition, with more code after it."""
    block = node.parent
    branch = block.parent if block is not None else None
    if branch is None or branch.type not in ("if_statement", "elif_clause", "else_clause"):
        return False
    return dialect.has_removable_throws or _goes_on_after(branch)


def _goes_on_after(branch: Node) -> bool:
    """Whether statements follow an `if` without `else`, so that code compiles when it does not end there."""
    return branch.child_by_field_name("alternative") is None and branch.next_named_sibling is not None
