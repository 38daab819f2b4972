"""Go's grammar, and the specs that Ginkgo's `Describe` and `It` make of closures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from switchyard.gates.weakening.bodies import RETRY, SKIP, SKIP_IF, Body
from switchyard.gates.weakening.model import Tokens
from switchyard.gates.weakening.syntax import Syntax, line_of, text_of
from switchyard.gates.weakening.tokens import is_string, words_of
from switchyard.gates.weakening.units import FileFacts, Mark, Unit

if TYPE_CHECKING:
    from tree_sitter import Node

SYNTAX = Syntax(
    package="tree_sitter_go",
    strings=frozenset(("interpreted_string_literal", "raw_string_literal", "rune_literal")),
    loops=frozenset(("for_statement",)),
    blocks=frozenset(("block", "statement_list")),
    exits=frozenset(("return_statement", "continue_statement", "break_statement")),
    functions=frozenset(("func_literal",)),
    bindings={
        "short_var_declaration": ("left", "right"),
        "assignment_statement": ("left", "right"),
        "var_spec": ("name", "value"),
        "const_spec": ("name", "value"),
    },
    quotes_are_alike=False,
)
_GROUPS = words_of("Describe Context When DescribeTable DescribeTableSubtree Measure")
_SPECS = words_of("It Specify DescribeTable")
_SET_UPS = words_of("BeforeEach JustBeforeEach AfterEach BeforeAll AfterAll BeforeSuite DeferCleanup")
_DECORATORS = {"Pending": SKIP, "Focus": SKIP_IF, "FlakeAttempts": RETRY, "MustPassRepeatedly": -1}


def read_specs(node: Node, path: str, facts: FileFacts, read: Callable[[Node | None], Body]) -> None:
    """Take every spec below a node for a test."""
    _Specs(path, facts, read).visit(node, "", [])


class _Specs:
    def __init__(self, path: str, facts: FileFacts, read: Callable[[Node | None], Body]) -> None:
        self.path, self.facts, self.read = path, facts, read

    def visit(self, node: Node, scope: str, marks: list[Mark]) -> None:
        for child in node.named_children:
            if child.type != "call_expression" or not self._call(child, scope, marks):
                self.visit(child, scope, marks)

    def _call(self, node: Node, scope: str, marks: list[Mark]) -> bool:
        """Whether it is a group, a spec or a set-up."""
        name = text_of(node.child_by_field_name("function")).rpartition(".")[2]
        plain = name[1:] if name[:1] in "FPX" and name[1:] in _GROUPS | _SPECS else name
        arguments = node.child_by_field_name("arguments")
        if plain not in _GROUPS | _SPECS | _SET_UPS or arguments is None:
            return False
        given = arguments.named_children
        told = SYNTAX.tokens(given[0]) if given else ()
        title = " ".join(told).strip('"`') if told and is_string(told[0]) else plain
        own = [*marks, *_marks(name, plain, given)]
        function = next((item for item in given if item.type == "func_literal"), None)
        body = function.child_by_field_name("body") if function is not None else None
        if plain in _GROUPS and plain != "DescribeTable":
            if body is not None:
                self.visit(body, f"{scope} {title}".strip(), own)
        else:
            self.facts.units.append(self._unit(node, body, title, scope, own, plain in _SPECS))
        return True

    def _unit(self, node: Node, body: Node | None, title: str, scope: str, marks: list[Mark], is_test: bool) -> Unit:
        given = node.child_by_field_name("arguments")
        return Unit(
            path=self.path,
            name=title,
            scope=scope,
            line=line_of(node),
            text=node.text or b"",
            is_test=is_test,
            tokens=lambda: SYNTAX.tokens(node),
            read=lambda: self.read(body),
            marks=marks if body is not None else [*marks, (SKIP, "no body")],
            rows=_entries(given) if given is not None else [],
            parameters=_parameters(given),
        )


def _marks(name: str, plain: str, given: list[Node]) -> list[Mark]:
    marks: list[Mark] = []
    if name != plain:
        marks.append((SKIP_IF, f"only: {name}") if name.startswith("F") else (SKIP, name))
    for item in given:
        head = text_of(item).partition("(")[0].rpartition(".")[2]
        if _DECORATORS.get(head, -1) >= 0 and item.type in ("identifier", "selector_expression", "call_expression"):
            text = " ".join(SYNTAX.tokens(item))
            marks.append((_DECORATORS[head], f"only: {text}" if head == "Focus" else text))
    return marks


def _entries(arguments: Node) -> list[Tokens]:
    """The rows of a table: its `Entry`s; a pending one is none."""
    calls = [item for item in arguments.named_children if item.type == "call_expression"]
    heads = [(text_of(item.child_by_field_name("function")).rpartition(".")[2], item) for item in calls]
    return [SYNTAX.tokens(item.child_by_field_name("arguments"))[1:-1] for head, item in heads if head.endswith("Entry")
            and head not in ("PEntry", "XEntry")]  # fmt: skip


def _parameters(arguments: Node | None) -> frozenset[str]:
    children = arguments.named_children if arguments is not None else []
    function = next((item for item in children if item.type == "func_literal"), None)
    return frozenset(SYNTAX.tokens(function.child_by_field_name("parameters"))) if function is not None else frozenset()
