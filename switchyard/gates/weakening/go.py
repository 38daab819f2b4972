"""Tests in Go: functions of `_test.go` files, with testify, gomega and plain `if` as assertions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from switchyard.gates.weakening.bodies import SKIP_IF, BodyReader, Context
from switchyard.gates.weakening.ginkgo import SYNTAX, read_specs
from switchyard.gates.weakening.matchers import claims_of_matcher, is_helper, is_matcher
from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.syntax import line_of, text_of
from switchyard.gates.weakening.tokens import is_name, words_of
from switchyard.gates.weakening.units import FileFacts, Unit

if TYPE_CHECKING:
    from tree_sitter import Node

_TEST = re.compile(r"(Test|Fuzz|Example)([^a-z].*)?$", re.DOTALL)
_ENDS_WELL = re.compile(rb"func TestMain\([^)]*\) *\{[^}]*os\.Exit\(0\)")
_SYSTEM = re.compile(
    r"_(aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows"
    r"|386|amd64|arm|arm64|loong64|mips\w*|ppc64\w*|riscv64|s390x|wasm)_test\.go$"
)
_WAITED = re.compile(rb"Wait\(|<-|Eventually|select \{|Sleep\(")
_FAILURES = words_of("Fatal Fatalf Error Errorf Fail FailNow panic")
_BUILD_TAG = re.compile(rb"^//\s*(?:go:build|\+build)\s+(.*)$", re.MULTILINE)
_SUITES = frozenset(("assert", "require", "Assert", "Require", "s", "suite", "ts", "is", "a", "r", "c", "g", "qt"))


def read(path: str, source: bytes) -> FileFacts:
    root = SYNTAX.parse(source)
    facts = FileFacts(source=source)
    package = source.find(b"\npackage ") if not source.startswith(b"package ") else 0
    facts.exclusions.extend(
        tag.decode("utf-8", "replace").strip() for tag in _BUILD_TAG.findall(source[: max(package, 0)])
    )
    in_tests = path.endswith("_test.go")
    if in_tests and b"TestMain(" in source and _ENDS_WELL.search(source):
        facts.exclusions.append("os.Exit(0) whatever the tests say")
    for node in root.named_children:
        if node.type in ("var_declaration", "const_declaration"):
            _constants(node, facts)
    for node in root.named_children:
        if node.type in ("function_declaration", "method_declaration"):
            facts.units.append(_unit(node, path, in_tests, facts))
        elif node.type == "var_declaration" and in_tests:
            read_specs(node, path, facts, lambda body: _Reader(SYNTAX, facts.constants).read(body))
    return facts


def _constants(node: Node, facts: FileFacts) -> None:
    for spec in node.named_children:
        if spec.type in ("var_spec_list",):
            _constants(spec, facts)
        elif spec.type in ("var_spec", "const_spec"):
            name, value = (
                SYNTAX.tokens(spec.child_by_field_name("name")),
                SYNTAX.tokens(spec.child_by_field_name("value")),
            )
            if len(name) == 1 and value:
                facts.constants[name[0]] = value


def _unit(node: Node, path: str, in_tests: bool, facts: FileFacts) -> Unit:
    name = text_of(node.child_by_field_name("name"))
    receiver = [leaf for leaf in SYNTAX.tokens(node.child_by_field_name("receiver")) if is_name(leaf)]
    parameters = SYNTAX.tokens(node.child_by_field_name("parameters"))
    plain = not receiver and ("testing" in parameters or name.startswith("Example")) and "M" not in parameters
    suite = bool(receiver) and parameters == ("(", ")") and "uite" in receiver[-1]
    return Unit(
        path=path,
        name=name,
        scope=receiver[-1] if receiver else "",
        line=line_of(node),
        text=node.text or b"",
        is_test=in_tests and (plain or suite) and _TEST.match(name) is not None,
        tokens=lambda: SYNTAX.tokens(node),
        read=lambda: _Reader(SYNTAX, facts.constants).read(node.child_by_field_name("body")),
        marks=[(SKIP_IF, f"built for {system[1]}")] if (system := _SYSTEM.search(path)) else [],
        parameters=frozenset(parameters),
    )


class _Reader(BodyReader):
    def is_failure(self, names: Sequence[str]) -> bool:
        return names[-1] in _FAILURES and (
            names == ["panic"] or (len(names) == 2 and len(names[0]) <= 3) or names[0] in ("testing", "test")
        )

    def is_assertion(self, names: Sequence[str]) -> bool:
        last = names[-1]
        if len(names) > 1 and (names[-2] in _SUITES or names[0] in ("assert", "require")):
            return is_matcher(last) or is_helper(last)
        if len(names) == 2 and last.startswith(("Assert", "Expect", "Verify", "Require")):
            return is_helper(last)
        return is_helper(last) and last[0].islower() and len(names) == 1

    def receiver_of(self, callee: Tokens, names: Sequence[str]) -> Tokens | None:
        return None

    def arguments(self, node: Node | None) -> list[Tokens]:
        given = super().arguments(node)
        return (
            given[1:] if given and given[0] in (("t",), ("b",), ("s", ".", "T", "(", ")"), ("tt",), ("tb",)) else given
        )

    @cached_property
    def _is_waited(self) -> bool:
        return _WAITED.search(self.text) is not None

    def walk_other(self, node: Node, context: Context) -> None:
        if node.type == "go_statement" and not self._is_waited:
            context = replace(context, is_swallowed=True)
        super().walk_other(node, context)

    def read_call(self, node: Node, callee: Tokens, arguments: Node | None, context: Context) -> bool:
        names = [leaf for leaf in callee if is_name(leaf)]
        if SYNTAX.tokens(arguments)[1:6] in (("&", "testing", ".", "T", "{"), ("new", "(", "testing", ".", "T")):
            context = replace(context, is_swallowed=True)
        if names[-1:] == ["Assert"] and len(names) > 1:
            given = self.arguments(arguments)
            if len(given) > 1:
                matcher = [leaf for leaf in given[1] if is_name(leaf)]
                self.add(
                    claims_of_matcher(matcher[-1] if matcher else "check", given[0], given[2:], line_of(node)), context
                )
                return True
        if names == ["assert", "Assert"] or (names[-1:] == ["Check"] and names[0] == "assert"):
            self.add([Claim("helper", tuple(names), line=line_of(node))], context)
            return True
        return super().read_call(node, callee, arguments, context)

    def loop_field(self, node: Node, name: str) -> Node | None:
        clause = next((child for child in node.named_children if child.type == "range_clause"), None)
        return clause.child_by_field_name("right") if clause is not None and name == "right" else None
