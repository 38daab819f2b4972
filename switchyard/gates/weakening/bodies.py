"""Walks the body of a test and gathers what it claims, under which conditions, and what it is run with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from switchyard.gates.weakening.bindings import is_no_range, maker_of, resolve, rows_elsewhere, rows_of
from switchyard.gates.weakening.conditions import claims_of_condition, is_certain
from switchyard.gates.weakening.matchers import (
    claims_of_chain,
    claims_of_matcher,
    is_helper,
    is_matcher,
    squeeze,
)
from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.syntax import Syntax, line_of
from switchyard.gates.weakening.tokens import chain_of, is_name, split_top
from switchyard.gates.weakening.vocabulary import FAILURES, ROOTS, VERIFIERS

if TYPE_CHECKING:
    from tree_sitter import Node

SKIP, XFAIL, SKIP_IF, RETRY = 3, 2, 1, 0
"""How much of a test a mark takes away."""
_RECEIVERS = frozenset(("assert", "require", "Assert", "Assertions", "chai", "must", "testing", "Assume"))
_SKIPS = frozenset(("skip", "Skip", "Skipf", "SkipNow", "skipTest", "SkipTest", "skipped", "pending", "importorskip"))
_ASSUMPTIONS = ("assumeTrue", "assumeFalse", "assumeThat", "assumingThat", "assumeNotNull")
_ENDINGS = frozenset(("_exit", "exit", "Exit", "halt", "abort"))
_MAX_SEARCHED = 100_000
_STAND_IN = re.compile(r"^lambda\b|=>|^(async )?function\b|Mock|\bfn \(|\bstub\b|\bfake", re.IGNORECASE)
"""What is assigned in place of a function."""


@dataclass(frozen=True)
class Context:
    guards: tuple[Tokens, ...] = ()
    is_swallowed: bool = False
    is_dead: bool = False

    def under(self, condition: Tokens) -> Context:
        return replace(self, guards=(*self.guards, condition))


@dataclass
class Body:
    """What one function or test says."""

    claims: list[Claim] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)
    """Names of what it calls."""
    own_calls: set[str] = field(default_factory=set)
    """Those of them that stand beside it, and not in another object."""
    dead_calls: set[str] = field(default_factory=set)
    """Names of what would be called where nothing gets to."""
    marks: list[tuple[int, str]] = field(default_factory=list)
    """(rank, text) of each skip in it."""
    rows: list[Tokens] = field(default_factory=list)
    bindings: dict[str, Tokens] = field(default_factory=dict)
    """Variable → what it was given last."""
    loop_names: set[str] = field(default_factory=set)
    is_unreadable: bool = False
    """Nested too deeply."""
    exits: list[str] = field(default_factory=list)
    """Calls that end the process."""
    patches: list[tuple[str, Tokens]] = field(default_factory=list)
    """(what is called to put a stand-in, what is replaced)."""
    told: list[tuple[str, str, str]] = field(default_factory=list)
    """(what is called, a keyword that tells what to expect, its value)."""
    loops: list[Tokens] = field(default_factory=list)
    """What its loops go over."""


class BodyReader:
    """Reads one body; a language changes what it must by overriding."""

    syntax: Syntax
    throws_are_failures = False

    def __init__(self, syntax: Syntax, constants: dict[str, Tokens]) -> None:
        self.syntax = syntax
        self.body = Body(bindings=dict(constants))
        self.text = b""
        """Of the whole body."""

    def read(self, node: Node | None) -> Body:
        if node is not None:
            self.text = node.text or b""
            self.walk(node, Context())
        self.body.rows.extend(rows_elsewhere(self.body.bindings, self.body.loops, self.text))
        return self.body

    def walk(self, node: Node, context: Context) -> None:
        kind, syntax = node.type, self.syntax
        if kind in syntax.comments or kind in syntax.strings:
            return
        if kind in syntax.blocks:
            self.walk_block(node.named_children, context)
        elif kind in syntax.ifs:
            self._walk_if(node, context)
        elif kind in syntax.tries:
            self._walk_try(node, context)
        elif kind in syntax.loops:
            self._walk_loop(node, context)
        elif kind in syntax.calls:
            self.walk_call(node, context)
        else:
            if kind in syntax.bindings:
                self._bind(node)
            if self._is_idle(node):
                context = replace(context, is_dead=True)
            self.walk_other(node, context)

    def walk_other(self, node: Node, context: Context) -> None:
        """Whatever the language alone has."""
        for child in node.named_children:
            self.walk(child, context)

    def walk_block(self, statements: Sequence[Node], context: Context) -> None:
        for statement in statements:
            self.walk(statement, context)
            if self._is_exit(statement):
                context = replace(context, is_dead=True)
            elif statement.type in self.syntax.ifs or self._inner(statement).type in self.syntax.ifs:
                context = self._after_if(self._inner(statement), context)

    def _is_idle(self, node: Node) -> bool:
        """Whether a function is written here that nothing in the body names again."""
        left, right = self.syntax.bindings.get(node.type, ("name", "body"))
        name, value = node.child_by_field_name(left), node.child_by_field_name(right)
        if name is None or value is None:
            return False
        if node.type == "function_definition":
            if node.parent is not None and node.parent.type == "decorated_definition":
                return False
        elif value.type not in self.syntax.functions:
            return False
        word = name.text or b""
        if len(self.text) > _MAX_SEARCHED:
            return False
        return (
            word.isascii()
            and word.decode().isidentifier()
            and len(re.findall(rb"\b%s\b" % re.escape(word), self.text)) == 1
        )

    def add(self, claims: list[Claim], context: Context) -> None:
        for claim in claims:
            self.body.claims.append(
                replace(
                    claim,
                    guards=context.guards,
                    is_swallowed=context.is_swallowed or claim.is_swallowed,
                    is_dead=context.is_dead or claim.is_dead,
                    origin=resolve(claim.subject, self.body.bindings),
                    value=resolve(claim.expected, self.body.bindings),
                    maker=maker_of(claim.subject, self.body.bindings),
                )
            )

    def callee(self, node: Node) -> Tokens:
        return self.syntax.tokens(node.child_by_field_name("function"))

    def walk_call(self, node: Node, context: Context) -> None:
        callee = self.callee(node)
        arguments = node.child_by_field_name("arguments")
        if not self.read_call(node, callee, arguments, context):
            for child in node.named_children:
                self.walk(child, context)
        elif arguments is not None:
            self._walk_closures(arguments, context)

    def read_call(self, node: Node, callee: Tokens, arguments: Node | None, context: Context) -> bool:
        """Take a call for what it claims; False where it is an ordinary one."""
        names = [leaf for leaf in callee if is_name(leaf)]
        if not names:
            return False
        last = names[-1]
        self._note_call(names, context)
        line = line_of(node)
        if last in _SKIPS or last in _ASSUMPTIONS:
            return self._skip(callee, context)
        if last in _ENDINGS and names[0] in ("os", "sys", "process", "System", "std", "Runtime"):
            self.body.exits.append(" ".join(callee))
            return True
        if last in ("recover", "catch_unwind"):
            self.body.exits.append(last)
        if self.is_failure(names):
            self.add([Claim("reached", (last,), line=line)], context)
            return True
        if (names[0] in ROOTS or names[0] in VERIFIERS or "expect" in names[:2]) and self._chain(node, line, context):
            return True
        if self.is_assertion(names):
            given = self.arguments(arguments)
            self.add(claims_of_matcher(last, self.receiver_of(callee, names), given, line), context)
            return True
        return False

    def _note_call(self, names: Sequence[str], context: Context) -> None:
        if context.is_dead:
            self.body.dead_calls.add(names[-1])
            return
        self.body.calls.add(names[-1])
        if len(names) == 1 or names[0] in ("self", "cls", "this", "Self"):
            self.body.own_calls.add(names[-1])

    def arguments(self, node: Node | None) -> list[Tokens]:
        tokens = self.syntax.tokens(node)
        return split_top(tokens[1:-1], (",",)) if tokens else []

    def is_assertion(self, names: Sequence[str]) -> bool:
        last = names[-1]
        if len(names) > 1 and names[-2] in _RECEIVERS and is_matcher(last):
            return True
        return is_helper(last) or (len(names) == 1 and last == "assert")

    def receiver_of(self, callee: Tokens, names: Sequence[str]) -> Tokens | None:
        """The mock of `mock.assert_called_with`; None for other calls."""
        of_mock = squeeze(names[-1]).startswith(("assertcalled", "assertany", "asserthas", "assertnot"))
        return callee[:-2] if of_mock and len(names) > 1 and names[0] not in ("self", "cls") else None

    def is_failure(self, names: Sequence[str]) -> bool:
        return names[-1] in FAILURES

    def _chain(self, node: Node, line: int, context: Context) -> bool:
        links = chain_of(self.syntax.tokens(node))
        if not any(name in ROOTS or name in VERIFIERS for name, _ in links):
            return False
        claims = claims_of_chain(links, line)
        self.add(claims, context)
        return bool(claims)

    def _skip(self, callee: Tokens, context: Context) -> bool:
        if not context.is_dead:
            conditional = bool(context.guards) or callee[-1] in _ASSUMPTIONS
            self.body.marks.append((SKIP_IF if conditional else SKIP, " ".join(callee)))
        return True

    def _walk_closures(self, node: Node, context: Context) -> None:
        """Functions handed to an assertion have bodies of their own."""
        for child in node.named_children:
            if child.type in self.syntax.functions:
                self.walk(child, context)
            elif child.child_count:
                self._walk_closures(child, context)

    def _walk_if(self, node: Node, context: Context) -> None:
        condition = self.syntax.tokens(node.child_by_field_name("condition"))
        consequence, alternatives = node.child_by_field_name("consequence"), node.children_by_field_name("alternative")
        self._walk_field(node, "initializer", context)
        inner = replace(context, is_dead=True) if is_certain(condition, False) else context.under(condition)
        if consequence is not None:
            if self.fails(consequence):
                self.add(claims_of_condition(condition, line_of(node), holds=False), context)
                self._walk_without_failures(consequence, inner)
            else:
                self.walk(consequence, context if is_certain(condition, True) else inner)
        for alternative in alternatives:
            if self.fails(alternative):
                self.add(claims_of_condition(condition, line_of(node)), context)
                self._walk_without_failures(alternative, inner)
            else:
                self.walk(alternative, replace(context, is_dead=True) if is_certain(condition, True) else inner)

    def _walk_field(self, node: Node, name: str, context: Context) -> None:
        child = node.child_by_field_name(name)
        if child is not None:
            self.walk(child, context)

    def fails(self, block: Node) -> bool:
        """Whether a block makes the test fail as soon as it is entered."""
        return any(self._is_failing(statement) for statement in self._statements(block))

    def _statements(self, block: Node) -> list[Node]:
        if block.type in self.syntax.ifs:
            return []
        children = block.named_children
        if len(children) == 1 and children[0].type in self.syntax.blocks:
            return children[0].named_children
        return children if block.type in self.syntax.blocks or block.type == "else_clause" else [block]

    def _is_failing(self, statement: Node) -> bool:
        if statement.type in self.syntax.throws:
            return self.throws_are_failures or "Assert" in " ".join(self.syntax.tokens(statement)[:4])
        inner = self._inner(statement)
        if inner.type not in self.syntax.calls:
            return False
        names = [leaf for leaf in self.callee(inner) if is_name(leaf)]
        return bool(names) and self.is_failure(names)

    def _walk_without_failures(self, block: Node, context: Context) -> None:
        for statement in self._statements(block):
            if not self._is_failing(statement):
                self.walk(statement, context)

    def _walk_try(self, node: Node, context: Context) -> None:
        handlers = [child for child in node.named_children if child.type in self.syntax.handlers]
        before = len(self.body.claims)
        caught: list[Claim] = []
        must_raise = self._must_raise(node, handlers)
        for handler in handlers:
            start = len(self.body.claims)
            self.walk_other(handler, context if must_raise else context.under(("an-error",)))
            caught += self.body.claims[start:]
        swallowed = bool(handlers) and not caught and not any(map(self._rethrows, handlers))
        del self.body.claims[before:]
        for child in node.named_children:
            if child.type in self.syntax.handlers:
                continue
            is_body = child == node.child_by_field_name("body")
            self.walk(child, replace(context, is_swallowed=True) if swallowed and is_body else context)
        self.body.claims.extend(caught)

    def _must_raise(self, node: Node, handlers: list[Node]) -> bool:
        """Whether a `try` that ends without an error fails the test, so that what its handlers claim is claimed."""
        body = node.child_by_field_name("body")
        rest = [child for child in node.named_children if child not in handlers and child != body]
        return any(self._fails_within(child) for child in [body, *rest] if child is not None)

    def _fails_within(self, node: Node) -> bool:
        return self._is_failing(node) or any(map(self._fails_within, node.named_children))

    def _rethrows(self, handler: Node) -> bool:
        if handler.type in self.syntax.throws:
            return True
        if handler.type in self.syntax.calls:
            names = [leaf for leaf in self.callee(handler) if is_name(leaf)]
            if names and (self.is_failure(names) or names[-1] in ("done", "reject", "next", "skip", "Skip")):
                return True
        return any(map(self._rethrows, handler.named_children))

    def _walk_loop(self, node: Node, context: Context) -> None:
        iterable = next((found for name in self.syntax.iterables if (found := self.loop_field(node, name))), None)
        if iterable is not None:
            tokens = self.syntax.tokens(iterable)
            literal = self.body.bindings.get(tokens[0], ()) if len(tokens) == 1 else tokens
            if literal in (("[", "]"), ("(", ")"), ("{", "}")) or is_no_range(tokens):
                context = replace(context, is_dead=True)
            self.body.loops.append(tokens)
            self.body.rows.extend(rows_of(literal))
        condition = node.child_by_field_name("condition")
        if condition is not None and is_certain(self.syntax.tokens(condition), False):
            context = replace(context, is_dead=True)
        for child in node.named_children:
            if child == node.child_by_field_name("body"):
                self.walk(child, context)
            elif child != iterable:
                left = child.child_by_field_name("left") or child
                self.body.loop_names.update(leaf for leaf in self.syntax.tokens(left) if is_name(leaf))

    def loop_field(self, node: Node, name: str) -> Node | None:
        return node.child_by_field_name(name)

    def _bind(self, node: Node) -> None:
        left, right = self.syntax.bindings[node.type]
        value = self.syntax.tokens(node.child_by_field_name(right))
        names = [leaf for leaf in self.syntax.tokens(node.child_by_field_name(left)) if leaf != "mut"]
        if not value or len(value) > 20_000:
            return
        if "." in names and _STAND_IN.search(" ".join(value[:12])):
            self.body.patches.append(("=", tuple(names)))
        targets = split_top(tuple(names), (",",))
        values = split_top(value, (",",)) if len(targets) > 1 else [value]
        for position, target in enumerate(targets):
            if len(target) == 1 and is_name(target[0]):
                if len(values) == len(targets):
                    self.body.bindings[target[0]] = values[position]
                else:
                    self.body.bindings[target[0]] = (*value, f"#{position}") if position else value

    def _is_exit(self, statement: Node) -> bool:
        inner = self._inner(statement)
        if inner.type in self.syntax.exits or inner.type in self.syntax.throws:
            return True
        if inner.type not in self.syntax.calls:
            return False
        names = [leaf for leaf in self.callee(inner) if is_name(leaf)]
        return bool(names) and names[-1] in _SKIPS and len(names) > 1

    def _inner(self, statement: Node) -> Node:
        """The expression of an expression statement."""
        while statement.type in ("expression_statement", "await_expression", "await") and statement.named_children:
            statement = statement.named_children[0]
        return statement

    def _after_if(self, statement: Node, context: Context) -> Context:
        """`if (x) return;` guards all that follows in its block."""
        consequence = statement.child_by_field_name("consequence")
        if consequence is None or statement.child_by_field_name("alternative") is not None or self.fails(consequence):
            return context
        statements = self._statements(consequence)
        if not statements or not self._is_exit(statements[-1]):
            return context
        condition = self.syntax.tokens(statement.child_by_field_name("condition"))
        if is_certain(condition, True):
            return replace(context, is_dead=True)
        return context.under(("unless" if len(statements) == 1 else "not", *condition))
