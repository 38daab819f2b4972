"""Tests in JavaScript and TypeScript: jest, vitest, mocha, node:test, playwright."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from switchyard.gates.weakening.bindings import rows_of
from switchyard.gates.weakening.bodies import RETRY, SKIP, SKIP_IF, XFAIL, Body, BodyReader, Context
from switchyard.gates.weakening.matchers import is_matcher
from switchyard.gates.weakening.model import Tokens
from switchyard.gates.weakening.syntax import Syntax, line_of, text_of
from switchyard.gates.weakening.tokens import is_name, is_string
from switchyard.gates.weakening.units import FileFacts, Mark, Unit

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMON = Syntax(
    package="tree_sitter_javascript",
    strings=frozenset(("string", "regex", "template_string")),
    tries=frozenset(("try_statement",)),
    handlers=frozenset(("catch_clause",)),
    loops=frozenset(("for_in_statement", "for_statement", "while_statement")),
    blocks=frozenset(("statement_block", "program")),
    exits=frozenset(("return_statement", "continue_statement", "break_statement")),
    throws=frozenset(("throw_statement",)),
    functions=frozenset(("arrow_function", "function_expression", "function_declaration")),
    bindings={"variable_declarator": ("name", "value"), "assignment_expression": ("left", "right")},
)
_TYPESCRIPT = replace(_COMMON, package="tree_sitter_typescript", function="language_typescript")
_TSX = replace(_COMMON, package="tree_sitter_typescript", function="language_tsx")
_TEST_PATH = re.compile(
    r"\.(test|spec|cy|e2e)\.|[-_](test|spec)\.|(^|/)(__tests__|tests?|specs?|e2e)/|(^|/)test\.[cm]?[jt]sx?$"
)
_COLUMN = re.compile(r"\$\s*\{(.*?)\}")
_TESTS = frozenset(("it", "test", "specify", "fit", "xit", "xtest", "xspecify"))
_SUITES = frozenset(("describe", "context", "suite", "fdescribe", "xdescribe", "xcontext"))
_SET_UPS = frozenset(("before", "beforeAll", "beforeEach"))
_SKIPS_ALL = re.compile(rb"(?:return\s+|await\s+)?(?:\w+\.)*(?:skip|pending)\s*\(\s*(?:\)|true\b|[\"'`])")
"""A statement that, where it stands under no condition, leaves out every test that is set up."""
_OPTIONS = {"skip": SKIP, "todo": SKIP, "fails": XFAIL, "only": SKIP_IF, "retry": RETRY, "retries": RETRY}
_LATER = frozenset(("setTimeout", "setImmediate", "queueMicrotask", "nextTick", "setInterval"))
_SETTLED = re.compile(rb"\bdone\b|resolve|[tT]imers?\b|Timer")
"""In the text of a test: it waits for what is done later."""
_MOCKS = frozenset(("mock", "doMock", "spyOn", "stub", "fn", "replace"))


def syntax_of(path: str) -> Syntax:
    if path.endswith((".ts", ".mts", ".cts")):
        return _TYPESCRIPT
    return _TSX if path.endswith(".tsx") else _COMMON


def read(path: str, source: bytes) -> FileFacts:
    syntax = syntax_of(path)
    facts = FileFacts(source=source)
    _Scope(path, syntax, facts, _TEST_PATH.search(path) is not None).read(syntax.parse(source), "", [])
    return facts


class _Scope:
    """Finds tests and functions at module level and in `describe` blocks."""

    def __init__(self, path: str, syntax: Syntax, facts: FileFacts, in_tests: bool) -> None:
        self.path, self.syntax, self.facts, self.in_tests = path, syntax, facts, in_tests
        self.loops: list[list[Tokens]] = []
        """What the loops around the tests go over."""

    def read(self, node: Node, scope: str, marks: list[Mark]) -> None:
        for child in node.named_children:
            if child.type in ("lexical_declaration", "variable_declaration"):
                self._constants(child, scope)
        for child in node.named_children:
            self._statement(child, scope, marks)

    def _constants(self, node: Node, scope: str) -> None:
        for declarator in node.named_children:
            value = declarator.child_by_field_name("value")
            if declarator.type != "variable_declarator" or value is None:
                continue
            name = text_of(declarator.child_by_field_name("name"))
            if value.type in self.syntax.functions:
                self._function(declarator, value, name, scope)
            else:
                self.facts.constants[name] = self.syntax.tokens(value)

    def _statement(self, node: Node, scope: str, marks: list[Mark]) -> None:
        if node.type == "function_declaration":
            self._function(node, node, text_of(node.child_by_field_name("name")), scope)
        elif node.type == "for_in_statement":
            self.loops.append(rows_of(self.syntax.tokens(node.child_by_field_name("right"))))
            self.read(node, scope, marks)
            self.loops.pop()
        elif node.type in ("export_statement", "if_statement", "statement_block", "else_clause"):
            dead = node.type == "if_statement" and text_of(node.child_by_field_name("condition")) in ("(false)", "(0)")
            if not dead:
                self.read(node, scope, marks)
        elif node.type == "expression_statement" and node.named_children:
            call = node.named_children[0]
            if call.type in ("await_expression", "unary_expression") and call.named_children:
                call = call.named_children[0]
            if call.type == "call_expression":
                self._call(call, scope, marks)

    def _function(self, outer: Node, node: Node, name: str, scope: str) -> None:
        self.facts.units.append(self._unit(outer, node, name, scope, [], [], False))

    def _call(self, node: Node, scope: str, marks: list[Mark]) -> None:
        callee = self.syntax.tokens(node.child_by_field_name("function"))
        names = [leaf for leaf in callee if is_name(leaf)]
        arguments = node.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        if not names:
            return
        if names[-1] == "forEach":
            self.loops.append(rows_of(callee[:-2]))
            self._each(given, scope, marks)
            self.loops.pop()
        function = next((item for item in reversed(given) if item.type in self.syntax.functions), None)
        root = names[0]
        if names[-1] in ("mock", "doMock") and root in ("jest", "vi") and given:
            self._stand_in(text_of(given[0]).strip("\"'`"), node)
        if names[-1] == "run" and "tester" in root.lower() and len(given) > 2:
            self._cases(node, given, scope, marks)
            return
        if names[-1] in _SET_UPS and function is not None:
            self._set_up(function, names[-1], scope)
        if root not in _TESTS and root not in _SUITES:
            if names[-1] == "retryTimes" or names[-1] == "retries":
                self.facts.exclusions.append(f"retried: {' '.join(self.syntax.tokens(node))}")
            return
        self._test(node, callee, root, given, function, scope, marks)

    def _set_up(self, function: Node, name: str, scope: str) -> None:
        """One that skips under no condition leaves out every test that it sets up."""
        body = function.child_by_field_name("body")
        statements = [] if body is None else body.named_children if body.type == "statement_block" else [body]
        skips = [item for item in statements if _SKIPS_ALL.match(item.text or b"")]
        for item in skips[:1]:
            where = f"{scope} > {name}" if scope else name
            self.facts.exclusions.append(f"{where} sets up: {' '.join(self.syntax.tokens(item))}")

    def _test(
        self,
        node: Node,
        callee: Tokens,
        root: str,
        given: list[Node],
        function: Node | None,
        scope: str,
        marks: list[Mark],
    ) -> None:
        """One of jest's words, `it`, `describe.each` and their kin, with what it is given."""
        title = self.syntax.tokens(given[0]) if given else ()
        name = " ".join(title).strip("\"'`")
        modifiers = list(callee) if "(" not in callee else list(callee[: callee.index("(")])
        own = [*marks, *_modifiers(root, modifiers), *self._options(given[1:])]
        if root in _SUITES or "describe" in modifiers:
            body = function.child_by_field_name("body") if function is not None else None
            known = len(self.facts.units)
            if body is not None:
                self.read(body, f"{scope} > {name}" if scope else name, own)
            if len(self.facts.units) == known and own:
                # Its tests are made by a function that it calls.
                self.facts.exclusions.append(f"{own[-1][1]} {name}")
            return
        if function is None and len(given) > 1:
            function = given[-1]
        if function is None:
            own.append((SKIP, "no body"))
        rows = self._rows(callee)
        self.facts.units.append(self._unit(node, function, name, scope, own, rows, self.in_tests and bool(given)))

    def _cases(self, node: Node, given: list[Node], scope: str, marks: list[Mark]) -> None:
        """`ruleTester.run(name, rule, { valid: […], invalid: […] })` of eslint: every element is a case."""
        rows = [
            row
            for pair in given[-1].named_children
            if pair.type == "pair"
            for row in rows_of(self.syntax.tokens(pair.child_by_field_name("value")))
        ]
        name = " ".join(self.syntax.tokens(given[0])).strip("\"'`")
        self.facts.units.append(self._unit(node, None, name, scope, marks, rows, self.in_tests))

    def _options(self, given: list[Node]) -> list[Mark]:
        """`{ skip: true, retry: 5 }` between the title and the body."""
        marks: list[Mark] = []
        for pair in (pair for item in given if item.type == "object" for pair in item.named_children):
            key = text_of(pair.child_by_field_name("key")).strip("\"'")
            value = text_of(pair.child_by_field_name("value"))
            if key in _OPTIONS and value not in ("false", "0", ""):
                marks.append((_OPTIONS[key], f"{key}: {value}"))
        return marks

    def _stand_in(self, module: str, node: Node) -> None:
        """A module mocked as a whole that bears the test file's own name is what the tests are about."""
        subject = re.split(r"[.-](?:test|spec|cy|e2e)\b", PurePosixPath(self.path).name)[0]
        if PurePosixPath(module).name.split(".")[0] == subject and b"Actual" not in (node.text or b""):
            self.facts.stand_ins.append(module)

    def _each(self, given: list[Node], scope: str, marks: list[Mark]) -> None:
        if given and given[0].type in self.syntax.functions:
            body = given[0].child_by_field_name("body")
            if body is not None:
                self.read(body, scope, marks)

    def _rows(self, callee: Tokens) -> list[Tokens]:
        if "each" not in callee:
            return []
        rest = callee[callee.index("each") + 1 :]
        if len(rest) == 3 and is_name(rest[1]):
            return rows_of(self.facts.constants.get(rest[1], ()))
        return rows_of(rest[1:-1]) if rest[:1] == ("(",) else _template_rows(" ".join(rest))

    def _unit(
        self,
        outer: Node,
        function: Node | None,
        name: str,
        scope: str,
        marks: list[Mark],
        rows: list[Tokens],
        is_test: bool,
    ) -> Unit:
        syntax, constants = self.syntax, self.facts.constants
        body = function.child_by_field_name("body") if function is not None else None
        parameters = function.child_by_field_name("parameters") if function is not None else None
        return Unit(
            path=self.path,
            name=name,
            scope=scope,
            line=line_of(outer),
            text=outer.text or b"",
            is_test=is_test,
            tokens=lambda: syntax.tokens(outer),
            read=lambda: _Reader(syntax, constants).read_body(body),
            marks=marks,
            rows=[*rows, *(row for loop in self.loops for row in loop)],
            parameters=frozenset(syntax.tokens(parameters)),
        )


def _template_rows(text: str) -> list[Tokens]:
    """The rows of a table that is written as a template: its header says how many columns there are."""
    values = _COLUMN.findall(text)
    width = text.split("$", 1)[0].count("|") + 1
    return [
        tuple(leaf for value in values[start : start + width] for leaf in (*value.split(), ","))[:-1]
        for start in range(0, len(values), width)
    ]


def _modifiers(root: str, modifiers: Sequence[str]) -> list[Mark]:
    text = "".join(modifiers)
    if root.startswith("x") or "skip" in modifiers or "todo" in modifiers or "fixme" in modifiers:
        return [(SKIP, text)]
    if "failing" in modifiers or "fails" in modifiers:
        return [(XFAIL, text)]
    if "skipIf" in modifiers or "runIf" in modifiers:
        return [(SKIP_IF, text)]
    if root in ("fit", "fdescribe") or "only" in modifiers:
        return [(SKIP_IF, f"only: {text}")]
    return []


class _Reader(BodyReader):
    throws_are_failures = True

    def read_body(self, node: Node | None) -> Body:
        if node is not None and node.type not in self.syntax.blocks:
            self.text = node.text or b""
            self.walk(node, Context())
            return self.body
        return self.read(node)

    def is_failure(self, names: Sequence[str]) -> bool:
        return names[-1] in ("fail", "unreachable") and names[0] in ("fail", "assert", "expect", "t", "expect", "jest")

    def is_assertion(self, names: Sequence[str]) -> bool:
        if names[0] in ("t", "assert") and len(names) == 2 and is_matcher(names[-1]):
            return True
        return super().is_assertion(names)

    def receiver_of(self, callee: Tokens, names: Sequence[str]) -> Tokens | None:
        return callee[:-2] if "should" in names else None

    def walk_call(self, node: Node, context: Context) -> None:
        if self._is_later(node):
            context = replace(context, is_swallowed=True)
        super().walk_call(node, context)

    @cached_property
    def _is_settled(self) -> bool:
        return _SETTLED.search(self.text) is not None

    def _is_later(self, node: Node) -> bool:
        """Whether what it is given runs after the test has ended."""
        names = [leaf for leaf in self.callee(node) if is_name(leaf)]
        arguments = node.child_by_field_name("arguments")
        given = (arguments.text or b"") if arguments is not None else b""
        if not names or not (b"=>" in given or b"function" in given) or self._is_settled:
            return False
        return names[-1] in _LATER or (names[-1] in ("then", "finally") and not _is_awaited(node))

    def read_call(self, node: Node, callee: Tokens, arguments: Node | None, context: Context) -> bool:
        names = [leaf for leaf in callee if is_name(leaf)]
        if names and names[-1] in _MOCKS and names[0] in ("jest", "vi", "sinon", "td", "mock"):
            given = self.arguments(arguments)
            self.body.patches.append((".".join(names), tuple(leaf for item in given[:2] for leaf in item)))
            return False
        if names and names[-1] == "catch" and context is not None and self._is_empty_catch(arguments):
            context = replace(context, is_swallowed=True)
            for child in node.named_children:
                self.walk(child, context)
            return True
        if names and names[-1] == "retries":
            self.body.marks.append((RETRY, " ".join(callee)))
            return True
        if names and any(name in ("rejects", "resolves") for name in names) and not _is_awaited(node):
            context = replace(context, is_swallowed=True)
        if "should" in names and len(names) > 1 and is_matcher(names[-1]) and not is_string(callee[0]):
            context = replace(context)
        return super().read_call(node, callee, arguments, context)

    def _is_empty_catch(self, arguments: Node | None) -> bool:
        for child in arguments.named_children if arguments is not None else []:
            body = child.child_by_field_name("body")
            return body is not None and not self._rethrows(body) and b"expect" not in (body.text or b"")
        return False


def _is_awaited(node: Node) -> bool:
    parent = node.parent
    while parent is not None and parent.type in ("parenthesized_expression", "member_expression", "call_expression"):
        parent = parent.parent
    return parent is not None and parent.type not in ("expression_statement",)
