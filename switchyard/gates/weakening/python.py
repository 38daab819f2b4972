"""Tests in Python: pytest functions and classes, and unittest's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from switchyard.gates.weakening.bindings import rows_of
from switchyard.gates.weakening.bodies import RETRY, SKIP, SKIP_IF, XFAIL, Body, BodyReader, Context
from switchyard.gates.weakening.conditions import claims_of_condition
from switchyard.gates.weakening.matchers import claims_of_matcher
from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.syntax import Syntax, line_of, text_of
from switchyard.gates.weakening.tokens import is_name, split_top, walk_top
from switchyard.gates.weakening.units import FileFacts, Mark, Unit

if TYPE_CHECKING:
    from tree_sitter import Node

SYNTAX = Syntax(
    package="tree_sitter_python",
    tries=frozenset(("try_statement",)),
    handlers=frozenset(("except_clause", "except_group_clause")),
    loops=frozenset(("for_statement", "while_statement")),
    blocks=frozenset(("block", "module")),
    exits=frozenset(("return_statement", "continue_statement", "break_statement")),
    throws=frozenset(("raise_statement",)),
    calls=frozenset(("call",)),
    functions=frozenset(("lambda", "function_definition")),
    bindings={"assignment": ("left", "right")},
)
_FILE = re.compile(r"(test_.*|unittest_.*|.*_tests?|tests?)\.py$")
_BROAD = ("Exception", "BaseException", "AssertionError")
_EXCLUSIONS = ("collect_ignore", "collect_ignore_glob")
_HOOKS = (
    "pytest_collection_modifyitems",
    "pytest_ignore_collect",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_pyfunc_call",
    "pytest_runtest_call",
    "pytest_collect_file",
    "pytest_exception_interact",
)


_LINES = frozenset(("fnmatch_lines", "re_match_lines", "fnmatch_lines_random", "no_fnmatch_line", "no_re_match_line"))
"""What pytest's own tester compares output with."""
_MAX_TELLING = 4000
"""Bytes of arguments: longer ones are not looked through for what they tell."""
_TELLING = ("expect", "want", "code", "exit_code", "returncode", "status")
_EXPECTED = ("exp", "want", "result", "output")
_SET_UP_HOOKS = (
    "pytest_runtest_setup",
    "pytest_runtest_protocol",
    "pytest_runtest_logreport",
    "pytest_report_teststatus",
    "pytest_configure",
    "pytest_sessionstart",
)
_LEAVES_OUT = re.compile(rb"\b(skip|xfail|_?exit|outcome|deselect|args|exitstatus|passed)\b")
"""What makes of a hook that sets up one that leaves tests out."""
_SET_UPS = frozenset(
    [
        *("setUp", "asyncSetUp", "setUpClass", "setUpModule"),
        *("setup", "setup_method", "setup_class", "setup_module", "setup_function"),
    ]
)
_SKIPS_ALL = re.compile(rb"(?:raise\s+)?(?:\w+\.)*(?:skip|skipTest|SkipTest|Skipped|xfail)\s*\(")
"""A statement that, where it stands under no condition, leaves out every test that is set up."""


def read(path: str, source: bytes) -> FileFacts:
    root = SYNTAX.parse(source)
    facts = FileFacts(source=source)
    name = PurePosixPath(path).name
    collected = _FILE.match(name) is not None
    marks: list[Mark] = []
    for node in root.named_children:
        marks += _module_statement(node, facts)
    facts.inherited.update(_bases(root))
    _read_scope(root, path, "", collected, marks, facts)
    for node in root.named_children:
        _take_away(node, facts)
    return facts


def _bases(root: Node) -> Iterator[str]:
    """Classes of the file that a class inherits from which the runner takes."""
    for node in root.named_children:
        inner = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
        if inner is not None and inner.type == "class_definition":
            name = text_of(inner.child_by_field_name("name"))
            if name.startswith("Test") or name.endswith(("Test", "Tests", "Base")):
                yield from SYNTAX.tokens(inner.child_by_field_name("superclasses"))


def _take_away(node: Node, facts: FileFacts) -> None:
    """`test_a = None`, `del test_a` and `test_a.__test__ = False` hide a test from the runner."""
    tokens = SYNTAX.tokens(node) if node.type in ("expression_statement", "delete_statement") else ()
    hidden = tokens[1:2] if tokens[:1] == ("del",) else tokens[:1] if tokens[1:2] == ("=",) else ()
    if tokens[1:] == (".", "__test__", "=", "False"):
        hidden = tokens[:1]
    for unit in facts.units:
        if (unit.scope or unit.name).split(".")[0] in hidden and unit.line < line_of(node):
            unit.is_test = False


def _named(tokens: Tokens, facts: FileFacts) -> Tokens:
    """What a decorator is that stands under a name of its own: `slow = pytest.mark.skip(…)`."""
    return facts.constants.get(tokens[0], tokens) if len(tokens) == 1 else tokens


def _module_statement(node: Node, facts: FileFacts) -> list[Mark]:
    """Constants are kept; `pytestmark` and a skip at module level are returned."""
    inner = node.named_children[0] if node.type == "expression_statement" and node.named_children else node
    if inner.type == "assignment":
        left, right = (SYNTAX.tokens(inner.child_by_field_name(side)) for side in ("left", "right"))
        if left == ("pytestmark",):
            pieces = split_top(right[1:-1], (",",)) if right[:1] in (("[",), ("(",)) else [right]
            return [mark for piece in pieces if (mark := _mark(piece))]
        if left and left[0] in _EXCLUSIONS:
            facts.exclusions.extend(" ".join(piece) for piece in rows_of(right) or [right])
        if len(left) == 1 and right:
            facts.constants[left[0]] = right
        if "importorskip" in right[:3]:
            return [(SKIP_IF, " ".join(right))]
    elif inner.type == "augmented_assignment" and text_of(inner.child_by_field_name("left")) in _EXCLUSIONS:
        right = SYNTAX.tokens(inner.child_by_field_name("right"))
        facts.exclusions.extend(" ".join(piece) for piece in rows_of(right))
    elif inner.type == "call" and text_of(inner.child_by_field_name("function")) in (
        "pytest.skip",
        "pytest.importorskip",
    ):
        return [(SKIP_IF if "importorskip" in text_of(inner) else SKIP, "module-level skip")]
    elif inner.type == "if_statement" and b"allow_module_level" in (inner.text or b""):
        return [(SKIP_IF, "module-level skip")]
    return []


def _read_scope(node: Node, path: str, scope: str, collected: bool, marks: list[Mark], facts: FileFacts) -> None:
    for child in node.named_children:
        decorators: list[Node] = []
        outer = child
        if child.type == "decorated_definition":
            decorators = [item for item in child.named_children if item.type == "decorator"]
            inner = child.child_by_field_name("definition")
            child = inner if inner is not None else child
        if child.type == "function_definition":
            _read_function(child, outer, decorators, path, scope, collected, marks, facts)
        elif child.type == "class_definition":
            _read_class(child, decorators, path, scope, collected, marks, facts)
        elif child.type in ("if_statement", "try_statement", "with_statement", "block", "else_clause"):
            dead = child.type == "if_statement" and text_of(child.child_by_field_name("condition")) in ("False", "0")
            _read_scope(child, path, scope, collected and not dead, marks, facts)


def _read_class(
    node: Node, decorators: list[Node], path: str, scope: str, collected: bool, marks: list[Mark], facts: FileFacts
) -> None:
    name = text_of(node.child_by_field_name("name"))
    bases = SYNTAX.tokens(node.child_by_field_name("superclasses"))
    body = node.child_by_field_name("body")
    if body is None:
        return
    is_unittest = any(
        base.endswith(("TestCase", "Test", "Tests", "TestBase", "Mixin")) for base in bases if is_name(base)
    )
    text = body.text or b""
    constructed = b"def __init__(" in text and not is_unittest
    switched_off = b"__test__ = False" in text
    inherits = any(is_name(base) for base in bases)
    taken = (
        (name.startswith("Test") or is_unittest or (inherits and "Test" in name) or name in facts.inherited)
        and not constructed
        and not switched_off
    )
    own = [mark for item in decorators if (mark := _mark(_named(SYNTAX.tokens(item)[1:], facts)))]
    inner: list[Mark] = []
    for statement in body.named_children:
        inner += _module_statement(statement, FileFacts())
    where = f"{scope}.{name}" if scope else name
    if not any(b"def " in (item.text or b"") for item in body.named_children):
        # What it inherits is run under its own marks.
        facts.exclusions.extend(f"class {where}: {text}" for rank, text in [*own, *inner] if rank >= SKIP)
    _read_scope(body, path, where, collected and taken, [*marks, *own, *inner], facts)


def _read_function(
    node: Node,
    outer: Node,
    decorators: list[Node],
    path: str,
    scope: str,
    collected: bool,
    marks: list[Mark],
    facts: FileFacts,
) -> None:
    name = text_of(node.child_by_field_name("name"))
    written = [SYNTAX.tokens(item)[1:] for item in decorators]
    own = [mark for tokens in written if (mark := _mark(_named(tokens, facts)))]
    is_fixture = any("fixture" in tokens for tokens in written)
    text = outer.text or b""
    unit = Unit(
        path=path,
        name=name,
        scope=scope,
        line=line_of(node),
        text=text,
        is_test=collected and name.startswith("test") and not is_fixture,
        tokens=lambda: SYNTAX.tokens(outer),
        read=lambda: _Reader(SYNTAX, facts.constants).read_function(node, written),
        marks=[*marks, *own],
        rows=_rows(written, facts),
        parameters=frozenset(SYNTAX.tokens(node.child_by_field_name("parameters"))),
    )
    if unit.is_test:
        # A later definition of the same name hides the earlier one from the runner.
        facts.units = [kept for kept in facts.units if kept.qualified != unit.qualified]
    facts.units.append(unit)
    if path.endswith("conftest.py") and (name in _HOOKS or (name in _SET_UP_HOOKS and _LEAVES_OUT.search(text))):
        facts.exclusions.append(f"{name} {' '.join(SYNTAX.tokens(node.child_by_field_name('body')))}")
    body = node.child_by_field_name("body")
    if body is not None and (is_fixture or name in _SET_UPS):
        skips = [item for item in body.named_children if _SKIPS_ALL.match(item.text or b"")]
        facts.exclusions.extend(f"{unit.qualified} sets up: {' '.join(SYNTAX.tokens(item))}" for item in skips[:1])


def _mark(tokens: Tokens) -> Mark | None:
    names = [leaf for leaf in tokens[: tokens.index("(")] if is_name(leaf)] if "(" in tokens else list(tokens)
    last = names[-1] if names else ""
    text = " ".join(tokens)
    if last in ("skip", "disabled"):
        return (SKIP, text)
    if last in ("xfail", "expectedFailure"):
        return (XFAIL, text)
    if last in ("skipif", "skipIf", "skipUnless", "skip_if", "importorskip"):
        condition = tokens[tokens.index("(") + 1] if "(" in tokens else ""
        certain = condition == ("False" if last == "skipUnless" else "True")
        return (SKIP if certain else SKIP_IF, text)
    if last in ("flaky", "retry", "rerun", "repeat_on_failure"):
        return (RETRY, text)
    return None


def _rows(decorators: list[Tokens], facts: FileFacts) -> list[Tokens]:
    rows: list[Tokens] = []
    for tokens in decorators:
        if "parametrize" in tokens and "(" in tokens:
            arguments = split_top(tokens[tokens.index("(") + 1 : -1], (",",))
            if len(arguments) > 1:
                values = arguments[1]
                if values[:2] == ("argvalues", "="):
                    values = values[2:]
                given = rows_of(facts.constants.get(values[0], ()) if len(values) == 1 else values)
                names = [name for leaf in arguments[0] for name in leaf.strip("\"'()[]").replace(",", " ").split()]
                rows += [_with_names(row, names) for row in given]
    return rows


def _with_names(row: Tokens, names: list[str]) -> Tokens:
    """A row of which the columns that tell what to expect bear their names."""
    opening = next((index for index, leaf in enumerate(row) if leaf in ("(", "[")), -1)
    columns = split_top(row[opening + 1 : -1], (",",)) if opening >= 0 else []
    if len(names) < 2 or len(columns) != len(names) or not any(name.startswith(_EXPECTED) for name in names):
        return row
    told = [
        (name, "=", *column) if name.startswith(_EXPECTED) else column
        for name, column in zip(names, columns, strict=True)
    ]
    joined = tuple(leaf for column in told for leaf in (*column, ","))
    return (*row[: opening + 1], *joined[:-1], row[-1])


class _Reader(BodyReader):
    def read_function(self, node: Node, decorators: list[Tokens]) -> Body:
        for tokens in decorators:
            if "patch" in tokens:
                self._patch(tokens)
        return self.read(node.child_by_field_name("body"))

    def walk_other(self, node: Node, context: Context) -> None:
        if node.type == "assert_statement":
            parts = node.named_children
            condition = SYNTAX.tokens(parts[0])
            if parts[0].type == "tuple" or (parts[0].type == "parenthesized_expression" and _has_comma(condition)):
                self.add([Claim("truth", ("True",), line=line_of(node))], context)
            else:
                self.add(claims_of_condition(condition, line_of(node)), context)
            return
        if node.type == "raise_statement" and "AssertionError" in SYNTAX.tokens(node)[:3]:
            self.add([Claim("reached", ("fail",), line=line_of(node))], context)
            return
        if node.type == "raise_statement" and "SkipTest" in SYNTAX.tokens(node)[:4]:
            self._skip(("SkipTest",), context)
            return
        if node.type == "with_statement":
            self._walk_with(node, context)
            return
        if node.type in ("elif_clause",):
            condition = SYNTAX.tokens(node.child_by_field_name("condition"))
            body = node.child_by_field_name("consequence")
            if body is not None:
                self.walk(body, context.under(condition))
            return
        super().walk_other(node, context)

    def _walk_with(self, node: Node, context: Context) -> None:
        inner = context
        for child in node.named_children:
            if child.type != "with_clause":
                continue
            for item in child.named_children:
                value = item.child_by_field_name("value")
                call = value.named_children[0] if value is not None and value.type == "as_pattern" else value
                if call is None or call.type != "call":
                    continue
                names = [leaf for leaf in self.callee(call) if is_name(leaf)]
                if names and names[-1] == "suppress":
                    given = SYNTAX.tokens(call.child_by_field_name("arguments"))
                    inner = Context(
                        context.guards, context.is_swallowed or bool(set(given) & set(_BROAD)), context.is_dead
                    )
                self.walk(call, context)
        body = node.child_by_field_name("body")
        if body is not None:
            self.walk(body, inner)

    def read_call(self, node: Node, callee: Tokens, arguments: Node | None, context: Context) -> bool:
        names = [leaf for leaf in callee if is_name(leaf)]
        if names and names[-1] in ("raises", "warns", "deprecated_call") and names[0] in ("pytest", "raises", "warns"):
            given = self.arguments(arguments)
            self.add(claims_of_matcher("raises", None, given[:1] + _matches(given), line_of(node)), context)
            return True
        if names and names[-1] in _LINES:
            given = [item for part in self.arguments(arguments) for item in (rows_of(part) or [part])]
            self.add([Claim("matches", callee[:-2], item, line=line_of(node)) for item in given], context)
            return True
        if len(names) <= 2 and arguments is not None and len(arguments.text or b"") < _MAX_TELLING:
            self.body.told += [
                (names[-1], item[0], " ".join(item[2:]))
                for item in self.arguments(arguments)
                if names and item[1:2] == ("=",) and item[0].startswith(_TELLING) and len(item) < 40
            ]
        if names and names[-1] == "xfail" and names[0] == "pytest":
            self.body.marks.append((XFAIL, " ".join(callee)))
            return True
        if names and ("patch" in names or names[-1] in ("setattr", "spy")):
            self._patch((*callee, *SYNTAX.tokens(arguments)))
        if names and names[0] in ("np", "numpy", "npt", "testing", "pd", "tm", "xr") and names[-1].startswith("assert"):
            self.body.calls.add(names[-1])
            self.add(claims_of_matcher(names[-1], None, self.arguments(arguments), line_of(node)), context)
            return True
        return super().read_call(node, callee, arguments, context)

    def _patch(self, tokens: Tokens) -> None:
        opening = tokens.index("(") if "(" in tokens else len(tokens)
        arguments = split_top(tokens[opening + 1 : -1], (",",))
        if arguments:
            target = arguments[0] if "object" not in tokens[:opening] and "setattr" not in tokens[:opening] else tuple(
                leaf for item in arguments[:2] for leaf in item)  # fmt: skip
            self.body.patches.append((" ".join(tokens[:opening]), target))

    def _rethrows(self, handler: Node) -> bool:
        if handler.type == "except_clause":
            caught = SYNTAX.tokens(handler)[1:]
            head = caught[: caught.index(":")] if ":" in caught else caught
            if head and not set(head) & set(_BROAD):
                return True
        return super()._rethrows(handler)


def _matches(given: list[Tokens]) -> list[Tokens]:
    return [item for item in given[1:] if item[:2] == ("match", "=")]


def _has_comma(tokens: Tokens) -> bool:
    inner = tokens[1:-1]
    return any(leaf == "," for _, leaf in walk_top(inner)) and tokens[:1] == ("(",) and tokens[-1:] == (")",)
