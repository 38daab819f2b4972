"""What a Go file says by itself: its package, imports, definitions, and the names it takes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from switchyard_context.facts import Definition, DefinitionKind, FileFacts, Import
from switchyard_context.languages.go_expressions import DECLARATIONS, Broken, Elements, Shape
from switchyard_context.languages.go_statements import Statements
from switchyard_context.languages.go_tokens import Tokens

OWN_PACKAGE = "."
"""The module of the one Import that no line writes: what a file uses of its package's other files."""
_PREDECLARED_NAMES = (
    "any append bool byte cap clear close comparable complex complex128 complex64 copy delete error false float32"
    " float64 imag int int16 int32 int64 int8 iota len make max min new nil panic print println real recover rune"
    " string true uint uint16 uint32 uint64 uint8 uintptr"
)
PREDECLARED = frozenset(_PREDECLARED_NAMES.split())
# Packages do give these a meaning of their own; nobody does that to `string` or `len`.
_REDEFINED = PREDECLARED & {
    "any",
    "cap",
    "clear",
    "close",
    "copy",
    "delete",
    "max",
    "min",
    "new",
    "print",
    "println",
    "real",
}
_IGNORED = PREDECLARED - _REDEFINED | {"_"}
_CONSTRAINT = re.compile(r"^//(?:go:build[ \t].*|[ \t]*\+build[ \t].*)$", re.MULTILINE)
_VERSION_ELEMENT = re.compile(r"v[0-9]+")


def read_facts(source: bytes) -> FileFacts:
    """Everything that a file's package, imports and definitions say; names are read by Go's scopes, without types."""
    text = source.decode("utf-8", "replace")
    reader = _Reader(Tokens(text))
    reader.read()
    return FileFacts(
        tuple(_imports_of(reader)), tuple(reader.definitions), reader.package, tuple(_constraints_of(text))
    )


def _constraints_of(text: str) -> Iterator[str]:
    if "//go:build" in text or "+build" in text:
        clause = re.search(r"^package\b", text, re.MULTILINE)
        yield from (found.group().rstrip() for found in _CONSTRAINT.finditer(text, 0, clause.start() if clause else -1))


@dataclass(frozen=True, slots=True)
class _Clause:
    """One import as written; the name is empty where the package gives it."""

    line: int
    name: str
    path: str


class _Reader(Statements):
    """The declarations of a file, in their order."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__(tokens)
        self.package = ""
        self.package_line = 1
        self.imports: list[_Clause] = []
        self.definitions: list[Definition] = []
        self._shapes: dict[str, Shape] = {}

    def read(self) -> None:
        """Read on after what is broken, from the next declaration at the margin."""
        index = 0
        while self.kinds[index] != "end":
            start = index
            try:
                index = self._declaration(index)
            except (Broken, RecursionError, IndexError):
                self.leave(0)
                index = self._next_declaration(start + 1)
        for name, shape in self.keys:
            if isinstance(self._shapes.get(shape), Elements):
                self.use(name)

    def _next_declaration(self, index: int) -> int:
        while self.kinds[index] != "end":
            if self.kinds[index] in DECLARATIONS and self.tokens.is_at_margin(index):
                break
            index += 1
        return index

    def _declaration(self, index: int) -> int:
        match self.kinds[index]:
            case "func":
                return self._function_declaration(index)
            case "type":
                return self.group(index + 1, self._type)
            case "var" | "const":
                return self.group(index + 1, self._values)
            case "import":
                return self.group(index + 1, self._import)
            case "package" if self.kinds[index + 1] == "name":
                self.package, self.package_line = self.texts[index + 1], self.tokens.line_of(index)
                return index + 2
            case _:
                return index + 1

    def _import(self, index: int) -> int:
        name, line = "", self.tokens.line_of(index)
        if self.kinds[index] == "name" or self.texts[index] == ".":
            name = self.texts[index]
            index += 1
        if self.kinds[index] != "literal":
            raise Broken
        path = self.texts[index][1:-1]
        if path:
            self.imports.append(_Clause(line, name, path))
        return index + 1

    def _function_declaration(self, index: int) -> int:
        start = index
        mark = self.enter()
        index, receiver, names = self._receiver(index + 1)
        if self.kinds[index] != "name":
            raise Broken
        name = self.texts[index]
        index += 1
        if self.kinds[index] == "[":
            index = self.type_parameters(index)
        index, parameters = self.signature(index)
        place = len(self.definitions)
        header = index if self.kinds[index] == "{" else index - 1
        if self.kinds[index] == "{":
            self.declare(names + parameters)
            try:
                index = self.block(index)
            except (Broken, RecursionError, IndexError):
                self._define(place, f"{receiver}{name}", "method" if receiver else "function", start, header, header)
                raise
        self.leave(mark)
        self._define(place, f"{receiver}{name}", "method" if receiver else "function", start, header, index - 1)
        return index

    def _receiver(self, index: int) -> tuple[int, str, list[str]]:
        """`(t *T[P])` → `T.` and what it declares."""
        if self.kinds[index] != "(":
            return index, "", []
        end = self._skip(index)
        names = [at for at in range(index, end) if self.kinds[at] == "name"]
        bracket = next((at for at in names if self.kinds[at + 1] == "["), end)
        outer = [self.texts[at] for at in names if at <= bracket]
        if not outer:
            raise Broken
        self.use(outer[-1])
        self.declare(self.texts[at] for at in names if at > bracket)
        return end, f"{outer[-1]}.", outer[:-1]

    def _type(self, index: int) -> int:
        name, place = self.texts[index], len(self.definitions)
        after, shape = self.type_specification(index)
        self._shapes[name] = shape
        header = next((at for at in range(index, after) if self.kinds[at] == "{"), index)
        self._define(place, name, "class" if shape == "struct" else "type", index, header, after - 1)
        return after

    def _values(self, index: int) -> int:
        place = len(self.definitions)
        after, names = self.value_specification(index)
        for name in names:
            if name != "_":
                self._define(place, name, "constant", index, index, after - 1)
        return after

    def _define(self, place: int, name: str, kind: DefinitionKind, first: int, header: int, last: int) -> None:
        tokens = self.tokens
        span = tokens.line_of(first), tokens.line_of(header), tokens.last_line_of(last)
        self.definitions.insert(place, Definition(name, kind, *span))


def _imports_of(reader: _Reader) -> Iterator[Import]:
    defined = {definition.name for definition in reader.definitions}
    qualifiers = {clause.name or guess_name(clause.path) for clause in reader.imports}
    used: dict[str, list[tuple[str, str]]] = {}
    own: dict[str, str] = {}
    is_open = any(clause.name == "." for clause in reader.imports)
    for written in reader.free:
        head, _, rest = written.partition(".")
        if head in defined or head in _IGNORED:
            continue
        if rest:
            used.setdefault(head, []).append((rest.partition(".")[0].strip(), head))
        if head not in qualifiers:
            own[head] = own.get(head, "") or ("" if rest or (is_open and head[0].isupper()) else head)
    if own:
        yield Import(reader.package_line, OWN_PACKAGE, tuple(own.items()), "import", is_public=False)
    strays = [pair for head, pairs in used.items() if head not in qualifiers for pair in pairs if pair[0][0].isupper()]
    for clause in reader.imports:
        yield Import(
            clause.line, clause.path, tuple(dict.fromkeys(_names_of(clause, used, own, strays))), "import", False
        )


def _names_of(
    clause: _Clause, used: dict[str, list[tuple[str, str]]], own: Iterable[str], strays: Iterable[tuple[str, str]]
) -> Iterable[tuple[str, str]]:
    """What a file uses of an import, beside the name that it knows the package by.

    Where no name fits the path's last element the package may be called otherwise: all that could be its are given.
    """
    match clause.name:
        case "_":
            return [("init", "_")]
        case ".":
            return [(name, name) for name in own if name[0].isupper()]
        case "":
            return used.get(guess_name(clause.path)) or strays
        case name:
            return used.get(name, ())


def guess_name(path: str) -> str:
    """The name of a package as its import path suggests it: the last element that isn't a version."""
    rest, _, last = path.rpartition("/")
    if rest and _VERSION_ELEMENT.fullmatch(last):
        last = rest.rpartition("/")[2]
    head, dot, version = last.rpartition(".")
    return head if dot and _VERSION_ELEMENT.fullmatch(version) else last
