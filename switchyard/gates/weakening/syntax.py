"""What the readers need to know of a grammar, and syntax trees as flat tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from switchyard.gates.weakening.model import Tokens

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_SINGLE_QUOTED = re.compile(r"^([A-Za-z]{0,2})'([^'\"\\]*)'$", re.DOTALL)


@dataclass(frozen=True)
class Syntax:
    """The node types of one grammar, by what they do."""

    package: str
    function: str = "language"
    comments: frozenset[str] = frozenset(("comment",))
    strings: frozenset[str] = frozenset(("string",))
    """Taken as one leaf each."""
    ifs: frozenset[str] = frozenset(("if_statement",))
    tries: frozenset[str] = frozenset()
    handlers: frozenset[str] = frozenset()
    loops: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()
    """Their children run one after the other."""
    exits: frozenset[str] = frozenset()
    """What follows in the same block is not reached."""
    throws: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset(("call_expression",))
    functions: frozenset[str] = frozenset()
    bindings: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Node type → its fields of the name and of the value."""
    iterables: tuple[str, ...] = ("right", "value")
    """Fields that hold what a loop goes over."""
    quotes_are_alike: bool = True
    """Whether 'a' and "a" mean the same."""

    @cached_property
    def _parser(self) -> Parser:
        from tree_sitter import Language, Parser

        return Parser(Language(getattr(import_module(self.package), self.function)()))

    def parse(self, source: bytes) -> Node:
        return self._parser.parse(source).root_node

    def tokens(self, node: Node | None) -> Tokens:
        """The leaves of a node without comments, and without commas before a closing bracket."""
        found: list[str] = []
        waiting = [node] if node is not None else []
        while waiting:
            item = waiting.pop()
            if item.type in self.comments:
                continue
            if item.type in self.strings:
                found.append(self._string(text_of(item)))
            elif item.child_count:
                waiting.extend(reversed(item.children))
            else:
                _add_leaf(text_of(item), found)
        return tuple(found)

    def _string(self, text: str) -> str:
        if self.quotes_are_alike and text[:2] in ("u'", 'u"', "U'", 'U"'):
            text = text[1:]
        single = _SINGLE_QUOTED.match(text) if self.quotes_are_alike else None
        return f'{single[1]}"{single[2]}"' if single else text


def _add_leaf(text: str, found: list[str]) -> None:
    if text in (")", "]", "}") and found and found[-1] == ",":
        found.pop()
    if text and text not in (";", "\n"):
        found.append(text)


def text_of(node: Node | None) -> str:
    """The source of a node; invalid bytes as U+FFFD."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def line_of(node: Node) -> int:
    return node.start_point.row + 1
