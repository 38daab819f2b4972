"""Go's statements: what a function declares, and from where to where it hides the package's names.

A method takes the index of the first token of what it reads and returns the index after its last.
"""

from __future__ import annotations

from collections.abc import Callable

from switchyard_context.languages.go_expressions import Broken, Expressions, Shape


class Statements(Expressions):
    """What is read within one function."""

    def block(self, index: int) -> int:
        if self.kinds[index] != "{":
            raise Broken
        mark = self.enter()
        index = self._statements(index + 1)
        self.leave(mark)
        if self.kinds[index] != "}":
            raise Broken
        return index + 1

    def _statements(self, index: int) -> int:
        """A statement list, up to the brace or the `case` that ends it."""
        kinds = self.kinds
        while True:
            kind = kinds[index]
            if kind in ("newline", ";"):
                index += 1
            elif kind in _LIST_ENDS:
                return index
            else:
                start = index
                index = _READERS[kind](self, index) if kind in _READERS else self._simple(index)
                if index == start:
                    raise Broken

    def _simple(self, index: int, *, is_header: bool = False) -> int:
        """An expression, an assignment, or `a, b := …`, whose names begin to hide others after it."""
        kinds = self.kinds
        if kinds[index] != "name" or kinds[index + 1] not in _AFTER_NAME:
            return self.expression(index, is_header=is_header)
        if kinds[index + 1] == ":" and not is_header:
            return index + 2
        last = index
        while kinds[last] == "name" and kinds[last + 1] == ",":
            last = self._after_blank(last + 2)
        if kinds[last] != "name" or kinds[last + 1] != ":=":
            return self.expression(index, is_header=is_header)
        names = [self.texts[at] for at in range(index, last + 1) if kinds[at] == "name"]
        index = self.expression(last + 2, is_header=is_header)
        self.declare(names)
        return index

    def _header(self, index: int) -> int:
        """What stands between `if`, `for` or `switch` and its brace."""
        while self.kinds[index] != "{":
            start = index
            index = index + 1 if self.kinds[index] in (";", "newline") else self._simple(index, is_header=True)
            if index == start:
                raise Broken
        return index

    def _if(self, index: int) -> int:
        mark = self.enter()
        index = self.block(self._header(index + 1))
        while self.kinds[index] == "else":
            index += 1
            index = self.block(self._header(index + 1) if self.kinds[index] == "if" else index)
        self.leave(mark)
        return index

    def _for(self, index: int) -> int:
        mark = self.enter()
        index = self.block(self._header(index + 1))
        self.leave(mark)
        return index

    def _switch(self, index: int) -> int:
        mark = self.enter()
        index = self._header(index + 1) + 1
        while self.kinds[index] != "}":
            if self.kinds[index] in ("case", "default"):
                index = self._clause(index)
            elif self.kinds[index] in ("newline", ";"):
                index += 1
            else:
                raise Broken
        self.leave(mark)
        return index + 1

    def _clause(self, index: int) -> int:
        mark = self.enter()
        is_default = self.kinds[index] == "default"
        index = index + 1 if is_default else self._simple(index + 1, is_header=True)
        if self.kinds[index] != ":":
            raise Broken
        index = self._statements(index + 1)
        self.leave(mark)
        return index

    def _jump(self, index: int) -> int:
        """`break`, `continue`, `goto`: what follows is a label."""
        return index + 2 if self.kinds[index + 1] == "name" else index + 1

    def _return(self, index: int) -> int:
        return self._simple(index + 1) if self.kinds[index + 1] not in ("newline", "}", ";") else index + 1

    def _function(self, index: int) -> int:
        at = self._skip(index + 1) if self.kinds[index + 1] == "(" and self.tokens.is_at_margin(index) else index + 1
        if self.kinds[at] == "name" and (at == index + 1 or self.kinds[at + 1] == "("):
            # No function or method stands within another: a brace is missing before.
            raise Broken
        return self.expression(index)

    def _declarations(self, index: int) -> int:
        """`var`, `const` and `type` within a function."""
        read = self._local_type if self.kinds[index] == "type" else self._local_values
        return self.group(index + 1, read)

    def _local_type(self, index: int) -> int:
        self.declare([self.texts[index]])
        return self.type_specification(index)[0]

    def _local_values(self, index: int) -> int:
        index, names = self.value_specification(index)
        self.declare(names)
        return index

    def group(self, index: int, read: Callable[[int], int]) -> int:
        """One specification, or several in parentheses."""
        if self.kinds[index] != "(":
            return read(index)
        index += 1
        while self.kinds[index] != ")":
            start = index
            index = index + 1 if self.kinds[index] in ("newline", ";") else read(index)
            if index == start:
                raise Broken
        return index + 1

    def value_specification(self, index: int) -> tuple[int, list[str]]:
        """`a, b T = x, y`: the names, which its right side does not see."""
        names: list[str] = []
        while self.kinds[index] == "name":
            names.append(self.texts[index])
            index += 1
            if self.kinds[index] != ",":
                break
            index = self._after_blank(index + 1)
        if not names:
            raise Broken
        ends = self.kinds[index] in ("newline", ";", ")")
        return index if ends else self.expression(index), names

    def type_specification(self, index: int) -> tuple[int, Shape]:
        """`T[P any] struct { … }` or `T = U`, and what matters of the type."""
        if self.kinds[index] != "name":
            raise Broken
        index += 1
        mark = self.enter()
        if self.kinds[index] == "[" and self._is_parameterised(index):
            index = self.type_parameters(index)
        index, shape = self.type(index)
        self.leave(mark)
        return index, shape

    def _is_parameterised(self, index: int) -> bool:
        """Whether `T[…` begins parameters, `[P any]`, and not an array, `[N]int`."""
        first = self._after_blank(index + 1)
        return self.kinds[first] == "name" and self.kinds[first + 1] != "]" and "." not in self.texts[first]


_AFTER_NAME = frozenset((":=", ",", ":"))
_LIST_ENDS = frozenset(("}", ")", "case", "default", "end"))
_READERS: dict[str, Callable[[Statements, int], int]] = {
    "{": Statements.block,
    "if": Statements._if,
    "for": Statements._for,
    "switch": Statements._switch,
    "select": Statements._switch,
    "var": Statements._declarations,
    "const": Statements._declarations,
    "type": Statements._declarations,
    "func": Statements._function,
    "break": Statements._jump,
    "continue": Statements._jump,
    "goto": Statements._jump,
    "fallthrough": Statements._jump,
    "return": Statements._return,
    "go": Statements._return,
    "defer": Statements._return,
}
