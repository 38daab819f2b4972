"""What a Python file imports and defines, read with tree-sitter so that a file with errors still says most of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from switchyard_context.facts import Definition, DefinitionKind, EdgeKind, FileFacts, Import
from switchyard_context.languages.grammar import Grammar, first_line_of, last_line_of, text_of
from switchyard_context.languages.python_outline import outline

if TYPE_CHECKING:
    from tree_sitter import Node


_QUERY = """
(import_statement) @import
(import_from_statement) @from
(function_definition) @function
(class_definition) @class
(module (expression_statement (assignment left: (identifier)) @assignment))
(module (type_alias_statement) @alias)
"""
_RARE = re.compile(rb"import_module|__import__|TYPE_CHECKING|\bMYPY\b")
_RARE_QUERY = """
(call arguments: (argument_list)) @call
(if_statement) @branch
(elif_clause) @branch
"""
_TYPE_ONLY = re.compile(r"\(?(?P<not>not\s+)?(?:\w+\.)*(?:TYPE_CHECKING|MYPY)\b(?!.*\bor\b)", re.DOTALL)
# A module of data: its constants are too many to be of use.
_DATA_BYTES = 400_000


@cache
def _grammar(query: str) -> Grammar:
    return Grammar("tree_sitter_python", query)


@dataclass
class _Scope:
    """The definitions that enclose the node being read; captures come in the order of the file."""

    ends: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    type_only: list[tuple[int, int]] = field(default_factory=list)
    """Blocks for type checkers: (first byte, end)."""

    def is_type_only(self, position: int) -> bool:
        return any(first <= position < end for first, end in self.type_only)

    def leave(self, position: int) -> None:
        while self.ends and self.ends[-1] <= position:
            self.ends.pop()
            self.names.pop()
            self.kinds.pop()

    def enter(self, node: Node, name: str, kind: str) -> None:
        self.ends.append(node.end_byte)
        self.names.append(name)
        self.kinds.append(kind)

    def qualify(self, name: str) -> str:
        return ".".join((*self.names, name))


def read_facts(source: bytes) -> FileFacts:
    """Imports of every scope, definitions down to methods (what a function defines inside is its own affair)."""
    imports: list[Import] = []
    definitions: list[Definition] = []
    scope = _Scope()
    text = outline(source)
    grammar = _grammar(_QUERY + _RARE_QUERY if _RARE.search(text) else _QUERY)
    for capture, node in grammar.captures(text):
        scope.leave(node.start_byte)
        match capture:
            case "import" | "from":
                imports.extend(_read_import(node, scope))
            case "function" | "class":
                definitions.extend(_read_definition(node, capture, scope))
            case "branch":
                scope.type_only.extend(_type_only_block(node))
            case "call":
                imports.extend(_read_call(node))
            case _ if len(text) <= _DATA_BYTES:
                definitions.append(_read_constant(node))
    return FileFacts(tuple(imports), tuple(definitions))


def _type_only_block(branch: Node) -> Iterator[tuple[int, int]]:
    """Where a branch's statements are for type checkers alone: (first byte, end)."""
    found = _TYPE_ONLY.match(text_of(branch.child_by_field_name("condition")))
    block = branch.child_by_field_name("consequence")
    whole = branch.parent if branch.type == "elif_clause" else branch
    if found is None or block is None or whole is None:
        return
    yield (block.end_byte, whole.end_byte) if found["not"] else (block.start_byte, block.end_byte)


def _read_import(node: Node, scope: _Scope) -> Iterator[Import]:
    kind: EdgeKind = "type" if scope.is_type_only(node.start_byte) else "import"
    is_public = "function" not in scope.kinds
    line = first_line_of(node)
    if node.type == "import_statement":
        for name, bound in _imported_names(node):
            # `import a.b` binds `a`, which is not what it imports; only `import a.b as c` can be imported again.
            yield Import(line, name, (("", bound),) if bound != name else (), kind, is_public)
        return
    module = text_of(node.child_by_field_name("module_name")).replace(" ", "")
    names = tuple(_imported_names(node))
    if any(child.type == "wildcard_import" for child in node.children):
        names = (("*", "*"),)
    if module and names:
        yield Import(line, module, names, kind, is_public)


def _imported_names(node: Node) -> Iterator[tuple[str, str]]:
    for child in node.children_by_field_name("name"):
        if child.type == "aliased_import":
            name = text_of(child.child_by_field_name("name"))
            yield name, text_of(child.child_by_field_name("alias"))
        elif child.type == "dotted_name":
            name = "".join(text_of(child).split())
            yield name, name


def _read_definition(node: Node, capture: str, scope: _Scope) -> Iterator[Definition]:
    name = text_of(node.child_by_field_name("name"))
    is_nested = "function" in scope.kinds
    if name and not is_nested:
        kind: DefinitionKind = "class" if capture == "class" else "method" if scope.names else "function"
        outer = node.parent if node.parent is not None and node.parent.type == "decorated_definition" else node
        yield Definition(scope.qualify(name), kind, first_line_of(outer), _header_line(node), last_line_of(node))
    scope.enter(node, name, capture)


def _header_line(node: Node) -> int:
    """The line of the colon: nothing may stand between it and what comes last before it."""
    for name in ("return_type", "parameters", "superclasses", "type_parameters"):
        last = node.child_by_field_name(name)
        if last is not None:
            return last.end_point.row + 1
    return first_line_of(node)


def _read_constant(node: Node) -> Definition:
    name = text_of(node.child_by_field_name("left"))
    first = first_line_of(node)
    return Definition(name.partition("[")[0].strip(), "constant", first, first, last_line_of(node))


def _read_call(node: Node) -> Iterator[Import]:
    """`import_module("a.b")`, also relative to a literal package or to the one the file is in."""
    if text_of(node.child_by_field_name("function")).rpartition(".")[2] not in ("import_module", "__import__"):
        return
    values = dict(_arguments(node))
    module, package = _literal(values.get("name")), _literal(values.get("package"))
    if module.startswith(".") and package:
        parts = package.split(".")
        parents = len(module) - len(module.lstrip(".")) - 1
        module = ".".join((*parts[: len(parts) - parents], module.lstrip("."))) if parents < len(parts) else ""
    if module.strip("."):
        yield Import(first_line_of(values["name"]), module, (), "dynamic", is_public=False)


def _arguments(call: Node) -> Iterator[tuple[str, Node]]:
    arguments = call.child_by_field_name("arguments")
    plain = iter(("name", "package"))
    for child in arguments.named_children if arguments is not None else ():
        value = child.child_by_field_name("value")
        if child.type == "keyword_argument" and value is not None:
            yield text_of(child.child_by_field_name("name")), value
        elif child.type not in ("comment", "keyword_argument"):
            yield next(plain, ""), child


def _literal(node: Node | None) -> str:
    """The text of a plain string; empty for whatever is put together at run time."""
    if node is None or node.type != "string" or len(node.children) != 3:
        return ""
    return text_of(node.children[1]) if node.children[1].type == "string_content" else ""
