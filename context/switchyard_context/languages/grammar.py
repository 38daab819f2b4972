"""The thin layer over tree-sitter: a grammar, one query, and the captured nodes in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser, Query


@dataclass(frozen=True)
class Grammar:
    """A compiled grammar and the query whose captures a language module reads."""

    package: str
    """The package that holds the grammar."""
    query_source: str
    function: str = "language"
    """What in the package gives the grammar."""

    @cached_property
    def _language(self) -> Language:
        return load_language(self.package, self.function)

    @cached_property
    def _query(self) -> Query:
        from tree_sitter import Query

        return Query(self._language, self.query_source)

    @cached_property
    def _parser(self) -> Parser:
        from tree_sitter import Parser

        return Parser(self._language)

    def captures(self, source: bytes) -> list[tuple[str, Node]]:
        """(capture, node) sorted by position, the outer node before the inner one."""
        pairs = [(name, node) for name, nodes in self.nodes(source).items() for node in nodes]
        pairs.sort(key=lambda pair: (pair[1].start_byte, -pair[1].end_byte, pair[0]))
        return pairs

    def nodes(self, source: bytes) -> dict[str, list[Node]]:
        """Capture → its nodes: faster where most of them need no order."""
        from tree_sitter import QueryCursor

        return QueryCursor(self._query).captures(self._parser.parse(source).root_node)


def load_language(package: str, function: str = "language") -> Language:
    """A grammar, imported now: a query that parses nothing does without tree-sitter."""
    from tree_sitter import Language

    return Language(getattr(import_module(package), function)())


def text_of(node: Node | None) -> str:
    """The source of a node; invalid bytes as U+FFFD, since a name must not make a file unreadable."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def first_line_of(node: Node) -> int:
    return node.start_point.row + 1


def last_line_of(node: Node) -> int:
    end = node.end_point
    # A node that ends at column 0 ends with the newline of the line before.
    return end.row if end.column == 0 and end.row > node.start_point.row else end.row + 1
