"""Reads what code reaches for out of its syntax tree: names behind aliases, and forms that no name tells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from switchyard.gates.static import surface_names as names

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

Name = tuple[str, ...]
_DEEPEST = 60
_MOST_LEVELS = 300
_MOST_CHILDREN = 5_000
_NAMESPACES = frozenset(("__dict__", "__builtins__", "globals", "vars", "locals", "globalThis", "window"))
_UNKNOWN = ("?",)
_SQL = re.compile(
    r"(?s)\bSELECT\s.{1,400}?\sFROM\s|(?i:\bselect\s+(?:distinct\s+)?(?:\*|[\w.{}$]+(?:\s*,\s*[\w.{}$]+)*)\s+from\s+\S)"
    r"|(?i:\binsert\s+into\s+\S|\bupdate\s+\S+\s+set\s+\S|\bdelete\s+from\s+\S|\bdrop\s+table\s)"
    r"|\bWHERE\s+[\w.]+\s*(?:=|LIKE|IN)"
)
_HOLES = re.compile(r"\$\{|(?<!\{)\{[\w.!:()\[\]\"' ]*\}|%[sdvq(]|\$\w+")
_WEAK = re.compile(
    r"(?i)\b(verify|check_hostname|verify_ssl|ssl_verify|verify_mode|rejectUnauthorized|strictSSL)[\"']?\s*[=:]\s*(false|none\b|0\b|ssl\.CERT_NONE)"
    r"|\bInsecureSkipVerify[\"']?\s*[=:]\s*true|NODE_TLS_REJECT_UNAUTHORIZED"
    r"|(?:createHash|createHmac|getInstance|hashlib\.new|MessageDigest)\s*\(\s*[\"'](md5|sha-?1|md2|md4|des|desede|rc4|rc2|aes/ecb)\b"
    r"|create(?:C|Dec)ipheriv\s*\(\s*[\"'](des|rc4|aes-\d+-ecb)|[\"'](?:AES|DES|DESede|RC4)/ECB"
)


@dataclass(frozen=True)
class Reach:
    """One place where code reaches outside or around itself."""

    kind: str
    name: str
    line: int
    text: str
    """The expression without white space: what tells a call that moved from one that is new."""


@dataclass(frozen=True)
class Language:
    """What the reader needs to know of a grammar."""

    package: str
    table: Mapping[Name, str]
    function: str = "language"
    identifiers: frozenset[str] = frozenset(("identifier",))
    members: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Node type → its fields of the object and of the member."""
    subscripts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    calls: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Node type → its fields of what is called and of the arguments."""
    imports: frozenset[str] = frozenset()
    bindings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    texts: frozenset[str] = frozenset(("string",))
    comments: frozenset[str] = frozenset(("comment",))
    sums: frozenset[str] = frozenset(("binary_expression",))
    unsafe: frozenset[str] = frozenset()
    """Node types that are unsafe by themselves."""

    @cached_property
    def _parser(self) -> Parser:
        from tree_sitter import Language as Grammar
        from tree_sitter import Parser

        return Parser(Grammar(getattr(import_module(self.package), self.function)()))

    def parse(self, source: bytes) -> Node:
        return self._parser.parse(source).root_node


def text_of(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


class TooDeep(Exception):
    """Code that is nested deeper than anybody writes it: reading it would take time that grows with its square."""


def walk(root: Node) -> Iterator[Node]:
    """Every node, parents before children, in the order of the text.

    Raises:
        TooDeep: The tree has too many levels, or too many nodes at one.
    """
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _MOST_LEVELS or node.child_count > _MOST_CHILDREN:
            raise TooDeep
        yield node
        waiting.extend((child, depth + 1) for child in reversed(node.children))


class SurfaceReader:
    """Reads one file."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.aliases: dict[str, Name] = {}
        self.imported: dict[str, int] = {}
        """Modules that are imported, with their lines."""

    def read(self, source: bytes) -> list[Reach]:
        """What the code reaches for.

        Raises:
            TooDeep: It is nested too deeply to be read.
        """
        root = self.language.parse(source)
        nodes = list(walk(root))
        for node in nodes:
            if node.type in self.language.imports:
                self.read_import(node)
        for node in nodes:
            if fields := self.language.bindings.get(node.type):
                self._bind(node, fields)
        found = [reach for node in nodes for reach in self._reaches(node)]
        return [*found, *self._unused(found)]

    def read_import(self, node: Node) -> None:
        """Note what the import calls what; each language has its own."""

    def special(self, node: Node, callee: Name, arguments: Node | None) -> Name | None:
        """The name of what a call gives, where a language has such calls."""
        return None

    def alias(self, local: str, name: Name, node: Node) -> None:
        self.aliases.setdefault(_plain(local), name)
        self.imported.setdefault(".".join(name), node.start_point.row + 1)

    def _bind(self, node: Node, fields: tuple[str, str]) -> None:
        target, value = (node.child_by_field_name(name) for name in fields)
        if target is None or value is None:
            return
        name = self.name_of(value)
        reaches = names.kind_of(name, self.language.table) or name == ("require",)
        if target.type in self.language.identifiers and name and reaches:
            self.aliases.setdefault(_plain(text_of(target)), name)
        elif name and target.type in ("object_pattern",):
            self._bind_pattern(target, name)

    def _bind_pattern(self, pattern: Node, name: Name) -> None:
        for part in pattern.named_children:
            if part.type == "shorthand_property_identifier_pattern":
                self.aliases.setdefault(_plain(text_of(part)), (*name, _plain(text_of(part))))
            elif part.type == "pair_pattern":
                key, value = text_of(part.child_by_field_name("key")), text_of(part.child_by_field_name("value"))
                self.aliases.setdefault(_plain(value), (*name, _plain(key.strip("\"'"))))

    def name_of(self, node: Node | None, depth: int = 0) -> Name:
        """The dotted name behind an expression; () where it has none."""
        if node is None or depth > _DEEPEST:
            return ()
        kind = node.type
        if kind in self.language.identifiers:
            plain = _plain(text_of(node))
            return self.aliases.get(plain, (plain,))
        if fields := self.language.members.get(kind):
            name = self.name_of(node.child_by_field_name(fields[0]), depth + 1) or _UNKNOWN
            return (*name, _plain(text_of(node.child_by_field_name(fields[1]))))
        if fields := self.language.subscripts.get(kind):
            return self._subscript(node, fields, depth)
        if fields := self.language.calls.get(kind):
            callee = self.name_of(node.child_by_field_name(fields[0]), depth + 1)
            return self.special(node, callee, node.child_by_field_name(fields[1])) or callee
        if kind in ("parenthesized_expression", "await_expression", "await", "non_null_expression", "generic_function"):
            return self.name_of(node.named_children[0] if node.named_children else None, depth + 1)
        return ()

    def _subscript(self, node: Node, fields: tuple[str, str], depth: int) -> Name:
        owner = self.name_of(node.child_by_field_name(fields[0]), depth + 1)
        key = self.literal(node.child_by_field_name(fields[1]))
        if not owner or key is None:
            return owner
        while owner and owner[-1] in _NAMESPACES:
            owner = owner[:-1]
        return (*(() if owner[-1:] == ("modules",) else owner), *key.split("."))

    def literal(self, node: Node | None, depth: int = 0) -> str | None:
        """The text that an expression of literals gives; None: it is not of literals alone."""
        if node is None or depth > _DEEPEST:
            return None
        if node.type in self.language.texts:
            if any(child.type in ("interpolation", "template_substitution") for child in node.named_children):
                return None
            return _unquoted(text_of(node))
        if node.type in (*self.language.sums, "concatenated_string", "parenthesized_expression"):
            parts = [self.literal(child, depth + 1) for child in node.named_children]
            return "".join(part for part in parts if part is not None) if parts and None not in parts else None
        return None

    def _reaches(self, node: Node) -> Iterator[Reach]:
        language = self.language
        if node.type in language.unsafe or (language.unsafe and not node.children and node.text == b"unsafe"):
            around = node if node.children or node.parent is None else node.parent
            yield self._reach(names.UNSAFE, "unsafe" if around is not node else node.type.replace("_", " "), around)
        elif node.type in language.identifiers or node.type in language.members or node.type in language.subscripts:
            if self._is_outermost(node):
                name = self.name_of(node)
                if kind := names.kind_of(name, language.table):
                    yield self._reach(kind, ".".join(part for part in name if part != "?"), _whole(node, language))
        elif node.type in language.calls:
            yield from self._of_call(node)
        if self._is_statement_text(node):
            yield from self._of_text(node)

    def _is_outermost(self, node: Node) -> bool:
        parent = node.parent
        if parent is None or parent.type in self.language.imports:
            return False
        fields = self.language.members.get(parent.type) or self.language.subscripts.get(parent.type)
        if fields:
            return node == parent.child_by_field_name("index") and node.type != "string"
        if parent.type in _DECLARING:
            return node != parent.child_by_field_name("name") and node != parent.child_by_field_name("alias")
        above: Node | None = parent
        while above is not None and above.type in _IMPORT_PARTS:
            if above.type in self.language.imports:
                return False
            above = above.parent
        return above is None or above.type not in self.language.imports

    def _of_call(self, node: Node) -> Iterator[Reach]:
        fields = self.language.calls[node.type]
        callee = self.name_of(node.child_by_field_name(fields[0]))
        name = self.special(node, callee, node.child_by_field_name(fields[1]))
        if name and name != callee and (kind := names.kind_of(name, self.language.table)):
            yield self._reach(kind, ".".join(name), node)
        elif callee[-1:] in (("import",), ("require",)) and name is None:
            yield self._reach(names.REFLECTION, f"{callee[-1]} of what is computed", node)

    def _is_statement_text(self, node: Node) -> bool:
        parent = node.parent
        if node.type in self.language.texts or node.type in self.language.sums:
            return parent is None or parent.type not in (
                *self.language.sums,
                *self.language.texts,
                "concatenated_string",
            )
        return node.type in ("call", "call_expression", "keyword_argument", "pair", "keyed_element", "assignment",
                             "assignment_expression", "method_invocation", "assignment_statement")  # fmt: skip

    def _of_text(self, node: Node) -> Iterator[Reach]:
        text = text_of(node)
        if len(text) > 4000:
            return
        if node.type in self.language.texts or node.type in self.language.sums:
            if _SQL.search(text) and self._is_put_together(node, text):
                yield self._reach(names.SQL, "a statement with values put into its text", node)
        elif (match := _WEAK.search(text)) and len(text) < 300:
            yield self._reach(names.CRYPTO, " ".join(match[0].split())[:60], node)

    def _is_put_together(self, node: Node, text: str) -> bool:
        if node.type in self.language.sums:
            return any(
                child.type not in self.language.texts for child in walk(node) if child.type in self.language.identifiers
            )
        if any(child.type in ("interpolation", "template_substitution") for child in node.named_children):
            return True
        parent = node.parent
        while parent is not None and parent.type in (
            "arguments",
            "argument_list",
            "attribute",
            "token_tree",
            "field_access",
            "member_expression",
        ):
            parent = parent.parent
        caller = (
            text_of(parent)[:200]
            if parent is not None and parent.type in (*self.language.calls, *self.language.members, "macro_invocation")
            else ""
        )
        return bool(_HOLES.search(text)) and bool(
            re.search(
                r"\.format\b|\bformat!|Sprintf|String\.format|\.formatted|\bformat\(",
                caller + text_of(node.parent)[:4000],
            )
        )

    def _unused(self, found: list[Reach]) -> Iterator[Reach]:
        """Imports of what reaches outside that no name in the file leads to."""
        used = [reach.name for reach in found]
        for module, line in self.imported.items():
            kind = names.kind_of(tuple(module.split(".")), self.language.table)
            if kind and not any(name == module or name.startswith(f"{module}.") for name in used):
                yield Reach(kind, f"import of {module}", line, f"import {module}")

    def _reach(self, kind: str, name: str, node: Node) -> Reach:
        return Reach(kind, name[:120], node.start_point.row + 1, "".join(text_of(node)[:2000].split()))


_DECLARING = frozenset(
    ("function_definition", "class_definition", "function_declaration", "class_declaration", "method_definition",
     "method_declaration", "keyword_argument", "parameter", "typed_parameter", "default_parameter", "field_declaration",
     "formal_parameter", "required_parameter", "function_item", "parameter_declaration", "enum_constant")
)  # fmt: skip
_IMPORT_PARTS = frozenset(
    ("dotted_name", "aliased_import", "import_clause", "named_imports", "import_specifier", "namespace_import",
     "scoped_identifier", "scoped_use_list", "use_list", "use_as_clause", "use_wildcard", "import_spec",
     "import_spec_list", "import_statement", "import_from_statement", "use_declaration", "import_declaration")
)  # fmt: skip


def _whole(node: Node, language: Language) -> Node:
    """The call that a name is called by, or the name."""
    parent = node.parent
    if (
        parent is not None
        and parent.type in language.calls
        and parent.child_by_field_name(language.calls[parent.type][0]) == node
    ):
        return parent
    return node


def _plain(text: str) -> str:
    """As the language takes a name: letters that look alike folded."""
    return unicodedata.normalize("NFKC", text).strip()


def _unquoted(text: str) -> str:
    match = re.match(r"(?s)[A-Za-z]{0,3}(\"\"\"|'''|[\"'`])(.*)\1$", text)
    body = match[2] if match else text
    return re.sub(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1] or code[2], 16)), body)
