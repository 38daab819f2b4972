"""Go's expressions and types, read for one thing: which names in them are not declared in the function around them.

A method takes the index of the first token of what it reads and returns the index after its last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from switchyard_context.languages.go_tokens import Tokens


@dataclass(frozen=True, slots=True)
class Elements:
    """The type of an array, slice or map: what the braces of its literals hold."""

    first: Shape
    """Of a map's keys; of an array's elements, since what is in braces there is never an index."""
    value: Shape


Shape = Elements | str | None
"""What matters of a type: its elements, its name, `struct`, or nothing."""


class Broken(Exception):
    """The tokens are not Go; what was seen until here stays."""


class Expressions:
    """The names in scope, and what is read within one statement."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.texts = tokens.texts
        self.kinds = tokens.kinds
        self.free: dict[str, None] = {}
        """Names as written, dotted ones too, that no function around them declares."""
        self.keys: dict[tuple[str, str], None] = {}
        """(key, type) of literals that a key is a name in unless the type is a struct."""
        self._declared: list[str] = []
        self._hidden: dict[str, int] = {}

    def use(self, name: str) -> None:
        if name not in self.free and not self._hidden.get(name.partition(".")[0]):
            self.free[name] = None

    def declare(self, names: Iterable[str]) -> None:
        """Make names mean something local until the scope that is open now is left."""
        for name in names:
            if name != "_":
                self._hidden[name] = self._hidden.get(name, 0) + 1
                self._declared.append(name)

    def enter(self) -> int:
        """Open a scope; the mark is what `leave` takes."""
        return len(self._declared)

    def leave(self, mark: int) -> None:
        for name in self._declared[mark:]:
            self._hidden[name] -= 1
        del self._declared[mark:]

    def block(self, index: int) -> int:
        """A statement list in braces."""
        raise NotImplementedError

    # One test a token, the frequent ones first: this loop is where the time goes.
    def expression(self, index: int, *, is_header: bool = False, is_element: bool = False) -> int:  # noqa: C901
        """Any run of tokens up to the end of its statement, or to the comma after an element.

        Args:
            is_header: Of `if`, `for` or `switch`, where a brace begins the body.
            is_element: Of a literal or a list of types.
        """
        kinds, texts, free, hidden = self.kinds, self.texts, self.free, self._hidden
        depth = 0
        is_operand = False
        while True:
            kind = kinds[index]
            if kind == "name":
                name = texts[index]
                if name not in free and not hidden.get(name.partition(".")[0]):
                    free[name] = None
                is_operand = True
                index += 1
            elif kind in _OPENING and (kind == "(" or is_operand):
                depth += 1
                is_operand = False
                index += 1
            elif kind in _CLOSING:
                if not depth:
                    return index
                depth -= 1
                is_operand = True
                index += 1
            elif kind == "literal":
                is_operand = True
                index += 1
            elif kind in _ENDING:
                if not depth and (kind in _ALWAYS_ENDING or (is_operand if kind == "newline" else is_element)):
                    return index
                is_operand = is_operand and kind == "newline"
                index += 1
            elif kind == "operator":
                is_operand = texts[index] in ("++", "--")
                index += 1
            elif kind == "{":
                if not depth and (is_header or not is_operand):
                    return index
                index = self.literal(index, texts[index - 1] if kinds[index - 1] == "name" else "")
            elif kind in _TYPES:
                index = self._type_operand(index)
                is_operand = True
            elif kind in ("}", "end"):
                if depth:
                    raise Broken
                return index
            elif kind in _NEVER_WITHIN:
                raise Broken
            else:
                index += 1

    def _type_operand(self, index: int) -> int:
        """A type where a value may stand: of a conversion, of a literal, or a function with its body."""
        if self.kinds[index] == "func":
            return self._function_literal(index)
        index, shape = self.type(index)
        return self.literal(index, shape) if self.kinds[index] == "{" and shape is not None else index

    def _function_literal(self, index: int) -> int:
        index, names = self.signature(index + 1)
        if self.kinds[index] != "{":
            return index
        mark = self.enter()
        self.declare(names)
        index = self.block(index)
        self.leave(mark)
        return index

    def literal(self, index: int, shape: Shape) -> int:
        """The braces of a composite literal."""
        inner = shape if isinstance(shape, Elements) else Elements(None, None)
        index += 1
        while self.kinds[index] != "}":
            start = index
            if self.kinds[index] in ("newline", ","):
                index += 1
                continue
            if self.kinds[index] == "name" and self.kinds[index + 1] == ":":
                self._key(self.texts[index], shape)
                index += 1
            else:
                index = self._element(index, inner.first)
            if self.kinds[index] == ":":
                index = self._element(index + 1, inner.value)
            if index == start:
                raise Broken
        return index + 1

    def _key(self, name: str, shape: Shape) -> None:
        if isinstance(shape, Elements) or "." in name:
            self.use(name)
        elif shape and shape != "struct" and not self._hidden.get(name) and not self._hidden.get(shape):
            self.keys[name, shape] = None

    def _element(self, index: int, shape: Shape) -> int:
        while self.kinds[index] == "newline":
            index += 1
        if self.kinds[index] == "{":
            return self.literal(index, shape)
        return self.expression(index, is_element=True)

    def type(self, index: int) -> tuple[int, Shape]:
        """A type, and what matters of it."""
        while self.kinds[index] == "operator":
            index += 1
        kind = self.kinds[index]
        match kind:
            case "name":
                return self._named_type(index)
            case "[":
                return self._array(index)
            case "map":
                after, key = self.type(index + 2)
                after, value = self.type(after + 1)
                return after, Elements(key, value)
            case "chan":
                return self.type(index + 1)[0], None
            case "func":
                return self.signature(index + 1)[0], None
            case "struct":
                return self._struct(index + 1), "struct"
            case "interface":
                return self._interface(index + 1), None
            case "(":
                after, shape = self.type(index + 1)
                return after + 1, shape
            case _:
                raise Broken

    def _named_type(self, index: int) -> tuple[int, Shape]:
        name = self.texts[index]
        self.use(name)
        if self.kinds[index + 1] != "[":
            return index + 1, name
        return self._bracketed(index + 1), name

    def _bracketed(self, index: int) -> int:
        """Type arguments, an array's length: a list in brackets."""
        index += 1
        while self.kinds[index] != "]":
            start = index
            if self.kinds[index] in (",", "newline"):
                index += 1
            else:
                index = self.expression(index, is_element=True)
            if index == start:
                raise Broken
        return index + 1

    def _array(self, index: int) -> tuple[int, Shape]:
        length = self.kinds[index + 1]
        after = index + 2 if length == "]" else self._bracketed(index)
        after, value = self.type(after)
        return after, Elements(value, value)

    def _struct(self, index: int) -> int:
        index = self._after_blank(index)
        if self.kinds[index] != "{":
            raise Broken
        index += 1
        while self.kinds[index] != "}":
            if self.kinds[index] in ("newline", ";", "literal"):
                index += 1
            else:
                index = self._field(index)
        return index + 1

    def _field(self, index: int) -> int:
        while self.kinds[index] == "name" and self.kinds[index + 1] == ",":
            index = self._after_blank(index + 2)
        is_embedded = self.kinds[index] != "name" or self.kinds[index + 1] in _FIELD_ENDS or "." in self.texts[index]
        if not is_embedded and self.kinds[index + 1] == "[":
            is_embedded = self.kinds[self._skip(index + 1)] in _FIELD_ENDS
        return self.type(index if is_embedded else index + 1)[0]

    def _interface(self, index: int) -> int:
        if self.kinds[index] != "{":
            raise Broken
        index += 1
        while self.kinds[index] != "}":
            start = index
            if self.kinds[index] in ("newline", ";"):
                index += 1
            elif self.kinds[index] == "name" and self.kinds[index + 1] == "(":
                index = self.signature(index + 1)[0]
            else:
                index = self.expression(index)
            if index == start:
                raise Broken
        return index + 1

    def signature(self, index: int) -> tuple[int, list[str]]:
        """Parameters and results, and the names they declare in the body."""
        if self.kinds[index] != "(":
            raise Broken
        index, names = self._parameters(index)
        if self.kinds[index] == "(":
            index, results = self._parameters(index)
            return index, names + results
        if self.kinds[index] in _RESULTS or self.texts[index] in ("*", "<-", "**"):
            index = self.type(index)[0]
        return index, names

    def _parameters(self, index: int) -> tuple[int, list[str]]:
        """`(a, b int)` names its parameters, `(int, string)` does not: one with a type after it settles it for all."""
        names: list[str] = []
        lone: list[str] = []
        index += 1
        while self.kinds[index] != ")":
            if self.kinds[index] in ("newline", ","):
                index += 1
            elif self.kinds[index] == "name" and self.kinds[index + 1] in (",", ")", "newline"):
                lone.append(self.texts[index])
                index += 1
            elif self._is_named(index):
                names.append(self.texts[index])
                index = self.type(index + 1)[0]
            else:
                index = self.type(index)[0]
        if names:
            return index + 1, names + lone
        for name in lone:
            self.use(name)
        return index + 1, []

    def _is_named(self, index: int) -> bool:
        if self.kinds[index] != "name" or "." in self.texts[index]:
            return False
        if self.kinds[index + 1] != "[" or self.kinds[index + 2] == "]":
            return True
        return self.kinds[self._skip(index + 1)] not in (",", ")", "newline")

    def type_parameters(self, index: int) -> int:
        """`[K comparable, V any]`, declared in the scope that is open; a constraint may name a later parameter."""
        constraints: list[int] = []
        index += 1
        while self.kinds[index] != "]":
            if self.kinds[index] in (",", "newline"):
                index += 1
                continue
            if self.kinds[index] != "name":
                raise Broken
            self.declare([self.texts[index]])
            index += 1
            if self.kinds[index] != ",":
                constraints.append(index)
                while self.kinds[index] not in (",", "]", "end"):
                    index = self._skip(index)
        for start in constraints:
            self.expression(start, is_element=True)
        return index + 1

    def _skip(self, index: int) -> int:
        """The index after one token, or after all that its bracket encloses."""
        depth = 0
        while True:
            kind = self.kinds[index]
            if kind in ("(", "[", "{"):
                depth += 1
            elif kind in (")", "]", "}"):
                depth -= 1
            elif kind == "end" or (kind in DECLARATIONS and self.tokens.is_at_margin(index)):
                raise Broken
            index += 1
            if depth <= 0:
                return index

    def _after_blank(self, index: int) -> int:
        while self.kinds[index] == "newline":
            index += 1
        return index


DECLARATIONS = frozenset(("func", "type", "var", "const", "import", "package"))
_OPENING = frozenset(("(", "["))
_CLOSING = frozenset((")", "]"))
_ENDING = frozenset((",", "newline", ";", ":"))
_ALWAYS_ENDING = frozenset((";", ":"))
_NEVER_WITHIN = frozenset(("var", "const", "import", "package"))
_TYPES = frozenset(("[", "map", "chan", "func", "struct", "interface"))
_RESULTS = frozenset(("name", "[", "map", "chan", "func", "struct", "interface"))
_FIELD_ENDS = frozenset(("newline", ";", "}", "literal"))
