"""Files of no language that a text names: a README, a workflow, a Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Iterator

from switchyard_context.graph import ImportGraph
from switchyard_context.source import Source

_MAX_FILES = 5
_MAX_HOMONYMS = 3
_WORD = re.compile(r"[^\s`'\"<>()\[\]{},;:*!?]+")


def other_files_named(text: str, graph: ImportGraph, source: Source) -> list[str]:
    """Files outside the import graph whose path, or the end of it, stands in the text; in the order of the text."""
    wanted = dict.fromkeys(
        word.rstrip(".").removeprefix("./") for word in _WORD.findall(text[:100_000]) if _may_name_a_file(word)
    )
    if not wanted:
        return []
    names = {word.rpartition("/")[2] for word in wanted}
    ends: dict[str, list[str]] = {}
    for path in source.blobs:
        if path.rpartition("/")[2] in names and path not in graph:
            for end in _ends_of(path):
                if end in wanted:
                    ends.setdefault(end, []).append(path)
    found: dict[str, None] = {}
    for word in wanted:
        paths = ends.get(word, [])
        # The file at the top is meant where the name alone is written.
        exact = [path for path in paths if path == word]
        found.update(dict.fromkeys(exact or (paths if len(paths) <= _MAX_HOMONYMS else [])))
    return list(found)[:_MAX_FILES]


def _may_name_a_file(word: str) -> bool:
    return "." in word.strip(".") or "/" in word or (word[:1].isupper() and len(word) > 4)


def _ends_of(path: str) -> Iterator[str]:
    """`a/b/c`, `b/c`, `c`."""
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path
