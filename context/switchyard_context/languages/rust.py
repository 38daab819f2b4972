"""What a Rust file defines, declares as modules and imports; items inside of macros like `cfg_rt! { … }` included.

Items come from tree-sitter, paths from `rust_paths`: a syntax tree has none inside a macro's arguments, where much of
Rust's code stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from switchyard_context.facts import Definition, DefinitionKind, FileFacts, Import
from switchyard_context.languages.grammar import first_line_of, last_line_of, load_language, text_of
from switchyard_context.languages.rust_paths import Regions, read_paths
from switchyard_context.languages.rust_text import mask, without_open_end

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Point


_KINDS: dict[str, DefinitionKind] = {
    "function_item": "function",
    "function_signature_item": "function",
    "struct_item": "class",
    "enum_item": "class",
    "union_item": "class",
    "trait_item": "type",
    "type_item": "type",
    "associated_type": "type",
    "const_item": "constant",
    "static_item": "constant",
    "macro_definition": "function",
    "mod_item": "module",
}
_DATA_KINDS = frozenset({"struct_item", "enum_item", "union_item", "macro_definition", "const_item", "static_item"})
_ITEM_KEYWORD = re.compile(rb"\b(?:mod|fn|struct|enum|union|trait|impl|const|static|type|macro_rules)\b")
_PATH_ATTRIBUTE = re.compile(r'\bpath\s*=\s*"([^"]*)"')
_MAX_MACRO_DEPTH = 6
_MAX_NESTING = 40


@cache
def _parser(use: Literal["files", "fragments"]) -> Parser:
    """A parser for each use: one keeps what it was told of a fragment's place."""
    from tree_sitter import Parser

    return Parser(load_language("tree_sitter_rust"))


@dataclass
class _Items:
    """What the walk over a file's items has found."""

    source: bytes
    definitions: list[Definition] = field(default_factory=list)
    modules: list[Import] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    regions: Regions = field(default_factory=Regions)


def read_facts(source: bytes) -> FileFacts:
    """Definitions down to methods, modules, `use` of every scope, and paths written out in code."""
    text = mask(source)
    items = _Items(without_open_end(source, text))
    _walk(_parser("files").parse(items.source).root_node, items, (), is_member=False, depth=0)
    imports = [*items.modules, *read_paths(source, text, items.regions, {d.name for d in items.definitions})]
    imports.sort(key=lambda item: item.line)
    return FileFacts(tuple(imports), tuple(items.definitions), attributes=tuple(items.attributes))


def _walk(parent: Node, items: _Items, names: tuple[str, ...], *, is_member: bool, depth: int) -> None:
    attributes: list[Node] = []
    for node in parent.children:
        kind = node.type
        if kind == "attribute_item":
            attributes.append(node)
        elif kind in _KINDS:
            _read_item(node, attributes, items, names, is_member=is_member, depth=depth)
        elif kind == "impl_item":
            owner = _type_name(node.child_by_field_name("type"))
            _walk_body(node, items, (*names, owner) if owner else names, is_member=bool(owner), depth=depth)
        elif kind == "foreign_mod_item":
            _walk_body(node, items, names, is_member=False, depth=depth)
        elif kind in ("macro_invocation", "expression_statement"):
            _read_macro(node, items, names, is_member=is_member, depth=depth)
        elif kind == "inner_attribute_item":
            items.attributes.extend(_condition(node))
        elif kind == "ERROR":
            _walk(node, items, names, is_member=is_member, depth=depth)
        if kind not in ("attribute_item", "line_comment", "block_comment"):
            attributes = []


def _condition(attribute: Node) -> list[str]:
    text = " ".join(text_of(attribute).split())
    return [text] if text.startswith("#![cfg(") else []


def _walk_body(node: Node, items: _Items, names: tuple[str, ...], *, is_member: bool, depth: int) -> None:
    body = node.child_by_field_name("body")
    if body is not None and len(names) <= _MAX_NESTING:
        _walk(body, items, names, is_member=is_member, depth=depth)


def _read_item(
    node: Node, attributes: list[Node], items: _Items, names: tuple[str, ...], *, is_member: bool, depth: int
) -> None:
    kind, name = node.type, text_of(node.child_by_field_name("name")).removeprefix("r#")
    body = node.child_by_field_name("body")
    if kind == "mod_item" and body is None:
        items.modules.append(_declared_module(node, name, attributes))
        return
    if name and name != "_":
        first = first_line_of(attributes[0] if attributes else node)
        own: DefinitionKind = "method" if is_member and _KINDS[kind] == "function" else _KINDS[kind]
        header = last_line_of(node) if body is None or kind in _DATA_KINDS else first_line_of(body)
        items.definitions.append(Definition(".".join((*names, name)), own, first, header, last_line_of(node)))
    if kind == "mod_item":
        items.regions.scopes.append((node.start_byte, node.end_byte, ".".join((*names, name))))
        _walk_body(node, items, (*names, name), is_member=False, depth=depth)
    elif kind == "trait_item":
        _walk_body(node, items, (*names, name), is_member=True, depth=depth)
    elif body is not None and _KINDS[kind] == "function":
        items.regions.functions.append((body.start_byte, body.end_byte))
    elif kind in ("const_item", "static_item"):
        items.regions.functions.append((node.start_byte, node.end_byte))
    elif kind == "macro_definition":
        items.regions.macros.append((node.start_byte, node.end_byte))


def _declared_module(node: Node, name: str, attributes: list[Node]) -> Import:
    """`mod x;` as the import of a file: `mod x`, or `mod x = "a.rs" | "b.rs"` where attributes name paths."""
    texts = [text_of(attribute) for attribute in attributes]
    paths = [f'"{path}"' for text in texts for path in _PATH_ATTRIBUTE.findall(text)]
    is_macro_use = any(text.startswith("#[macro_use") for text in texts)
    names = (("self", name), *((("macro_use", ""),) if is_macro_use else ()))
    return Import(first_line_of(node), f"mod {name}" + (f" = {' | '.join(paths)}" if paths else ""), names, "import")


def _type_name(node: Node | None) -> str:
    """`Foo` of `&a::Foo<T>`; empty for a tuple, an array or a function type."""
    while node is not None and node.type not in ("type_identifier", "primitive_type"):
        node = (
            node.child_by_field_name("name")
            if node.type == "scoped_type_identifier"
            else (node.child_by_field_name("type") or node.child_by_field_name("trait"))
        )
    return text_of(node)


def _read_macro(node: Node, items: _Items, names: tuple[str, ...], *, is_member: bool, depth: int) -> None:
    """The items that a macro wraps: its argument is read as if it stood there by itself."""
    invocation = node if node.type == "macro_invocation" else (node.children or [node])[0]
    arguments = next((child for child in invocation.children if child.type == "token_tree"), None)
    if arguments is None or depth >= _MAX_MACRO_DEPTH or arguments.child_count <= 2:
        return
    start, end = arguments.start_byte + 1, arguments.end_byte - 1
    if not _ITEM_KEYWORD.search(items.source, start, end):
        return
    from tree_sitter import Range

    parser = _parser("fragments")
    parser.included_ranges = [Range(_moved(arguments.start_point, 1), _moved(arguments.end_point, -1), start, end)]
    _walk(parser.parse(items.source).root_node, items, names, is_member=is_member, depth=depth + 1)


def _moved(point: Point, columns: int) -> Point:
    return type(point)(point.row, point.column + columns)
