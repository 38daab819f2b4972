"""Which lines of a file to show: a ladder from a few signatures up to the whole file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from switchyard_context.facts import Definition, FileFacts

Range = tuple[int, int]
"""First and last line, counted from 1, both included."""
Lines = tuple[Range, ...]
Rung = Literal["named", "signatures", "outline", "used", "whole"]
RUNGS: tuple[Rung, ...] = ("named", "signatures", "outline", "used", "whole")

_HEAD_LINES = 12
_MAX_HEADER_LINES = 12
_SMALL_BODY_LINES = 8


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it can be shown."""

    lines: tuple[str, ...]
    facts: FileFacts
    is_binary: bool = False


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
    definitions = [item for item in document.facts.definitions if item.last_line <= last]
    if not definitions:
        return {"named": (), "signatures": _merge([(1, min(last, _HEAD_LINES))]), "whole": ((1, last),)}
    used = [item for item in definitions if _is_wanted(item, wanted)]
    top = [item for item in definitions if not item.depth]
    shown = [item for item in used if not item.depth] or top
    outline = [*map(_signature, definitions)]
    return {
        "named": (),
        "signatures": _merge(map(_signature, shown)),
        "outline": _merge(outline),
        "used": _merge([*outline, *((item.first_line, item.last_line) for item in used)]),
        "whole": ((1, last),),
    }


def symbol_lines(document: Document, symbols: Collection[str]) -> Lines:
    """The whole definitions of the symbols."""
    found = [item for item in document.facts.definitions if item.name in symbols]
    return _merge((item.first_line, item.last_line) for item in found)


def _is_wanted(item: Definition, wanted: Collection[str]) -> bool:
    return item.name in wanted or item.name.partition(".")[0] in wanted


def _signature(item: Definition) -> Range:
    """The header; a short body costs no more than the promise of one."""
    if item.last_line - item.first_line < _SMALL_BODY_LINES and item.kind in ("type", "constant"):
        return item.first_line, item.last_line
    return item.first_line, min(item.header_line, item.first_line + _MAX_HEADER_LINES - 1)


def _merge(ranges: Iterable[Range]) -> Lines:
    """Sorted, without overlaps; neighbours become one, and so do two with a single line between them."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 2:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
