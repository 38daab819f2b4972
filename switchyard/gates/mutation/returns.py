"""Faults in what a function gives back: nothing, the opposite, or another value of its type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from switchyard.gates.mutation.trees import Edit, above, replaced, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_FUNCTIONS = frozenset(
    (
        *("function_declaration", "method_declaration", "func_literal", "function_item", "closure_expression"),
        *("lambda_expression", "async_block"),
    )
)
_COVERED = frozenset(
    (
        *("integer", "float", "true", "false", "none", "number", "null", "undefined", "nil", "boolean_literal"),
        *("int_literal", "float_literal", "integer_literal", "decimal_integer_literal", "null_literal"),
        *("decimal_floating_point_literal", "comparison_operator", "boolean_operator", "not_operator"),
    )
)
"""Values that other faults change already, or that are nothing."""
_LOGICAL = re.compile(r"(<=?|>=?|[!=]==?|&&|\|\|)$")
_GO_NUMBERS = re.compile(r"u?int(8|16|32|64)?|float(32|64)|byte|rune")
_GO_NIL = re.compile(r"error|\*.+|\[\].+|map\[.+|any|interface\s*\{\s*\}|func\(.*")
_JAVA_NUMBERS = re.compile(r"int|long|short|byte|float|double")
_RUST_NUMBERS = re.compile(r"[iu](8|16|32|64|128|size)")


def changed_returns(node: Node, language: str) -> Iterator[Edit]:
    """What a `return`, or an expression at a function's end, could give back instead."""
    match language:
        case "python":
            if node.type == "return_statement" and node.named_children and not _is_covered(node.named_children[0]):
                yield replaced(node.named_children[0], "None", "return", shown=node)
        case "javascript" | "typescript" | "tsx":
            yield from _of_javascript(node)
        case "go":
            yield from _of_go(node)
        case "java":
            yield from _of_java(node)
        case "rust":
            yield from _of_rust(node)


def _is_covered(value: Node) -> bool:
    if value.type == "parenthesized_expression" and value.named_children:
        return _is_covered(value.named_children[0])
    if value.type == "binary_expression":
        return any(_LOGICAL.match(child.type) for child in value.children)
    if value.type == "unary_expression":
        return text_of(value).startswith("!")
    return value.type in _COVERED or text_of(value) in ("undefined", "void 0", "nil", "None", '""')


def _of_javascript(node: Node) -> Iterator[Edit]:
    if node.type == "return_statement":
        values = [child for child in node.named_children if child.type != "comment"]
        value = values[0] if values else None
    elif node.type == "arrow_function":
        value = node.child_by_field_name("body")
        value = None if value is None or value.type == "statement_block" else value
    else:
        return
    if value is not None and not _is_covered(value):
        yield replaced(value, "undefined", "return", shown=node)


def _of_go(node: Node) -> Iterator[Edit]:
    function = above(node, _FUNCTIONS) if node.type == "return_statement" else None
    if function is None or not node.named_children:
        return
    values, types = node.named_children[0].named_children, _go_results(function.child_by_field_name("result"))
    if len(values) != len(types):
        return
    for value, kind in zip(values, types, strict=True):
        if not _is_covered(value) and (other := _go_value(kind, text_of(value))):
            yield replaced(value, other, "return", shown=node)


def _go_results(result: Node | None) -> list[str]:
    if result is None or result.type != "parameter_list":
        return [text_of(result)] if result is not None else []
    types: list[str] = []
    for declared in result.named_children:
        names = declared.children_by_field_name("name")
        types += [text_of(declared.child_by_field_name("type"))] * max(1, len(names))
    return types


def _go_value(kind: str, value: str) -> str:
    """Another value of the type that keeps in use what the first one used, where that can be."""
    if kind == "bool":
        return f"!({value})"
    if _GO_NUMBERS.fullmatch(kind):
        return f"({value}) + 1"
    if kind == "string":
        return '"mutant"' if value.startswith(('"', "`")) else f'({value}) + "mutant"'
    return "nil" if _GO_NIL.fullmatch(kind) else ""


def _of_java(node: Node) -> Iterator[Edit]:
    function = above(node, _FUNCTIONS) if node.type == "return_statement" else None
    if function is None or function.type != "method_declaration" or not node.named_children:
        return
    value, kind = node.named_children[0], text_of(function.child_by_field_name("type"))
    if _is_covered(value):
        return
    if kind == "boolean":
        yield replaced(value, f"!({text_of(value)})", "return", shown=node)
    elif _JAVA_NUMBERS.fullmatch(kind):
        yield replaced(value, "0", "return", shown=node)
    elif kind == "String":
        yield replaced(value, '"mutant"', "return", shown=node)
    elif kind[:1].isupper():
        yield replaced(value, "null", "return", shown=node)


def _of_rust(node: Node) -> Iterator[Edit]:
    value = _rust_value(node)
    function = above(value, _FUNCTIONS) if value is not None else None
    if value is None or function is None or function.type != "function_item" or _is_covered(value):
        return
    other = _rust_other(text_of(function.child_by_field_name("return_type")), text_of(value))
    if other:
        yield replaced(value, other, "return", shown=node)


def _rust_value(node: Node) -> Node | None:
    """What a `return` gives back, or a node that is the last of its function's body."""
    if node.type == "return_expression":
        return node.named_children[0] if node.named_children else None
    block = node.parent
    if block is None or block.type != "block" or block.parent is None or block.parent.type != "function_item":
        return None
    is_last = node.next_named_sibling is None and node.is_named
    is_value = not node.type.endswith(("_statement", "_declaration", "_item", "_comment")) and node.type != "label"
    return node if is_last and is_value else None


def _rust_other(kind: str, value: str) -> str:
    if kind == "bool":
        return f"!({value})"
    if _RUST_NUMBERS.fullmatch(kind):
        return f"({value}) + 1"
    if kind in ("f32", "f64"):
        return f"({value}) + 1.0"
    if kind == "String":
        return "String::new()"
    if kind in ("&str", "&'static str"):
        return '"mutant"'
    if kind.startswith("Option<"):
        return "None"
    return "Vec::new()" if kind.startswith("Vec<") else ""
