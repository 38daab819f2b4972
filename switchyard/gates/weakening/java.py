"""Tests in Java: JUnit 3 to 5 and TestNG, with AssertJ, Hamcrest, Truth and Mockito."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from switchyard.gates.weakening.bindings import rows_of
from switchyard.gates.weakening.bodies import RETRY, SKIP, SKIP_IF, Body, BodyReader, Context
from switchyard.gates.weakening.conditions import claims_of_condition
from switchyard.gates.weakening.matchers import is_helper, is_matcher
from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.syntax import Syntax, line_of, text_of
from switchyard.gates.weakening.tokens import words_of
from switchyard.gates.weakening.units import FileFacts, Mark, Unit

if TYPE_CHECKING:
    from tree_sitter import Node

SYNTAX = Syntax(
    package="tree_sitter_java",
    comments=frozenset(("line_comment", "block_comment")),
    strings=frozenset(("string_literal", "character_literal")),
    tries=frozenset(("try_statement", "try_with_resources_statement")),
    handlers=frozenset(("catch_clause",)),
    loops=frozenset(("enhanced_for_statement", "for_statement", "while_statement")),
    blocks=frozenset(("block",)),
    exits=frozenset(("return_statement", "continue_statement", "break_statement")),
    throws=frozenset(("throw_statement",)),
    calls=frozenset(("method_invocation",)),
    functions=frozenset(("lambda_expression",)),
    bindings={"variable_declarator": ("name", "value"), "assignment_expression": ("left", "right")},
    quotes_are_alike=False,
)
_TESTS = words_of(
    "RetryingTest RetryTest Test ParameterizedTest RepeatedTest TestFactory TestTemplate Property Theory CartesianTest"
)
_SKIPS = frozenset(("Disabled", "Ignore"))
_CONDITIONS = re.compile(r"(Disabled|Enabled)(If|On|For|Unless)\w*|Requires\w*|EnabledIf\w*")
_RETRIES = frozenset(("RetryingTest", "Flaky", "RetryTest", "Retry"))
_SET_UPS = frozenset(("Before", "BeforeAll", "BeforeClass", "BeforeEach", "BeforeMethod"))
_SKIPS_ALL = re.compile(
    rb"(?:[\w.]+\.)?(?:abort\s*\(|assumeTrue\s*\(\s*false\b|assumeFalse\s*\(\s*true\b)"
    rb"|throw\s+new\s+[\w.]*(?:TestAborted|AssumptionViolated|TestSkipped|Skip)\w*"
)
"""A statement that, where it stands under no condition, leaves out every test that is set up."""
_SOURCES = frozenset(("CsvSource", "ValueSource", "EnumSource", "Parameters", "TestWith"))
_FILE = re.compile(r"(Test\w*|\w+Tests?|\w+TestCase|IT\w*|\w+IT|\w+ITCase|\w+Spec)\.java$")
_TYPES = ("class_declaration", "record_declaration", "interface_declaration", "enum_declaration")
_CAUGHT = frozenset(("Throwable", "Error", "AssertionError", "Exception", "RuntimeException", "AssertionFailedError"))


def read(path: str, source: bytes) -> FileFacts:
    facts = FileFacts(source=source)
    collected = _FILE.match(PurePosixPath(path).name) is not None
    _read_types(SYNTAX.parse(source), path, "", collected, [], facts)
    return facts


def _read_types(node: Node, path: str, scope: str, collected: bool, marks: list[Mark], facts: FileFacts) -> None:
    for child in node.named_children:
        if child.type in _TYPES:
            _read_type(child, path, scope, collected, marks, facts)


def _read_type(node: Node, path: str, scope: str, collected: bool, marks: list[Mark], facts: FileFacts) -> None:
    name, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("body")
    if body is None:
        return
    annotations, words = _annotations(node)
    where = f"{scope}.{name}" if scope else name
    own = [*marks, *_marks(annotations)]
    base = SYNTAX.tokens(node.child_by_field_name("superclass"))
    old_style = any(leaf.endswith(("TestCase", "Test")) for leaf in base)
    if "abstract" in words and b"@Test" in (body.text or b""):
        facts.exclusions.append(f"abstract {where}: its tests are run by what extends it, or not at all")
    nested_unseen = bool(scope) and not any(head == "Nested" for head, _ in annotations) and "static" not in words
    taken = collected and not nested_unseen
    for child in body.named_children:
        if child.type == "field_declaration":
            _constants(child, facts)
    for child in body.named_children:
        if child.type == "method_declaration":
            _set_up(child, where, facts)
            facts.units.append(_unit(child, path, where, taken, old_style, own, facts))
    _read_types(body, path, where, collected, own, facts)


def _set_up(node: Node, where: str, facts: FileFacts) -> None:
    """A method that sets up and aborts under no condition leaves out every test of its class."""
    body = node.child_by_field_name("body")
    if body is not None and any(head in _SET_UPS for head, _ in _annotations(node)[0]):
        skips = [item for item in body.named_children if _SKIPS_ALL.match(item.text or b"")]
        name = f"{where}.{text_of(node.child_by_field_name('name'))}"
        facts.exclusions.extend(f"{name} sets up: {' '.join(SYNTAX.tokens(item))}" for item in skips[:1])


def _constants(node: Node, facts: FileFacts) -> None:
    for declarator in node.named_children:
        if declarator.type == "variable_declarator" and (value := declarator.child_by_field_name("value")) is not None:
            facts.constants[text_of(declarator.child_by_field_name("name"))] = SYNTAX.tokens(value)
    annotations, _ = _annotations(node)
    if any(head in ("Mock", "MockBean", "Spy", "MockitoBean") for head, _ in annotations):
        name = next((child for child in node.named_children if child.type == "variable_declarator"), None)
        facts.constants[text_of(name)] = ("mock", "(", *SYNTAX.tokens(node.child_by_field_name("type")), ")")


def _annotations(node: Node) -> tuple[list[tuple[str, Tokens]], list[str]]:
    """(name, arguments) of each annotation, and the other modifiers."""
    found: list[tuple[str, Tokens]] = []
    words: list[str] = []
    for child in node.named_children:
        if child.type == "modifiers":
            words = [text_of(item) for item in child.children if not item.is_named]
            for item in child.named_children:
                if item.type in ("annotation", "marker_annotation"):
                    name = text_of(item.child_by_field_name("name")).rsplit(".", 1)[-1]
                    found.append((name, SYNTAX.tokens(item.child_by_field_name("arguments"))))
    return found, words


def _marks(annotations: list[tuple[str, Tokens]]) -> list[Mark]:
    marks: list[Mark] = []
    for name, arguments in annotations:
        if name in _SKIPS or (name == "Test" and "enabled" in arguments and "false" in arguments):
            marks.append((SKIP, name))
        elif _CONDITIONS.fullmatch(name):
            marks.append((SKIP_IF, name))
        elif name in _RETRIES or (name == "Test" and "successPercentage" in arguments):
            marks.append((RETRY, name))
    return marks


def _unit(
    node: Node, path: str, scope: str, collected: bool, old_style: bool, marks: list[Mark], facts: FileFacts
) -> Unit:
    name = text_of(node.child_by_field_name("name"))
    annotations, words = _annotations(node)
    heads = {head for head, _ in annotations}
    parameters = SYNTAX.tokens(node.child_by_field_name("parameters"))
    by_name = old_style and name.startswith("test") and "private" not in words and parameters == ("(", ")")
    marked = bool(heads & _TESTS) and "private" not in words
    expected = [arguments for head, arguments in annotations if head == "Test" and "expected" in arguments]
    rows = [_columns(row) for head, arguments in annotations if head in _SOURCES for row in rows_of(arguments[1:-1])]
    return Unit(
        path=path,
        name=name,
        scope=scope,
        line=line_of(node),
        text=node.text or b"",
        is_test=collected and (marked or by_name),
        tokens=lambda: SYNTAX.tokens(node),
        read=lambda: _Reader(SYNTAX, facts.constants).read_method(node, expected),
        marks=[*marks, *_marks(annotations)],
        rows=rows,
        parameters=frozenset(parameters),
    )


def _columns(row: Tokens) -> Tokens:
    """A row of `@CsvSource` as the values that it lists."""
    if len(row) != 1 or "," not in row[0]:
        return row
    columns = [f'"{column.strip()}"' for column in row[0].strip('"').split(",")]
    return tuple(leaf for column in columns for leaf in (column, ","))[:-1]


class _Reader(BodyReader):
    throws_are_failures = False

    def read_method(self, node: Node, expected: list[Tokens]) -> Body:
        for arguments in expected:
            start = arguments.index("expected") + 2
            self.add([Claim("raises", ("raised",), arguments[start : start + 1], line=line_of(node))], Context())
        body = self.read(node.child_by_field_name("body"))
        returned = [child for child in _statements(node) if child.type == "return_statement"]
        for statement in returned:
            body.rows.extend(rows_of(SYNTAX.tokens(statement)[1:]))
        return body

    def callee(self, node: Node) -> Tokens:
        if node.type != "method_invocation":
            return ()
        target = node.child_by_field_name("object")
        name = (text_of(node.child_by_field_name("name")),)
        return (*SYNTAX.tokens(target), ".", *name) if target is not None else name

    def walk_other(self, node: Node, context: Context) -> None:
        if node.type == "assert_statement" and node.named_children:
            self.add(claims_of_condition(SYNTAX.tokens(node.named_children[0]), line_of(node)), context)
            return
        if node.type == "throw_statement" and "AssertionError" in SYNTAX.tokens(node)[:4]:
            self.add([Claim("reached", ("fail",), line=line_of(node))], context)
            return
        super().walk_other(node, context)

    def is_assertion(self, names: Sequence[str]) -> bool:
        last = names[-1]
        if len(names) > 1 and names[-2] in ("Assert", "Assertions", "Truth", "TestCase"):
            return is_matcher(last)
        return is_helper(last) and len(names) <= 2

    def receiver_of(self, callee: Tokens, names: Sequence[str]) -> Tokens | None:
        return None

    def is_failure(self, names: Sequence[str]) -> bool:
        return names[-1] == "fail" and len(names) <= 2

    def _walk_try(self, node: Node, context: Context) -> None:
        """`try { …; fail(); } catch (Wrong e) { … }` holds that Wrong is thrown."""
        handlers = [child for child in node.named_children if child.type == "catch_clause"]
        if handlers and self._must_raise(node, handlers):
            types = [
                leaf
                for handler in handlers
                for child in handler.named_children[0].named_children
                if child.type == "catch_type"
                for leaf in SYNTAX.tokens(child)
            ]
            self.add([Claim("raises", ("raised",), tuple(types), line=line_of(node))], context)
        super()._walk_try(node, context)

    def _rethrows(self, handler: Node) -> bool:
        if handler.type == "catch_clause":
            parameter = handler.named_children[0]
            if not set(SYNTAX.tokens(parameter)) & _CAUGHT:
                return True
        return super()._rethrows(handler)


def _statements(node: Node) -> list[Node]:
    body = node.child_by_field_name("body")
    return body.named_children if body is not None else []
