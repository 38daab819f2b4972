"""Where each key of a TOML text stands, which `tomllib` does not tell and an error needs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str, ...]


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, on which each key and table of a valid TOML text first appears."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for line, statement, parsed in _statements(text):
        paths = list(_paths(parsed))
        is_header = statement.lstrip().startswith("[")
        if is_header:
            table = paths[-1] if paths else ()
        for path in paths:
            found.setdefault(path if is_header else table + path, line)
    return found


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of a key, or of the nearest table around it; None where neither is written down."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Each statement with its first line: the shortest run of lines that is TOML by itself."""
    start, pending = 1, ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not pending:
            start = number
        pending += line + "\n"
        try:
            parsed = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        if parsed:
            yield start, pending, parsed
        pending = ""


def _paths(node: object) -> Iterator[KeyPath]:
    if isinstance(node, list):
        for item in node:
            yield from _paths(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield (key,)
            for rest in _paths(value):
                yield (key, *rest)
