"""Tests in Rust: functions under `#[test]` and its kin, wherever they stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from switchyard.gates.weakening.bodies import SKIP, SKIP_IF, Body, BodyReader, Context
from switchyard.gates.weakening.conditions import claims_of_condition
from switchyard.gates.weakening.matchers import claims_of_matcher, is_helper, is_matcher
from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.syntax import Syntax, line_of, text_of
from switchyard.gates.weakening.tokens import split_top
from switchyard.gates.weakening.units import FileFacts, Mark, Unit

if TYPE_CHECKING:
    from tree_sitter import Node

SYNTAX = Syntax(
    package="tree_sitter_rust",
    comments=frozenset(("line_comment", "block_comment")),
    strings=frozenset(("string_literal", "raw_string_literal", "char_literal")),
    ifs=frozenset(("if_expression",)),
    loops=frozenset(("for_expression", "while_expression")),
    blocks=frozenset(("block",)),
    exits=frozenset(("return_expression", "continue_expression", "break_expression")),
    functions=frozenset(("closure_expression",)),
    bindings={"let_declaration": ("pattern", "value"), "assignment_expression": ("left", "right")},
    quotes_are_alike=False,
)
_TESTS = frozenset(("test", "rstest", "test_case", "quickcheck", "wasm_bindgen_test", "test_log", "proptest", "case"))
_CASES = frozenset(("case", "test_case"))
_IN_TESTS = re.compile(r"(^|/)tests?(/|\.rs$|_)|_tests?\.rs$")
_NO_TESTS = frozenset(("thread_local", "lazy_static", "bitflags", "criterion_group", "criterion_main", "impl_trait"))
_REEXAMINED = (b"assert", b"panic!")


def read(path: str, source: bytes) -> FileFacts:
    facts = FileFacts(source=source)
    _read_scope(SYNTAX.parse(source), path, "", [], facts)
    _join_variants(facts)
    return facts


def _join_variants(facts: FileFacts) -> None:
    """A test that is written once for each side of a condition of compilation is left out under none."""
    counted = Counter(unit.qualified for unit in facts.units if unit.is_test)
    for unit in facts.units:
        if counted[unit.qualified] > 1:
            unit.marks = [mark for mark in unit.marks if not mark[1].startswith("cfg (")]


def _read_scope(node: Node, path: str, scope: str, marks: list[Mark], facts: FileFacts) -> None:
    attributes: list[Tokens] = []
    start = node.start_byte
    for child in node.named_children:
        if child.type in SYNTAX.comments:
            continue
        if child.type == "attribute_item":
            if not attributes:
                start = child.start_byte
            attributes.append(SYNTAX.tokens(child)[2:-1])
            continue
        if child.type == "inner_attribute_item" and "cfg" in SYNTAX.tokens(child):
            marks = [*marks, *_gates([SYNTAX.tokens(child)[3:-1]])]
        if child.type == "function_item":
            facts.units.append(_unit(child, attributes, start, path, scope, marks, facts))
        else:
            _read_item(child, path, scope, [*marks, *_gates(attributes)], facts)
        attributes = []


def _read_item(node: Node, path: str, scope: str, marks: list[Mark], facts: FileFacts) -> None:
    if node.type in ("mod_item", "impl_item"):
        body, name = node.child_by_field_name("body"), text_of(node.child_by_field_name("name"))
        if body is not None:
            _read_scope(body, path, f"{scope}::{name}" if scope and name else name or scope, marks, facts)
    elif node.type in ("const_item", "static_item"):
        value = SYNTAX.tokens(node.child_by_field_name("value"))
        facts.constants[text_of(node.child_by_field_name("name"))] = value
    elif node.type in ("macro_invocation", "expression_statement"):
        _read_macro(node, path, scope, marks, facts)


def _read_macro(node: Node, path: str, scope: str, marks: list[Mark], facts: FileFacts) -> None:
    """`proptest! { #[test] fn … }` holds functions that the grammar sees as loose tokens."""
    macro = node if node.type == "macro_invocation" else (node.named_children[0] if node.named_children else node)
    text = macro.text or b""
    opening = text.find(b"{")
    if b"fn " in text and opening >= 0:
        padded = b"\n" * macro.start_point.row + text[opening + 1 : -1]
        _read_scope(SYNTAX.parse(padded), path, scope, marks, facts)
    elif _IN_TESTS.search(path) or "test" in scope:
        _read_made(macro, path, scope, marks, facts)


def _read_made(macro: Node, path: str, scope: str, marks: list[Mark], facts: FileFacts) -> None:
    """`rgtest!(name, |dir| { … })`, `mat!(name, "a+", "aa", (0, 2))`: a test that a macro of the repository makes."""
    head = text_of(macro.child_by_field_name("macro")).rsplit("::", 1)[-1]
    tree = next((child for child in macro.named_children if child.type == "token_tree"), None)
    tokens = SYNTAX.tokens(tree)[1:-1]
    if tree is None or len(tokens) < 3 or tokens[1] != "," or not tokens[0].isidentifier() or head in _NO_TESTS:
        return
    facts.units.append(
        Unit(
            path=path,
            name=tokens[0],
            scope=f"{scope}::{head}!" if scope else f"{head}!",
            line=line_of(macro),
            text=macro.text or b"",
            is_test=True,
            tokens=lambda: SYNTAX.tokens(macro),
            read=lambda: _Reader(SYNTAX, facts.constants).read_made(macro, head, tokens),
            marks=marks,
        )
    )


def _gates(attributes: list[Tokens]) -> list[Mark]:
    """Conditions of compilation other than `cfg(test)`."""
    return [
        (SKIP_IF, " ".join(item)) for item in attributes if item[:1] == ("cfg",) and item != ("cfg", "(", "test", ")")
    ]


def _unit(
    node: Node, attributes: list[Tokens], start: int, path: str, scope: str, marks: list[Mark], facts: FileFacts
) -> Unit:
    name = text_of(node.child_by_field_name("name"))
    heads = [(item[: item.index("(")] if "(" in item else item) for item in attributes]
    own = _gates(attributes)
    for item, head in zip(attributes, heads, strict=True):
        if head[-1:] == ("ignore",) or item[:2] == ("ignore", "="):
            own.append((SKIP, " ".join(item)))
        elif head[-1:] == ("cfg_attr",) and "ignore" in item:
            own.append((SKIP_IF, " ".join(item)))
    panics = [item for item in attributes if item[:1] == ("should_panic",)]
    whole = facts.source[start : node.end_byte] if node.end_byte <= len(facts.source) else node.text or b""
    return Unit(
        path=path,
        name=name,
        scope=scope,
        line=line_of(node),
        text=whole,
        is_test=any(head[-1:] and head[-1] in _TESTS for head in heads),
        tokens=lambda: tuple(leaf for item in attributes for leaf in item) + SYNTAX.tokens(node),
        read=lambda: _Reader(SYNTAX, facts.constants).read_function(node, panics),
        marks=[*marks, *own],
        rows=[
            item[2:-1]
            for item, head in zip(attributes, heads, strict=True)
            if head[:1] and head[0] in _CASES and len(item) > 3
        ],
        parameters=frozenset(SYNTAX.tokens(node.child_by_field_name("parameters"))),
    )


class _Reader(BodyReader):
    def read_function(self, node: Node, panics: list[Tokens]) -> Body:
        for item in panics:
            claims = [Claim("raises", ("raised",), line=line_of(node))]
            if "=" in item:
                expected = item[item.index("=") + 1 :]
                claims.append(
                    Claim("matches", ("raised",), tuple(leaf for leaf in expected if leaf != ")"), line=line_of(node))
                )
            self.add(claims, Context())
        return self.read(node.child_by_field_name("body"))

    def read_made(self, macro: Node, head: str, tokens: Tokens) -> Body:
        """What a closure among the arguments claims, or else that all of them hold."""
        self._reexamine(macro, Context())
        if not self.body.claims:
            is_code = "{" in tokens
            self.add([Claim("helper", (head,), () if is_code else tokens[2:], line=line_of(macro))], Context())
        return self.body

    def callee(self, node: Node) -> Tokens:
        """Without type arguments: `check` of `check::<T>(…)`."""
        tokens = super().callee(node)
        return tokens[: tokens.index("::")] if tokens[1:3] == ("::", "<") else tokens

    def walk_other(self, node: Node, context: Context) -> None:
        if node.type == "macro_invocation":
            self._read_macro(node, context)
            return
        if node.type == "let_declaration" and (alternative := node.child_by_field_name("alternative")) is not None:
            value = SYNTAX.tokens(node.child_by_field_name("value"))
            if b"panic!" in (alternative.text or b""):
                pattern = SYNTAX.tokens(node.child_by_field_name("pattern"))
                self.add([Claim("pattern", value, pattern, line=line_of(node))], context)
                return
        super().walk_other(node, context)

    def _read_macro(self, node: Node, context: Context) -> None:
        name = text_of(node.child_by_field_name("macro")).rsplit("::", 1)[-1]
        tree = next((child for child in node.named_children if child.type == "token_tree"), None)
        tokens = SYNTAX.tokens(tree)[1:-1]
        given = split_top(tokens, (",",))
        line = line_of(node)
        self.body.calls.add(name)
        self.body.own_calls.add(name)
        if name in ("panic", "unreachable"):
            self.add([Claim("reached", ("fail",), line=line)], context)
        elif name in ("assert", "debug_assert", "prop_assert"):
            self.add(claims_of_condition(given[0] if given else (), line), context)
        elif name.startswith("prop_assert"):
            self.add(claims_of_matcher(name.removeprefix("prop_"), None, given, line), context)
        elif is_helper(name) or (is_matcher(name) and ("assert" in name or name.startswith("eq"))):
            self.add(claims_of_matcher(name, None, given, line), context)
        elif any(word in (node.text or b"") for word in _REEXAMINED):
            self._reexamine(node, context)

    def _reexamine(self, node: Node, context: Context) -> None:
        """`loom::model! { … }` and the like: what stands in the braces is read as a body."""
        text = node.text or b""
        opening = text.find(b"{")
        if opening < 0:
            return
        start = b"\n" * node.start_point.row + b"fn inner() "
        parsed = SYNTAX.parse(start + text[opening:])
        body = parsed.named_children[0].child_by_field_name("body") if parsed.named_children else None
        if body is not None:
            self.walk(body, context)

    def is_failure(self, names: Sequence[str]) -> bool:
        return False

    def _is_failing(self, statement: Node) -> bool:
        inner = self._inner(statement)
        macro = inner.child_by_field_name("macro") if inner.type == "macro_invocation" else None
        return text_of(macro) in ("panic", "unreachable")
