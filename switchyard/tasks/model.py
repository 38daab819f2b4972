"""A task as people set it: what to do, on what it depends, what it may touch, and whether it may start."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from switchyard.packets import TaskId

SetState = Literal["draft", "ready", "held", "cancelled"]
"""What people set; how far the work is comes from the database."""
Allowance = Literal["tests", "protected", "dependencies"]

MAX_ID_LENGTH = 64
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ITEM = re.compile(r"^\s{0,3}(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\](?:\s+|$))?(.*)$")
_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")


@dataclass(frozen=True)
class Budget:
    """What one task may use; None leaves it to the configuration."""

    minutes: float | None = None
    """The whole time of one attempt."""
    repairs: int | None = None
    """Attempts after the first."""


@dataclass(frozen=True)
class Source:
    """Where a task was read, so that a later fault can name the place."""

    file: Path
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each key; an item of a list is `key.0`; "" is the task itself."""

    def line(self, key: str) -> int | None:
        """The line of a key, or of the task where the key is not written down."""
        return self.lines.get(key, self.lines.get(""))


@dataclass(frozen=True)
class Task:
    """One task. Two tasks are equal when people set the same, wherever they were read."""

    id: TaskId
    title: str
    state: SetState = "draft"
    depends_on: tuple[TaskId, ...] = ()
    targets: tuple[str, ...] = ()
    """Files, folders or patterns that the task will probably change."""
    priority: int = 3
    """1, the most urgent, to 4."""
    labels: tuple[str, ...] = ()
    agent: str = ""
    """An [agent.NAME] table; "" is the default agent."""
    review_agent: str = ""
    context_files: tuple[str, ...] = ()
    """Always in the context, besides what is selected."""
    test_requirements: str = ""
    """Prose for the agent and the verifiers."""
    checks: Mapping[str, str] = field(default_factory=dict)
    """Checks besides the repository's: name → shell command."""
    allow: tuple[Allowance, ...] = ()
    """tests: may change what existing tests demand; protected: may touch protected paths; dependencies: may add any."""
    budget: Budget = Budget()
    discovered_from: TaskId | Literal[""] = ""
    """The task whose agent found that this is to be done; "" where a person wrote it."""
    body: str = ""
    """The Markdown below the front matter, with line feeds alone as line ends."""
    source: Source | None = field(default=None, compare=False, repr=False)

    @property
    def acceptance(self) -> tuple[str, ...]:
        """The items under `## Acceptance`, without their boxes."""
        return acceptance_items(self.body)

    @property
    def prose(self) -> str:
        """The body without its `## Acceptance`, for whoever shows the two apart."""
        return "\n".join(line for line, is_acceptance in _sorted_lines(self.body) if not is_acceptance).strip()


def content_hash(task: Task) -> str:
    """What an approval is bound to: title, body (acceptance with it) and checks; the rest may change without asking."""
    content = [task.title, task.body.strip(), list(task.acceptance), sorted(task.checks.items())]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


def check_task_id(task_id: str) -> str:
    """What is wrong with an id, or "". An id is a file name and a part of a branch name, so git's rules hold too."""
    if not _ID.fullmatch(task_id):
        rule = "use letters, digits, '.', '_' and '-', and start with a letter or a digit"
        return f"'{task_id}' is no task id: {rule}"
    if len(task_id) > MAX_ID_LENGTH:
        return f"'{task_id}' has {len(task_id)} characters; an id has at most {MAX_ID_LENGTH}"
    if task_id.lower().startswith("join-"):
        return f"'{task_id}' is reserved: ids that start with 'join-' name join commits"
    if ".." in task_id or task_id.lower().endswith((".", ".lock")):
        return f"'{task_id}' cannot be a branch name: it holds '..' or ends with '.' or '.lock'"
    return ""


def acceptance_items(body: str) -> tuple[str, ...]:
    """The list under `## Acceptance`; where that section is prose, each of its paragraphs."""
    items: list[str] = []
    is_listed = False
    is_open = False
    for line in _acceptance_lines(body):
        item = _ITEM.match(line)
        if item:
            items = items if is_listed else []
            is_listed = is_open = True
            items.append(item[1].strip())
        elif not line.strip():
            is_open = False
        elif is_open or (is_listed and line.startswith("  ")):
            items[-1] = f"{items[-1]} {line.strip()}".strip()
            is_open = True
        elif not is_listed:
            items.append(line.strip())
            is_open = True
    return tuple(item for item in items if item)


def _acceptance_lines(body: str) -> list[str]:
    lines = [line for line, is_acceptance in _sorted_lines(body) if is_acceptance]
    return [line for line in lines if not _is_acceptance_heading(line)]


def _sorted_lines(body: str) -> Iterator[tuple[str, bool]]:
    """Every line, with whether it belongs to the acceptance section, its heading included."""
    is_inside = False
    fence = ""
    for line in body.splitlines():
        fence = _fence_after(line, fence)
        heading = _HEADING.match(line) if not fence else None
        if heading and len(heading[1]) <= 2:
            is_inside = _is_acceptance_heading(line)
        yield line, is_inside


def _is_acceptance_heading(line: str) -> bool:
    heading = _HEADING.match(line)
    named = heading[2].strip().rstrip(":").lower() if heading and len(heading[1]) <= 2 else ""
    return named in {"acceptance", "acceptance criteria"}


def _fence_after(line: str, fence: str) -> str:
    """The code fence that is open after a line; a heading inside one is text."""
    mark = _FENCE.match(line)
    if mark is None:
        return fence
    if fence:
        closes = mark[1].startswith(fence) and not mark[2].strip()
        return "" if closes else fence
    return "" if "`" in mark[1] and "`" in mark[2] else mark[1]
