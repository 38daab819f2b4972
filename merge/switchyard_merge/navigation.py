"""The map of a stack inside a pull request: every member, with the one being read marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_SPECIAL = re.compile(r"([\\`*\[\]|~]|(?<!\w)_|_(?!\w))")
_MENTION = re.compile(r"@(?=\w)")
_DEEPEST = 8
"""Levels that are indented; a longer chain goes on at this level, since forges stop rendering deep lists."""


@dataclass(frozen=True)
class StackEntry:
    """One task of a stack."""

    task: str
    title: str
    number: int | None
    """None while its pull request is not open yet."""
    parents: Sequence[str] = ()
    state: str = ""


@dataclass(frozen=True)
class Placed:
    """Where an entry stands in the drawn tree."""

    entry: StackEntry
    depth: int
    also: tuple[str, ...]
    """Its parents beyond the one it hangs on."""


def navigation(stack: Sequence[StackEntry], *, current: str, base: str) -> str:
    """The stack as a nested list; each entry hangs on its last parent, its other parents are named."""
    if len(stack) < 2:
        return "## Stack\n\nThis pull request stands alone."
    numbers = {entry.task: entry.number for entry in stack}
    lines = [_line(placed, current, numbers) for placed in placed_entries(stack)]
    return "\n".join([f"## Stack on {code(base)}" if base else "## Stack", "", *lines])


def placed_entries(stack: Sequence[StackEntry]) -> Iterator[Placed]:
    """Walk a stack given in topological order as a tree, parents before children."""
    known = {entry.task for entry in stack}
    hangs: dict[str, list[StackEntry]] = {}
    for entry in stack:
        parents = [parent for parent in entry.parents if parent in known]
        hangs.setdefault(parents[-1] if parents else "", []).append(entry)
    waiting = [(entry, 0) for entry in reversed(hangs.get("", []))]
    while waiting:
        entry, depth = waiting.pop()
        parents = [parent for parent in entry.parents if parent in known]
        yield Placed(entry, depth, tuple(parents[:-1]))
        waiting.extend((child, depth + 1) for child in reversed(hangs.get(entry.task, [])))


def inline(text: str) -> str:
    """Foreign text on one line, with nothing in it that Markdown or HTML would read, and nobody called by name."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("<", "&lt;")
    return _MENTION.sub("@\u200b", escaped)


def code(text: str) -> str:
    """Foreign text as a code span, inside a table too."""
    flat = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{flat or ' '}`"


def _line(placed: Placed, current: str, numbers: Mapping[str, int | None]) -> str:
    entry = placed.entry
    indent = "  " * min(placed.depth, _DEEPEST)
    name = _reference(entry.task, numbers)
    also = f" (also on {', '.join(_reference(parent, numbers) for parent in placed.also)})" if placed.also else ""
    state = f" · {entry.state}" if entry.state in ("merged", "closed") else ""
    title = inline(entry.title)
    if entry.task == current:
        return f"{indent}- 👉 {name} **{title}**{also}{state}"
    return f"{indent}- {name} {title}{also}{state}"


def _reference(task: str, numbers: Mapping[str, int | None]) -> str:
    number = numbers.get(task)
    return inline(task) if number is None else f"#{number}"
