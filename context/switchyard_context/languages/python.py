"""What a Python file imports and defines, read with tree-sitter so that a file with errors still says most of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node

from switchyard_context.facts import Definition, DefinitionKind, EdgeKind, FileFacts, Import
from switchyard_context.languages.grammar import Grammar, first_line_of, last_line_of, text_of

SUFFIXES = (".py", ".pyi", ".pyw")
VERSION = 1

_QUERY = """
(import_statement) @import
(import_from_statement) @from
(function_definition) @function
(class_definition) @class
(if_statement condition: [(identifier) (attribute)]) @branch
"""
_CONSTANTS_QUERY = """
(module (expression_statement (assignment left: (identifier)) @assignment))
(module (type_alias_statement) @alias)
"""
# A module of data: its constants are too many to be of use, and would take longer than everything else.
_DATA_BYTES = 400_000
_DYNAMIC_QUERY = """
(call function: [(identifier) (attribute)] @callee arguments: (argument_list . (string) @module)) @call
"""


@cache
def _grammar(query: str) -> Grammar:
    return Grammar(Language(tree_sitter_python.language()), query)


@dataclass
class _Scope:
    """The definitions that enclose the node being read; captures come in the order of the file."""

    ends: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    type_only_until: int = -1

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
    query = _QUERY if len(source) > _DATA_BYTES else _QUERY + _CONSTANTS_QUERY
    for capture, node in _grammar(query).captures(source):
        scope.leave(node.start_byte)
        match capture:
            case "import" | "from":
                imports.extend(_read_import(node, scope))
            case "function" | "class":
                definitions.extend(_read_definition(node, capture, scope))
            case "branch" if _is_type_checking(node):
                block = node.child_by_field_name("consequence")
                scope.type_only_until = block.end_byte if block is not None else -1
            case "assignment" | "alias":
                definitions.append(_read_constant(node))
            case _:
                pass
    if b"import_module" in source or b"__import__" in source:
        imports.extend(_read_dynamic_imports(source))
        imports.sort(key=lambda item: item.line)
    return FileFacts(tuple(imports), tuple(definitions))


def _is_type_checking(branch: Node) -> bool:
    return text_of(branch.child_by_field_name("condition")).rpartition(".")[2] == "TYPE_CHECKING"


def _read_import(node: Node, scope: _Scope) -> Iterator[Import]:
    kind: EdgeKind = "type" if node.start_byte < scope.type_only_until else "import"
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
    colons = [child for child in node.children if child.type == ":"]
    return first_line_of(colons[-1]) if colons else first_line_of(node)


def _read_constant(node: Node) -> Definition:
    name = text_of(node.child_by_field_name("left"))
    first = first_line_of(node)
    return Definition(name.partition("[")[0].strip(), "constant", first, first, last_line_of(node))


def _read_dynamic_imports(source: bytes) -> Iterator[Import]:
    callee = ""
    for capture, node in _grammar(_DYNAMIC_QUERY).captures(source):
        if capture == "callee":
            callee = text_of(node).rpartition(".")[2]
        elif capture == "module" and callee in ("import_module", "__import__"):
            contents = [child for child in node.children if child.type == "string_content"]
            is_literal = len(node.children) == 3 and len(contents) == 1
            if is_literal and (module := text_of(contents[0])):
                yield Import(first_line_of(node), module, (), "dynamic", is_public=False)
