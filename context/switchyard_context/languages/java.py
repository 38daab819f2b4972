"""What a Java file imports, names and defines; Java names most of what it uses without any import.

Beside each import statement as written (`a.b` + `C`, `a.b.Outer` + `Inner`, `a.b` + `*`, static ones alike) the facts
hold what the file names and does not declare or import by itself, under the module `OWN_SCOPE`, at the line of its
first use: simple type names (`Sibling`), types written through another (`Outer.Inner`) and qualified names in code
(`com.acme.Foo`). The bound name is empty where the name stands before a dot and may turn out to be a variable. What a
type extends or implements stands there too, public because members are handed on by it, bound to the type that
inherits (to nothing where that is local or anonymous).

Names that only stand in comments, Javadoc's `{@link}` among them, do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from switchyard_context.facts import Definition, DefinitionKind, FileFacts, Import
from switchyard_context.languages.grammar import Grammar, first_line_of, last_line_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

OWN_SCOPE = "."

_OUTLINE = """
(package_declaration [(identifier) (scoped_identifier)] @package)
(import_declaration) @import
(module_declaration) @module
[(class_declaration) (record_declaration) (enum_declaration)] @class
[(interface_declaration) (annotation_type_declaration)] @type
[(method_declaration) (constructor_declaration) (compact_constructor_declaration)
 (annotation_type_element_declaration)] @method
[(field_declaration) (constant_declaration)] @field
(enum_constant) @constant
(class_body [(block) (static_initializer)] @block)
(superclass (_) @super)
(super_interfaces (type_list (_) @super))
(extends_interfaces (type_list (_) @super))
(object_creation_expression type: (_) @anonymous (class_body))
"""
_NAMES = """
(type_parameter (type_identifier) @parameter)
(type_identifier) @use
(scoped_type_identifier) @scoped
(annotation name: (identifier) @use)
(annotation name: (scoped_identifier) @scoped)
(marker_annotation name: (identifier) @use)
(marker_annotation name: (scoped_identifier) @scoped)
(record_pattern . (identifier) @use)
(method_invocation object: (identifier) @head)
(field_access object: (identifier) @head)
(method_reference . (identifier) @head)
(field_access object: (field_access object: (identifier) @path))
(uses_module_directive (scoped_identifier) @scoped)
(provides_module_directive (scoped_identifier) @scoped)
"""
_INSIDES = frozenset({"method", "field", "constant", "block"})
# Beyond this nobody nests types by hand, and qualified names would grow with the square of the file.
_MAX_DEPTH = 40
_PLAIN = re.compile(rb"[\w$\x80-\xff]+(?:\.[\w$\x80-\xff]+)*")
_BETWEEN = re.compile(rb"@[\w.$]+\s*(?:\([^)]*\))?|\s+")
_QUALIFIED = re.compile(rb"(?:[a-z_]\w*\s*\.\s*){2,}[A-Z]\w*(?:\s*\.\s*[A-Z]\w*[a-z]\w*)?")


@cache
def _grammar() -> Grammar:
    return Grammar("tree_sitter_java", _OUTLINE + _NAMES)


@dataclass
class _Outline:
    """What the file declares, in the order of the file."""

    package: str = ""
    imports: list[Import] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    bases: list[tuple[int, bytes, str]] = field(default_factory=list)
    """(position, supertype as written, the type declared here that has it; empty for one without a name)"""
    declared: set[bytes] = field(default_factory=set)
    """Simple names of all types declared here, local ones too."""
    open_scopes: list[tuple[int, str, bool]] = field(default_factory=list)
    """(end, qualified name, whether it is code rather than the body of a type)"""

    def leave(self, position: int) -> None:
        while self.open_scopes and self.open_scopes[-1][0] <= position:
            self.open_scopes.pop()

    @property
    def owner(self) -> str:
        return self.open_scopes[-1][1] if self.open_scopes else ""

    @property
    def is_in_code(self) -> bool:
        return bool(self.open_scopes) and self.open_scopes[-1][2]

    def qualify(self, name: str) -> str:
        return f"{self.owner}.{name}" if self.owner else name


def read_facts(source: bytes) -> FileFacts:
    """Imports, names used, and definitions down to members (what a method declares inside is its own affair)."""
    found = _grammar().nodes(source)
    outline = _read_outline(found, source)
    imports = [*outline.imports, *_read_scope(found, outline, source)]
    imports.sort(key=lambda item: item.line)
    return FileFacts(tuple(imports), tuple(outline.definitions), outline.package)


_OUTLINE_CAPTURES = (
    "package", "import", "module", "class", "type", "method", "field", "constant", "block", "super", "anonymous",
)  # fmt: skip


def _read_outline(found: dict[str, list[Node]], source: bytes) -> _Outline:
    outline = _Outline()
    pairs = [
        (node.start_byte, -node.end_byte, name, node) for name in _OUTLINE_CAPTURES for node in found.get(name, ())
    ]
    pairs.sort(key=lambda pair: pair[:3])
    for start, _, capture, node in pairs:
        outline.leave(start)
        match capture:
            case "package":
                outline.package = _dotted(source[start : node.end_byte])
            case "import":
                outline.imports.extend(_read_import(node, source))
            case "super" | "anonymous":
                name = _base_name(node, source)
                if name:
                    is_named = capture == "super" and not outline.is_in_code
                    outline.bases.append((start, name, outline.owner if is_named else ""))
            case "module":
                outline.definitions.append(_define(node, text_of(node.child_by_field_name("name")), "module"))
            case _:
                _read_definition(node, capture, outline)
    return outline


def _read_import(node: Node, source: bytes) -> Iterator[Import]:
    path = next((child for child in node.named_children if child.type in ("scoped_identifier", "identifier")), None)
    if path is None:
        return
    name = _dotted(source[path.start_byte : path.end_byte])
    if any(child.type == "asterisk" for child in node.named_children):
        module, last = name, "*"
    else:
        module, _, last = name.rpartition(".")
    if module:
        yield Import(first_line_of(node), module, ((last, last),), "import", is_public=False)


def _read_definition(node: Node, capture: str, outline: _Outline) -> None:
    name = text_of(node.child_by_field_name("name"))
    if capture in ("class", "type"):
        outline.declared.add(name.encode())
    if not outline.is_in_code:
        if capture == "field":
            outline.definitions.extend(_read_constants(node, outline))
        elif name and (outline.owner or capture in ("class", "type")):
            kind: DefinitionKind = (
                "class"
                if capture == "class"
                else "type"
                if capture == "type"
                else "method"
                if capture == "method"
                else "constant"
            )
            outline.definitions.append(_define(node, outline.qualify(name), kind))
    is_code = capture in _INSIDES or outline.is_in_code or len(outline.open_scopes) >= _MAX_DEPTH
    scope_name = outline.owner if is_code else outline.qualify(name)
    outline.open_scopes.append((node.end_byte, scope_name, is_code))


def _read_constants(node: Node, outline: _Outline) -> Iterator[Definition]:
    """`static final` fields; an interface's fields are so without saying it."""
    modifiers = node.named_children[0] if node.named_children else None
    words = (modifiers.text or b"").split() if modifiers is not None and modifiers.type == "modifiers" else []
    if node.type != "constant_declaration" and not (b"static" in words and b"final" in words):
        return
    for declarator in node.children_by_field_name("declarator"):
        name = declarator.child_by_field_name("name")
        if name is not None:
            yield Definition(
                outline.qualify(text_of(name)), "constant", first_line_of(node), first_line_of(name), last_line_of(node)
            )


def _define(node: Node, name: str, kind: DefinitionKind) -> Definition:
    body = node.child_by_field_name("body")
    header = first_line_of(body) if body is not None else last_line_of(node)
    return Definition(name, kind, first_line_of(node), header, last_line_of(node))


def _base_name(node: Node, source: bytes) -> bytes:
    """The dotted name of a supertype without its type arguments; empty if it is written in no simple way."""
    if node.type == "generic_type" and node.named_children:
        node = node.named_children[0]
    name = _BETWEEN.sub(b"", source[node.start_byte : node.end_byte])
    return name if _PLAIN.fullmatch(name) else b""


def _read_scope(found: dict[str, list[Node]], outline: _Outline, source: bytes) -> Iterator[Import]:
    """The names that the file takes from around it, those of one line and one nature in one import."""
    imported = {name.encode() for item in outline.imports for name, _ in item.names if name != "*"}
    parameters = {source[node.start_byte : node.end_byte] for node in found.get("parameter", ())}
    own = outline.declared | parameters
    types = _types_used(found, source)
    heads = _heads_used(found, source)
    uses: list[tuple[int, str, str, bool]] = []
    members = {item.name.rpartition(".")[2].encode() for item in outline.definitions}
    for position, base, owner in outline.bases:
        if base.partition(b".")[0] not in own - members:
            uses.append((position, base.decode("utf-8", "replace"), owner, True))
        types.pop(base, None)
        heads.pop(base, None)
    for names, is_type in ((types, True), (heads, False)):
        for name, position in names.items():
            head, dot, _ = name.partition(b".")
            if head in own or (head in imported and not dot) or (not is_type and name in types):
                continue
            text = name.decode("utf-8", "replace")
            uses.append((position, text, text.rpartition(".")[2] if is_type else "", False))
    yield from _group(uses, source)


def _types_used(found: dict[str, list[Node]], source: bytes) -> dict[bytes, int]:
    """Names that can only be types, with the position of the first use."""
    types: dict[bytes, int] = {}
    parts: set[tuple[int, int]] = set()
    for node in found.get("scoped", ()):
        parts.update((child.start_byte, child.end_byte) for child in node.named_children)
    for capture in ("scoped", "use"):
        for node in found.get(capture, ()):
            start, end = node.start_byte, node.end_byte
            if parts and (start, end) in parts:
                continue
            name = source[start:end] if capture == "use" else _BETWEEN.sub(b"", source[start:end])
            if (name not in types or start < types[name]) and (capture == "use" or _PLAIN.fullmatch(name)):
                types[name] = start
    return types


def _heads_used(found: dict[str, list[Node]], source: bytes) -> dict[bytes, int]:
    """What stands before a dot in code and looks like a type by its capital, with the position of the first use."""
    heads: dict[bytes, int] = {}
    for node in found.get("head", ()):
        start = node.start_byte
        if not 97 <= source[start] <= 122:
            name = source[start : node.end_byte]
            if name not in heads or start < heads[name]:
                heads[name] = start
    for node in found.get("path", ()):
        qualified = _QUALIFIED.match(source, node.start_byte)
        if qualified is not None:
            heads.setdefault(_BETWEEN.sub(b"", qualified.group()), node.start_byte)
    return heads


def _group(uses: list[tuple[int, str, str, bool]], source: bytes) -> Iterator[Import]:
    uses.sort()
    groups: dict[tuple[int, bool], list[tuple[str, str]]] = {}
    line, seen = 1, 0
    for position, name, bound, is_public in uses:
        line += source.count(b"\n", seen, position)
        seen = position
        groups.setdefault((line, is_public), []).append((name, bound))
    for (first, is_public), names in groups.items():
        yield Import(first, OWN_SCOPE, tuple(names), "import", is_public)


def _dotted(written: bytes) -> str:
    return _BETWEEN.sub(b"", written).decode("utf-8", "replace")
