"""How each language imports, calls and hides what it reaches for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from switchyard.gates.static import surface_names as names
from switchyard.gates.static.surface_reader import Language, Name, Reach, SurfaceReader, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_PYTHON = Language(
    "tree_sitter_python",
    names.PYTHON,
    members={"attribute": ("object", "attribute")},
    subscripts={"subscript": ("value", "subscript")},
    calls={"call": ("function", "arguments")},
    imports=frozenset(("import_statement", "import_from_statement")),
    bindings={
        "assignment": ("left", "right"),
        "named_expression": ("name", "value"),
        "default_parameter": ("name", "value"),
    },
    sums=frozenset(("binary_operator",)),
)
_JS_KINDS = {
    "members": {"member_expression": ("object", "property")},
    "subscripts": {"subscript_expression": ("object", "index")},
    "calls": {"call_expression": ("function", "arguments"), "new_expression": ("constructor", "arguments")},
    "imports": frozenset(("import_statement",)),
    "bindings": {"variable_declarator": ("name", "value"), "assignment_expression": ("left", "right")},
    "texts": frozenset(("string", "template_string")),
    "identifiers": frozenset(("identifier", "import")),
}
_JAVASCRIPT = Language("tree_sitter_javascript", names.JAVASCRIPT, **_JS_KINDS)  # type: ignore[arg-type]
_TYPESCRIPT = Language("tree_sitter_typescript", names.JAVASCRIPT, function="language_typescript", **_JS_KINDS)  # type: ignore[arg-type]
_TSX = Language("tree_sitter_typescript", names.JAVASCRIPT, function="language_tsx", **_JS_KINDS)  # type: ignore[arg-type]
_GO = Language(
    "tree_sitter_go",
    names.GO,
    identifiers=frozenset(("identifier", "package_identifier", "field_identifier")),
    members={"selector_expression": ("operand", "field"), "qualified_type": ("package", "name")},
    calls={"call_expression": ("function", "arguments")},
    imports=frozenset(("import_spec",)),
    texts=frozenset(("interpreted_string_literal", "raw_string_literal")),
)
_RUST = Language(
    "tree_sitter_rust",
    names.RUST,
    identifiers=frozenset(("identifier", "type_identifier", "field_identifier")),
    members={
        "scoped_identifier": ("path", "name"),
        "scoped_type_identifier": ("path", "name"),
        "field_expression": ("value", "field"),
    },
    calls={"call_expression": ("function", "arguments")},
    imports=frozenset(("use_declaration", "extern_crate_declaration")),
    bindings={"let_declaration": ("pattern", "value")},
    texts=frozenset(("string_literal", "raw_string_literal")),
    comments=frozenset(("line_comment", "block_comment")),
    unsafe=frozenset(("foreign_mod_item",)),
)
_JAVA = Language(
    "tree_sitter_java",
    names.JAVA,
    identifiers=frozenset(("identifier", "type_identifier")),
    members={
        "field_access": ("object", "field"),
        "method_invocation": ("object", "name"),
        "scoped_type_identifier": ("", ""),
    },
    calls={"object_creation_expression": ("type", "arguments")},
    imports=frozenset(("import_declaration",)),
    texts=frozenset(("string_literal",)),
    comments=frozenset(("line_comment", "block_comment")),
)


class _Python(SurfaceReader):
    def read_import(self, node: Node) -> None:
        module = text_of(node.child_by_field_name("module_name"))
        for part in node.children_by_field_name("name"):
            written = text_of(part.child_by_field_name("name") or part)
            local = text_of(part.child_by_field_name("alias"))
            if node.type == "import_from_statement":
                self.alias(local or written, (*module.split("."), *written.split(".")), node)
            else:
                full = tuple(written.split("."))
                self.alias(local or full[0], full if local else full[:1], node)
                self.imported.setdefault(written, node.start_point.row + 1)
        if any(child.type == "wildcard_import" for child in node.children):
            table = {name for name in names.PYTHON if name[: len(module.split("."))] == tuple(module.split("."))}
            for name in table:
                self.aliases.setdefault(name[-1], name)

    def special(self, node: Node, callee: Name, arguments: Node | None) -> Name | None:
        given = [child for child in (arguments.named_children if arguments else []) if child.type != "comment"]
        last = callee[-1:] and callee[-1]
        if last == "getattr" and len(given) > 1:
            attribute, owner = self.literal(given[1]), self.name_of(given[0])
            return (*owner, *attribute.split(".")) if attribute is not None and owner else ("getattr",)
        if last in ("__import__", "import_module") and given:
            module = self.literal(given[0])
            return tuple(module.split(".")) if module else callee
        return None


class _JavaScript(SurfaceReader):
    def read_import(self, node: Node) -> None:
        module = _npm_name(self.literal(node.child_by_field_name("source")) or "")
        waiting = [child for child in node.named_children if child.type == "import_clause"]
        while waiting:
            part = waiting.pop()
            if part.type == "import_specifier":
                name = text_of(part.child_by_field_name("name"))
                local = text_of(part.child_by_field_name("alias")) or name
                self.alias(local, (module,) if name == "default" else (module, name), node)
            elif part.type == "identifier":
                self.alias(text_of(part), (module,), node)
            else:
                waiting.extend(part.named_children)
        self.imported.setdefault(module, node.start_point.row + 1)

    def special(self, node: Node, callee: Name, arguments: Node | None) -> Name | None:
        given = arguments.named_children if arguments else []
        if callee[-1:] in (("require",), ("import",), ("getBuiltinModule",)) and given:
            module = self.literal(given[0])
            if module is not None and re.match("https?://", module):
                return ("fetch",)
            return None if module is None else (_npm_name(module),)
        if callee[-1:] in (("setTimeout",), ("setInterval",)) and given and self.literal(given[0]) is not None:
            return ("eval",)
        return callee if callee[-1:] in (("require",), ("import",)) else None

    def _reaches(self, node: Node) -> Iterator[Reach]:
        name = text_of(node.named_children[0]) if node.type == "jsx_attribute" and node.named_children else ""
        if name == "dangerouslySetInnerHTML":
            yield self._reach(names.LOADING, name, node)
        yield from super()._reaches(node)


def _npm_name(module: str) -> str:
    return module.removeprefix("node:").removesuffix("/index.js")


class _Go(SurfaceReader):
    def read_import(self, node: Node) -> None:
        path = (self.literal(node.child_by_field_name("path")) or "").strip()
        local = text_of(node.child_by_field_name("name")) or re.sub(r"/v\d+$", "", path).rpartition("/")[2]
        self.alias(local, tuple(re.split(r"\.(?=[^./]*$)", path)) if "/" not in path and "." in path else (path,), node)
        if local == ".":
            for name in names.GO:
                if name[0] == path and len(name) > 1:
                    self.aliases.setdefault(name[1], name)


class _Rust(SurfaceReader):
    def read_import(self, node: Node) -> None:
        waiting: list[tuple[Node, Name]] = [(child, ()) for child in node.named_children]
        while waiting:
            part, under = waiting.pop()
            path = self._path(part.child_by_field_name("path"))
            if part.type in ("use_list",):
                waiting.extend((child, under) for child in part.named_children)
            elif part.type == "scoped_use_list":
                inner = part.child_by_field_name("list")
                waiting.extend((child, (*under, *path)) for child in (inner.named_children if inner else []))
            elif part.type == "use_as_clause":
                self.alias(text_of(part.child_by_field_name("alias")), (*under, *path), node)
            elif part.type == "use_wildcard":
                self._wildcard((*under, *self._path(part.named_children[0] if part.named_children else None)), node)
            elif part.type in ("identifier", "scoped_identifier", "self"):
                name = self._path(part)
                full = under if name == ("self",) else (*under, *name)
                if full:
                    self.alias(full[-1], full, node)

    def _path(self, node: Node | None) -> Name:
        text = "".join(text_of(node).split()).removeprefix("::").replace("r#", "")
        return tuple(text.split("::")) if text else ()

    def _wildcard(self, under: Name, node: Node) -> None:
        for name in names.RUST:
            if name[: len(under)] == under and len(name) == len(under) + 1:
                self.aliases.setdefault(name[-1], name)
        self.imported.setdefault(".".join(under), node.start_point.row + 1)


class _Java(SurfaceReader):
    def read_import(self, node: Node) -> None:
        parts = [child for child in node.named_children if child.type in ("scoped_identifier", "identifier")]
        name = tuple("".join(text_of(parts[0]).split()).split(".")) if parts else ()
        if not name:
            return
        if any(child.type == "asterisk" for child in node.children):
            for known in names.JAVA:
                if known[: len(name)] == name and len(known) == len(name) + 1:
                    self.aliases.setdefault(known[-1], known)
            self.imported.setdefault(".".join(name), node.start_point.row + 1)
        else:
            self.alias(name[-1], name, node)

    def name_of(self, node: Node | None, depth: int = 0) -> Name:
        if node is not None and node.type == "method_invocation":
            owner = self.name_of(node.child_by_field_name("object"), depth + 1) if depth < 60 else ()
            name = text_of(node.child_by_field_name("name"))
            return (*owner, name) if owner else self.aliases.get(name, ("?", name))
        if node is not None and node.type == "scoped_type_identifier":
            return tuple("".join(text_of(node).split()).split("."))
        return super().name_of(node, depth)


READERS: dict[str, Callable[[], SurfaceReader]] = {
    ".py": lambda: _Python(_PYTHON),
    ".pyi": lambda: _Python(_PYTHON),
    ".pyw": lambda: _Python(_PYTHON),
    ".js": lambda: _JavaScript(_JAVASCRIPT),
    ".mjs": lambda: _JavaScript(_JAVASCRIPT),
    ".cjs": lambda: _JavaScript(_JAVASCRIPT),
    ".jsx": lambda: _JavaScript(_JAVASCRIPT),
    ".ts": lambda: _JavaScript(_TYPESCRIPT),
    ".mts": lambda: _JavaScript(_TYPESCRIPT),
    ".cts": lambda: _JavaScript(_TYPESCRIPT),
    ".tsx": lambda: _JavaScript(_TSX),
    ".go": lambda: _Go(_GO),
    ".rs": lambda: _Rust(_RUST),
    ".java": lambda: _Java(_JAVA),
}
