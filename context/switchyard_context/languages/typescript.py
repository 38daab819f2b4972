"""What a TypeScript or JavaScript file imports and defines; `<T>x` and `<T/>` need grammars of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from switchyard_context.facts import Definition, DefinitionKind, EdgeKind, FileFacts, Import
from switchyard_context.languages.grammar import Grammar, first_line_of, last_line_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node


_MODULES = """
(import_statement) @import
(export_statement source: (string)) @export
(export_statement (export_clause)) @export
(call_expression function: (import) arguments: (arguments) @call)
(call_expression function: (identifier) @callee arguments: (arguments) @call (#eq? @callee "require"))
(call_expression function: (member_expression object: (identifier) @owner) arguments: (arguments) @call
  (#any-of? @owner "jest" "vi" "vitest" "require"))
"""
_DEFINITIONS = """
(function_declaration) @function
(generator_function_declaration) @function
(class_declaration) @class
(method_definition) @method
(program (lexical_declaration (variable_declarator name: (identifier)) @variable))
(program (variable_declaration (variable_declarator name: (identifier)) @variable))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier)) @variable)))
"""
_TYPES = """
(module name: (string) @augmented)
(abstract_class_declaration) @class
(interface_declaration) @type
(type_alias_declaration) @type
(enum_declaration) @type
(internal_module) @module_block
(function_signature) @function
(internal_module (statement_block
  (export_statement (lexical_declaration (variable_declarator name: (identifier)) @variable))))
"""
_KINDS: dict[str, DefinitionKind] = {
    "function": "function",
    "class": "class",
    "method": "method",
    "type": "type",
    "module_block": "module",
}
_FUNCTION_VALUES = frozenset({"arrow_function", "function_expression", "generator_function", "function"})
_MOCKS = frozenset(
    (
        *("mock", "doMock", "unmock", "doUnmock", "dontMock", "setMock"),
        *("importActual", "importMock", "requireActual", "requireMock"),
    )
)
_HEAD = re.compile(rb"(?:\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/|#![^\n]*+)*+")
_REFERENCE = re.compile(rb"""^[ \t]*///\s*<reference\s[^>\n]*?\bpath\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)
_TYPE_PLACES = frozenset({"type_query", "type_annotation", "type_alias_declaration", "type_arguments", "generic_type"})


@cache
def _grammar(name: str) -> Grammar:
    match name:
        case "typescript":
            return Grammar("tree_sitter_typescript", _MODULES + _DEFINITIONS + _TYPES, "language_typescript")
        case "tsx":
            return Grammar("tree_sitter_typescript", _MODULES + _DEFINITIONS + _TYPES, "language_tsx")
        case _:
            return Grammar("tree_sitter_javascript", _MODULES + _DEFINITIONS)


@dataclass
class _Scope:
    """The definitions that enclose the node being read; captures come in the order of the file."""

    ends: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    functions: list[bool] = field(default_factory=list)

    def leave(self, position: int) -> None:
        while self.ends and self.ends[-1] <= position:
            self.ends.pop()
            self.names.pop()
            self.functions.pop()

    def enter(self, node: Node, name: str, *, is_function: bool) -> None:
        self.ends.append(node.end_byte)
        self.names.append(name)
        self.functions.append(is_function)

    @property
    def is_in_function(self) -> bool:
        return any(self.functions)


def read_typescript(source: bytes) -> FileFacts:
    return _read(source, "typescript")


def read_tsx(source: bytes) -> FileFacts:
    return _read(source, "tsx")


def read_javascript(source: bytes) -> FileFacts:
    return _read(source, "javascript")


def _read(source: bytes, grammar: str) -> FileFacts:
    imports: list[Import] = []
    definitions: list[Definition] = []
    scope = _Scope()
    augmented: list[Import] = []
    seen: set[int] = set()
    for capture, node in _grammar(grammar).captures(source):
        scope.leave(node.start_byte)
        if node.id in seen or capture in ("callee", "owner"):
            continue
        seen.add(node.id)
        match capture:
            case "call":
                imports.extend(_read_call(node))
            case "import":
                imports.extend(_read_import(node))
            case "augmented":
                augmented.append(Import(first_line_of(node), _string(node), (), "type", is_public=False))
            case "export":
                imports.extend(_read_export(node))
            case _:
                definitions.extend(_read_definition(node, capture, scope))
    if b"<reference" in source:
        imports.extend(_read_references(source))
    if imports:
        # In a module `declare module "x"` adds to x; in a script it declares one that need not exist.
        imports = sorted([*imports, *augmented], key=lambda item: item.line)
    return FileFacts(tuple(imports), tuple(_join_overloads(definitions)))


def _read_import(node: Node) -> Iterator[Import]:
    clause = _child(node, "import_clause")
    required = _child(node, "import_require_clause")
    source = node.child_by_field_name("source")
    if source is None and required is not None:
        source = required.child_by_field_name("source")
    names = tuple(_clause_names(clause)) if clause is not None else ()
    is_type = _has_keyword(node, "type") or (clause is not None and _is_all_types(clause))
    if source is not None:
        yield Import(first_line_of(node), _string(source), names, "type" if is_type else "import", is_public=False)


def _clause_names(clause: Node) -> Iterator[tuple[str, str]]:
    for child in clause.children:
        if child.type == "identifier":
            yield "default", text_of(child)
        elif child.type == "namespace_import":
            yield "*", text_of(child.children[-1])
        elif child.type == "named_imports":
            yield from _specifiers(child, "import_specifier")


def _specifiers(clause: Node, kind: str) -> Iterator[tuple[str, str]]:
    for child in clause.children:
        if child.type == kind:
            name = text_of(child.child_by_field_name("name"))
            alias = child.child_by_field_name("alias")
            yield name, text_of(alias) if alias is not None else name


def _is_all_types(clause: Node) -> bool:
    named = [child for child in clause.children if child.type not in (",",)]
    if len(named) != 1 or named[0].type != "named_imports":
        return False
    specifiers = [child for child in named[0].children if child.type == "import_specifier"]
    return bool(specifiers) and all(_has_keyword(child, "type") for child in specifiers)


def _read_export(node: Node) -> Iterator[Import]:
    """`export … from`, and `export { a }` as a re-export of this file's own binding (an empty module)."""
    source = node.child_by_field_name("source")
    clause, namespace = _child(node, "export_clause"), _child(node, "namespace_export")
    if clause is not None:
        names = tuple(_specifiers(clause, "export_specifier"))
    elif namespace is not None:
        names = (("*", text_of(namespace.children[-1])),)
    else:
        names = (("*", "*"),)
    kind: EdgeKind = "type" if _has_keyword(node, "type") else "reexport"
    yield Import(first_line_of(node), _string(source) if source is not None else "", names, kind)


def _read_call(arguments: Node) -> Iterator[Import]:
    """`import("./x")`, `require("./x")`, `vi.mock("./x")`."""
    callee = text_of(arguments.parent.child_by_field_name("function")) if arguments.parent is not None else ""
    module = next((child for child in arguments.named_children if child.type != "comment"), None)
    if module is None or not _is_literal(module):
        return
    kind: EdgeKind = "dynamic"
    if callee in ("require", "require.resolve"):
        kind = "import"
    elif callee == "import":
        kind = "type" if _is_in_type(arguments) else "dynamic"
    elif callee.rpartition(".")[2] not in _MOCKS:
        return
    yield Import(first_line_of(module), _string(module), (), kind, is_public=False)


def _is_literal(node: Node) -> bool:
    if node.type == "template_string":
        return all(child.type == "string_fragment" for child in node.named_children)
    return node.type == "string"


def _read_references(source: bytes) -> Iterator[Import]:
    """`/// <reference path="./globals.d.ts" />`, which counts among the comments before the first statement."""
    head = _HEAD.match(source)
    for found in _REFERENCE.finditer(source, 0, head.end() if head else 0):
        path = found[1].decode("utf-8", "replace")
        line = source.count(b"\n", 0, found.start(1)) + 1
        yield Import(line, path if path.startswith(("./", "../")) else f"./{path}", (), "type", is_public=False)


def _is_in_type(node: Node) -> bool:
    parent = node.parent
    while parent is not None and not parent.type.endswith("_statement"):
        if parent.type in _TYPE_PLACES:
            return True
        if parent.type in ("await_expression", "statement_block", "arrow_function"):
            return False
        parent = parent.parent
    return False


def _read_definition(node: Node, capture: str, scope: _Scope) -> Iterator[Definition]:
    name = _string(node.child_by_field_name("name")) if node.child_by_field_name("name") else ""
    value = node.child_by_field_name("value")
    is_function = capture in ("function", "method") or (value is not None and value.type in _FUNCTION_VALUES)
    if name and not scope.is_in_function and not (capture == "method" and not scope.names):
        kind: DefinitionKind = _KINDS.get(capture, "function" if is_function else "constant")
        outer = _statement(node)
        yield Definition(
            ".".join((*scope.names, name)), kind, first_line_of(outer), _header_line(node, value), last_line_of(outer)
        )
    if capture != "type":
        scope.enter(node, name, is_function=is_function or capture == "variable")


def _statement(node: Node) -> Node:
    """The whole statement, so that `export`, `const` and decorators belong to the definition."""
    while node.parent is not None and node.parent.type in (
        "export_statement",
        "lexical_declaration",
        "variable_declaration",
        "ambient_declaration",
    ):
        node = node.parent
    return node


def _header_line(node: Node, value: Node | None) -> int:
    body = node.child_by_field_name("body")
    if body is None and value is not None:
        body = value.child_by_field_name("body")
        if body is None:
            return first_line_of(node)
    return first_line_of(body) if body is not None else last_line_of(node)


def _join_overloads(definitions: list[Definition]) -> Iterator[Definition]:
    """Overload signatures and the implementation that follows them are one definition."""
    pending: Definition | None = None
    for item in definitions:
        if pending is not None and item.name == pending.name and item.kind == pending.kind == "function":
            pending = Definition(item.name, item.kind, pending.first_line, item.header_line, item.last_line)
            continue
        if pending is not None:
            yield pending
        pending = item
    if pending is not None:
        yield pending


def _child(node: Node, kind: str) -> Node | None:
    return next((child for child in node.children if child.type == kind), None)


def _has_keyword(node: Node, keyword: str) -> bool:
    return any(child.type == keyword for child in node.children)


def _string(node: Node | None) -> str:
    return text_of(node).strip("\"'`")
