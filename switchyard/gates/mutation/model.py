"""One fault that could be put into a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal[
    "comparison", "boundary", "logic", "negation", "return", "statement", "arithmetic", "constant", "await"
]
PRIORITY: tuple[Operator, ...] = (
    *("comparison", "boundary", "logic", "negation", "return"),
    *("statement", "arithmetic", "constant", "await"),
)
"""Which comes first where not all can be tried."""
MOST_TOLD = 120
"""Characters of source that are shown of each side."""


@dataclass(frozen=True)
class Mutant:
    """A file with one piece of it replaced."""

    path: str
    line: int
    """Counts from 1."""
    operator: Operator
    start: int
    """Bytes from the file's beginning."""
    end: int
    replacement: bytes
    before: str
    """What is shown of the source: the smallest piece that says what happens."""
    after: str
    """"" where it is taken out."""

    def put_into(self, source: bytes) -> bytes:
        """The whole file with the fault in it."""
        return source[: self.start] + self.replacement + source[self.end :]
