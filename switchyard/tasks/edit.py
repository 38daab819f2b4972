"""Changes to a task file's front matter that leave every other byte, comments included, as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from switchyard.errors import TaskFileError
from switchyard.tasks.frontmatter import Parts, compose, entries, split_front_matter
from switchyard.tasks.model import Task
from switchyard.tasks.parse import ALIASES, parse_task
from switchyard.tasks.render import front_value, render_value


def edit_text(text: str, file: Path, changes: Mapping[str, Any]) -> str:
    """The task file's text with some fields changed.

    Args:
        text: The file's text, with its own line ends.
        file: Names it in an error.
        changes: New values by field of Task; `body` replaces all below the front matter.

    Raises:
        TaskFileError: The file is wrong, or laid out so that one key cannot be changed alone.
    """
    wanted = replace(parse_task(text, file), **changes)
    parts = split_front_matter(text, file)
    for key in changes:
        if key == "body":
            parts = replace(parts, body=wanted.body.replace("\n", parts.newline))
        else:
            parts = replace(parts, front=_set_key(parts, file, key, render_value(front_value(wanted, key))))
    edited = parts.joined()
    _check(edited, file, wanted)
    return edited


def _check(edited: str, file: Path, wanted: Task) -> None:
    """An unusual layout must end in an error and never in another task than asked for."""
    try:
        found = parse_task(edited, file)
    except TaskFileError as err:
        raise TaskFileError(
            f"the edit would not be valid: {err.problem}", file=file, key=err.key, hint=err.hint
        ) from err
    if found != wanted:
        raise TaskFileError("laid out so that the key cannot be changed alone", file=file, hint="edit the file by hand")


def _set_key(parts: Parts, file: Path, key: str, value: str) -> str:
    front = parts.front
    node = compose(front, file, first_line=2)
    assert isinstance(node, MappingNode)
    for key_node, written, value_node in entries(node):
        if ALIASES.get(written, written) == key:
            start = key_node.end_mark.index
            if isinstance(value_node, ScalarNode) and value_node.style is None and not value_node.value:
                # An empty value has no place of its own: it is written behind the colon.
                start = front.index(":", start) + 1
                return f"{front[:start]} {value}{front[start:]}"
            begin, end = _span(value_node, start)
            joint = ": " if begin == start else ""
            return f"{front[:begin]}{joint}{value}{front[end:]}"
    return f"{front}{key}: {value}{parts.newline}"


def _span(node: Node, after_key: int) -> tuple[int, int]:
    """Where a value stands. One written as a block begins behind its key: what replaces it stands on that line."""
    is_block = isinstance(node, CollectionNode) and not node.flow_style
    is_block = is_block or (isinstance(node, ScalarNode) and node.style in {"|", ">"})
    return (after_key if is_block else node.start_mark.index), _end(node)


def _end(node: Node) -> int:
    """The end of a value's own text: a block's end mark lies behind the blank lines and comments that follow it."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
        buffer = node.end_mark.buffer
        while buffer is not None and end > node.start_mark.index and buffer[end - 1] in "\r\n ":
            end -= 1
    return end
