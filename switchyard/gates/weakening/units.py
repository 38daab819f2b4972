"""What a reader finds in one file: tests and the functions beside them, read in depth only when asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from switchyard.gates.weakening.bodies import Body
from switchyard.gates.weakening.model import Tokens

Mark = tuple[int, str]
"""How much a skip takes away (`bodies.SKIP` …), and its text."""


@dataclass
class Unit:
    """A test, or a function that may help tests."""

    path: str
    name: str
    scope: str
    """What it stands in: classes, or what `describe` said."""
    line: int
    text: bytes
    """With its decorators."""
    is_test: bool
    """Whether the runner collects it."""
    tokens: Callable[[], Tokens]
    read: Callable[[], Body]
    marks: list[Mark] = field(default_factory=list)
    """Its own, and those of what it stands in."""
    rows: list[Tokens] = field(default_factory=list)
    """The cases that decorators give it."""
    parameters: frozenset[str] = frozenset()
    claims_of_marks: tuple[str, ...] = ()

    @property
    def qualified(self) -> str:
        return f"{self.scope}.{self.name}" if self.scope else self.name

    @cached_property
    def flat(self) -> Tokens:
        return self.tokens()

    @cached_property
    def body(self) -> Body:
        try:
            return self.read()
        except RecursionError:
            # Nested deeper than the interpreter goes: said aloud, since nothing else could be said of it.
            return Body(is_unreadable=True)

    @cached_property
    def bag(self) -> Counter[str]:
        return Counter(self.flat)

    @cached_property
    def all_rows(self) -> list[Tokens]:
        return [*self.rows, *self.body.rows]

    @cached_property
    def all_marks(self) -> list[Mark]:
        return [*self.marks, *self.body.marks]


@dataclass
class FileFacts:
    """A file as the comparison sees it."""

    units: list[Unit] = field(default_factory=list)
    constants: dict[str, Tokens] = field(default_factory=dict)
    """Module-level names and what they are given."""
    exclusions: list[str] = field(default_factory=list)
    """What keeps the whole file, or others, from being collected."""
    stand_ins: list[str] = field(default_factory=list)
    """Modules that are replaced although the file's tests are about them."""
    inherited: set[str] = field(default_factory=set)
    """Names of classes whose tests others run."""
    source: bytes = b""
    is_unreadable: bool = False
