"""Edits of a syntax tree, and small questions to its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from switchyard.gates.mutation.model import Operator

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True)
class Edit:
    """A node whose text is replaced."""

    node: Node
    replacement: str
    operator: Operator
    shown: Node
    """The node whose text is told before and after."""


def replaced(node: Node, replacement: str, operator: Operator, shown: Node | None = None) -> Edit:
    return Edit(node, replacement, operator, shown or node)


def text_of(node: Node | None) -> str:
    """The source of a node; invalid bytes stand as surrogates, and come back as they were."""
    return (node.text or b"").decode("utf-8", "surrogateescape") if node is not None else ""


def above(node: Node, kinds: frozenset[str]) -> Node | None:
    """The nearest node around one that is of these types."""
    outer = node.parent
    while outer is not None and outer.type not in kinds:
        outer = outer.parent
    return outer
