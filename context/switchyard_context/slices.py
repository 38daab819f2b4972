"""Which lines of a file to show: a ladder from a few signatures up to the whole file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from switchyard_context.facts import Definition, FileFacts
from switchyard_context.tokens import line_units

Range = tuple[int, int]
"""First and last line, counted from 1, both included."""
Lines = tuple[Range, ...]
Rung = Literal["named", "signatures", "outline", "used", "whole"]
RUNGS: tuple[Rung, ...] = ("named", "signatures", "outline", "used", "whole")

_HEAD_LINES = 12
_MAX_HEADER_LINES = 12
_SMALL_BODY_LINES = 8
_BACKTICKS = re.compile(r"`{3,}")


@dataclass(frozen=True)
class Document:
    """A file as it can be shown."""

    lines: tuple[str, ...]
    facts: FileFacts
    is_binary: bool = False

    @cached_property
    def fence(self) -> str:
        """Backticks that no line of the file can close."""
        longest = max((len(run) for line in self.lines for run in _BACKTICKS.findall(line)), default=2)
        return "`" * (longest + 1)

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Those that lie within the file."""
        return tuple(item for item in self.facts.definitions if item.last_line <= len(self.lines))

    def named(self, names: Iterable[str]) -> list[Definition]:
        """The definitions of these qualified names."""
        return [item for name in names for item in self._by_name.get(name, ())]

    @cached_property
    def _by_name(self) -> dict[str, list[Definition]]:
        found: dict[str, list[Definition]] = {}
        for item in self.definitions:
            found.setdefault(item.name, []).append(item)
        return found

    def units(self, lines: Lines) -> int:
        """What the lines cost in `tokens.line_units`."""
        return sum(int(self._units[last] - self._units[first - 1]) for first, last in lines)

    @cached_property
    def _units(self) -> npt.NDArray[np.int64]:
        return line_units(self.lines)


def read_document(content: bytes, facts: FileFacts) -> Document:
    """Decode a file for showing; invalid bytes become U+FFFD, a binary file shows nothing."""
    if b"\0" in content[:8192] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Document((), facts, is_binary=True)
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    # Only "\n" ends a line, as for git and the parsers; str.splitlines would split at form feeds too.
    text = content.decode(encoding, "replace").replace("\r\n", "\n")
    return Document(tuple(text.removesuffix("\n").split("\n")) if text else (), facts)


def ladder(document: Document, wanted: Collection[str] = ()) -> dict[Rung, Lines]:
    """Rung → lines.

    Args:
        wanted: Names that a target uses, or symbols that somebody asked for; their bodies come before the rest.
    """
    last = len(document.lines)
    if not last:
        return {"named": ()}
    definitions = document.definitions
    if not definitions:
        return {"named": (), "signatures": merge([(1, min(last, _HEAD_LINES))]), "whole": ((1, last),)}
    used = [item for item in definitions if _is_wanted(item, wanted)]
    top = [item for item in definitions if not item.depth]
    shown = [item for item in used if not item.depth] or top
    outline = [*map(signature, definitions)]
    return {
        "named": (),
        "signatures": merge(map(signature, shown)),
        "outline": merge(outline),
        "used": merge([*outline, *(body(item) for item in used)]),
        "whole": ((1, last),),
    }


def symbol_lines(document: Document, symbols: Collection[str]) -> Lines:
    """The whole definitions of the symbols."""
    return merge(body(item) for item in document.definitions if item.name in symbols)


def heads(document: Document, chosen: Sequence[Definition]) -> Lines:
    """The signatures of some definitions and of what encloses them."""
    names = {name for item in chosen for name in _enclosing(item.name)} | {item.name for item in chosen}
    return merge(map(signature, document.named(names)))


def body(item: Definition) -> Range:
    """The whole of a definition."""
    return item.first_line, item.last_line


def signature(item: Definition) -> Range:
    """The header; a short body costs no more than the promise of one."""
    if item.last_line - item.first_line < _SMALL_BODY_LINES and item.kind in ("type", "constant"):
        return item.first_line, item.last_line
    return item.first_line, min(item.header_line, item.first_line + _MAX_HEADER_LINES - 1)


def merge(ranges: Iterable[Range]) -> Lines:
    """Sorted, without overlaps; neighbours become one, and so do two with a single line between them."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 2:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _is_wanted(item: Definition, wanted: Collection[str]) -> bool:
    return item.name in wanted or item.name.partition(".")[0] in wanted


def _enclosing(name: str) -> Iterable[str]:
    """`A.B.c` lies in `A.B` and in `A`."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
