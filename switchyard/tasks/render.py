"""A Task back into the text of a task file."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import yaml

from switchyard.tasks.model import Task

_UNICODE_LINE_ENDS = "\x85\u2028\u2029"
ALWAYS = ("id", "title", "state")
KEYS = tuple(item.name for item in fields(Task) if item.name not in {"body", "source"})


def render_task(task: Task) -> str:
    """The file's text; keys that hold their default are left out. Parsing it gives the same task."""
    default = Task(id=task.id, title=task.title)
    lines = [
        f"{key}: {render_value(front_value(task, key))}\n"
        for key in KEYS
        if key in ALWAYS or getattr(task, key) != getattr(default, key)
    ]
    return f"---\n{''.join(lines)}---\n{task.body}"


def front_value(task: Task, key: str) -> Any:
    """A field as front matter has it: lists, mappings, text, numbers."""
    value = getattr(task, key)
    if key == "budget":
        return {name: _short(number) for name, number in vars(value).items() if number is not None}
    if key == "checks":
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _short(number: float) -> float:
    """30 rather than 30.0: the number as people write it."""
    return int(number) if number == int(number) else number


def render_value(value: Any) -> str:
    """A value as YAML on one line."""
    shown = json.dumps(value, ensure_ascii=False)
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        default_style='"' if isinstance(value, str) and "\n" in value else None,
        width=float("inf"),
        # Unescaped, these would be folded as line ends when read again.
        allow_unicode=not any(mark in shown for mark in _UNICODE_LINE_ENDS),
        sort_keys=False,
    )
    return str(text).removesuffix("...\n").strip("\n")
