"""The text of a Rust file as a scan needs it: comments and literals blanked out, every byte in its place."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

# Each alternative begins with a letter of its own, so that the scan runs at the speed of a search for these letters.
_HIDDEN = re.compile(
    rb"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)"
    rb'|r(?P<hashes>#+)".*?(?:"(?P=hashes)|\Z)|r"[^"]*(?:"|\Z)|"(?:[^"\\]|\\.)*(?:"|\\?\Z)'
    rb"|'(?:\\(?:'|[^\n']+)|[\x80-\xff]{2,4}|[^'\\\n])'",
    re.DOTALL,
)
_OPEN_STRING = re.compile(rb'r?#*"')
_CLOSED_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"|r(?P<hashes>#*)".*"(?P=hashes)', re.DOTALL)
_BLANK = bytes(10 if byte == 10 else 32 for byte in range(256))
_BRACKETS = re.compile(rb"[({\[]|[)}\]]")


def mask(source: bytes) -> bytes:
    """The source with spaces for what is in comments, strings and characters; lines and offsets stay."""
    return _HIDDEN.sub(lambda match: match[0].translate(_BLANK), source)


def without_open_end(source: bytes, masked: bytes) -> bytes:
    """The source up to a string that is never closed.

    From each quote behind it the grammar's scanner would look for an end again: hours for some megabytes.
    """
    if len(masked.rstrip()) == len(source.rstrip()):
        return source
    for match in _HIDDEN.finditer(source):
        if match.end() == len(source) and _OPEN_STRING.match(match[0]) and not _CLOSED_STRING.fullmatch(match[0]):
            return source[: match.start()]
    return source


def blank(text: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """The text with spaces in the spans."""
    changed = bytearray(text)
    for start, end in spans:
        changed[start:end] = changed[start:end].translate(_BLANK)
    return bytes(changed)


def end_of_group(masked: bytes, position: int) -> int:
    """Where the bracket that was opened before `position` is closed."""
    depth = 1
    for match in _BRACKETS.finditer(masked, position):
        depth += 1 if match[0] in b"({[" else -1
        if not depth:
            return match.end()
    return len(masked)


def is_within(regions: Sequence[tuple[int, int]], position: int) -> bool:
    """Whether one of the regions, sorted and apart from one another, holds a position."""
    index = bisect_right(regions, (position, sys.maxsize)) - 1
    return index >= 0 and position < regions[index][1]


@dataclass
class Cursor:
    """Lines and inline modules of positions that are asked for in rising order."""

    text: bytes
    scopes: Sequence[tuple[int, int, str]]
    """(first byte, end, name) of the inline modules, the outer one first."""
    _line: int = 1
    _counted: int = 0
    _entered: int = 0
    _open: list[tuple[int, str]] = field(default_factory=lambda: [(sys.maxsize, "")])

    def line_at(self, position: int) -> int:
        self._line += self.text.count(b"\n", self._counted, position)
        self._counted = position
        return self._line

    def scope_at(self, position: int) -> str:
        """The innermost inline module."""
        while self._entered < len(self.scopes) and self.scopes[self._entered][0] <= position:
            start, end, name = self.scopes[self._entered]
            self._leave(start)
            self._open.append((end, name))
            self._entered += 1
        self._leave(position)
        return self._open[-1][1]

    def _leave(self, position: int) -> None:
        while self._open[-1][0] <= position:
            self._open.pop()
