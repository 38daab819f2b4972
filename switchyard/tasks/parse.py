"""YAML nodes into a Task, every fault of a file collected with the line it stands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from switchyard.errors import TaskFileError, did_you_mean
from switchyard.packets import TaskId
from switchyard.tasks.frontmatter import compose, entries, split_front_matter
from switchyard.tasks.model import Allowance, Budget, SetState, Source, Task, check_task_id

STATES: tuple[str, ...] = get_args(SetState)
ALLOWANCES: tuple[str, ...] = get_args(Allowance)
ALIASES = {"assignee_agent": "agent"}
MAX_REPAIRS = 10

_TEXT_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "timestamp")}
_NULL_TAG = "tag:yaml.org,2002:null"
_INT_TAG = "tag:yaml.org,2002:int"
_FLOAT_TAG = "tag:yaml.org,2002:float"


def parse_task(text: str, file: Path) -> Task:
    """A task file's text into its task; `file` names it, and its stem must be the id.

    Raises:
        TaskFileError: With every fault of the file.
    """
    parts = split_front_matter(text, file)
    node = compose(parts.front, file, first_line=2)
    if not isinstance(node, MappingNode):
        raise TaskFileError("the front matter holds no keys", file=file, line=1, hint="it needs at least id and title")
    task = parse_node(node, file, first_line=2, body=parts.body.replace("\r\n", "\n"))
    if task.id != file.stem:
        raise TaskFileError(
            f"the id is '{task.id}' and the file's name says '{file.stem}'",
            file=file,
            line=task.source.line("id") if task.source else None,
            key="id",
            hint=f"rename the file to {task.id}.md, or set 'id: {file.stem}'",
        )
    return task


def parse_node(node: MappingNode, file: Path, *, first_line: int, body: str | None = None) -> Task:
    """One mapping into a task. With a `body` the mapping may hold none; else it is the key `body`.

    Raises:
        TaskFileError: With every fault of the mapping.
    """
    reader = _Reader(file, first_line, node.start_mark.line + first_line)
    readers = _READERS if body is not None else {**_READERS, "body": _Reader.text}
    values = reader.mapping(node, readers)
    for required in ("id", "title"):
        if not values.get(required) and not any(error.key == required for error in reader.errors):
            reader.fault(f"'{required}' is missing", node, key=required)
    if reader.errors:
        raise TaskFileError.joined(sorted(reader.errors, key=lambda error: error.line or 0))
    if body is not None:
        values["body"] = body
    return Task(source=Source(file, reader.lines), **values)


@dataclass
class _Reader:
    """Reads values out of nodes; collects faults and the lines of keys."""

    file: Path
    first_line: int
    start_line: int
    errors: list[TaskFileError] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines[""] = self.start_line

    def fault(self, problem: str, node: Node, *, key: str = "", hint: str = "") -> None:
        line = node.start_mark.line + self.first_line
        self.errors.append(TaskFileError(problem, file=self.file, line=line, key=key, hint=hint))

    def mapping(self, node: MappingNode, readers: Mapping[str, _Read]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, written, value in entries(node):
            key = ALIASES.get(written, written)
            if key not in readers:
                known = f"known keys: {', '.join(readers)}"
                self.fault(
                    f"unknown key '{written}'{did_you_mean(written, readers)}",
                    key_node or node,
                    key=written,
                    hint=known,
                )
            elif key in values:
                self.fault(
                    f"'{written}' is set twice", key_node, key=written, hint=f"line {self.lines[key]} sets it too"
                )
            else:
                self.lines[key] = key_node.start_mark.line + self.first_line
                values[key] = readers[key](self, value, key)
        return {key: value for key, value in values.items() if value is not None}

    def text(self, node: Node, key: str) -> str | None:
        """Text as it was written: a title `2024` or `yes` is meant as text."""
        if isinstance(node, ScalarNode):
            if node.tag in _TEXT_TAGS:
                return str(node.value)
            if node.tag == _NULL_TAG:
                return None
        self.fault(f"'{key}' must be text", node, key=key)
        return None

    def texts(self, node: Node, key: str) -> tuple[str, ...] | None:
        if isinstance(node, ScalarNode) and node.tag == _NULL_TAG:
            return None
        if not isinstance(node, SequenceNode):
            given = f"[{node.value}]" if isinstance(node, ScalarNode) else "[…]"
            self.fault(f"'{key}' must be a list", node, key=key, hint=f"write '{key}: {given}'")
            return None
        found: list[str] = []
        for index, item in enumerate(node.value):
            text = self.text(item, f"{key}.{index}")
            if text:
                self.lines[f"{key}.{len(found)}"] = item.start_mark.line + self.first_line
                found.append(text)
            elif text is not None or item.tag == _NULL_TAG:
                self.fault(f"'{key}' holds an empty item", item, key=key)
        return tuple(found)

    def title(self, node: Node, key: str) -> str | None:
        text = self.text(node, key)
        if text is not None and (not text.strip() or "\n" in text):
            self.fault("'title' must be one line of text", node, key=key)
        return text

    def id(self, node: Node, key: str) -> str | None:
        text = self.text(node, key)
        problem = check_task_id(text) if text else ""
        if problem:
            self.fault(problem, node, key=key)
        return text

    def ids(self, node: Node, key: str) -> tuple[TaskId, ...] | None:
        texts = self.texts(node, key)
        for problem in filter(None, map(check_task_id, texts or ())):
            self.fault(problem, node, key=key)
        return None if texts is None else tuple(TaskId(text) for text in dict.fromkeys(texts))

    def paths(self, node: Node, key: str) -> tuple[str, ...] | None:
        texts = self.texts(node, key)
        for text in texts or ():
            path = PurePosixPath(text)
            if path.is_absolute() or ".." in path.parts or "\0" in text:
                self.fault(f"'{text}' in '{key}' must be a path inside the repository", node, key=key)
        return texts

    def state(self, node: Node, key: str) -> str | None:
        return self.choice(self.text(node, key), STATES, node, key)

    def allowances(self, node: Node, key: str) -> tuple[str, ...] | None:
        texts = self.texts(node, key)
        for text in texts or ():
            self.choice(text, ALLOWANCES, node, key)
        return texts

    def choice(self, text: str | None, known: Sequence[str], node: Node, key: str) -> str | None:
        if text is not None and text not in known:
            self.fault(f"{key}: '{text}' is not one of {', '.join(known)}{did_you_mean(text, known)}", node, key=key)
        return text

    def priority(self, node: Node, key: str) -> int | None:
        number = self.number(node, key, whole=True)
        if number is not None and not 1 <= number <= 4:
            self.fault(f"'priority' is {number:g}; it goes from 1, the most urgent, to 4", node, key=key)
        return None if number is None else int(number)

    def number(self, node: Node, key: str, *, whole: bool) -> float | None:
        if isinstance(node, ScalarNode):
            if node.tag == _NULL_TAG:
                return None
            if node.tag == _INT_TAG or (node.tag == _FLOAT_TAG and not whole):
                try:
                    return float(node.value)
                except ValueError:
                    pass  # YAML 1.1 has numbers such as 1:30 and 0x1f, which nobody means here.
        kind = "whole number" if whole else "number"
        shown = f", not '{node.value}'" if isinstance(node, ScalarNode) else ""
        self.fault(f"'{key}' must be a {kind}{shown}", node, key=key)
        return None

    def checks(self, node: Node, key: str) -> dict[str, str] | None:
        if not self._is_mapping(node, key):
            return None
        found: dict[str, str] = {}
        for key_node, name, value in entries(node):  # type: ignore[arg-type]
            command = self.text(value, f"{key}.{name}")
            if not name.strip() or not (command or "").strip():
                self.fault(f"'{key}' needs a name and a command in each entry", value, key=key)
            elif name in found:
                self.fault(f"'{key}.{name}' is set twice", key_node, key=key)
            else:
                self.lines[f"{key}.{name}"] = key_node.start_mark.line + self.first_line
                found[name] = str(command)
        return found

    def budget(self, node: Node, key: str) -> Budget | None:
        if not self._is_mapping(node, key):
            return None
        inner = _Reader(self.file, self.first_line, self.start_line, self.errors)
        values = inner.mapping(node, {"minutes": _Reader._minutes, "repairs": _Reader._repairs})  # type: ignore[arg-type]
        return Budget(**values)

    def _minutes(self, node: Node, key: str) -> float | None:
        number = self.number(node, key, whole=False)
        if number is not None and not 0 < number < float("inf"):
            self.fault(f"'minutes' is {number:g}; it must be more than 0", node, key=key)
        return number

    def _repairs(self, node: Node, key: str) -> int | None:
        number = self.number(node, key, whole=True)
        if number is not None and not 0 <= number <= MAX_REPAIRS:
            self.fault(f"'repairs' is {number:g}; it goes from 0 to {MAX_REPAIRS}", node, key=key)
        return None if number is None else int(number)

    def _is_mapping(self, node: Node, key: str) -> bool:
        if isinstance(node, ScalarNode) and node.tag == _NULL_TAG:
            return False
        if not isinstance(node, MappingNode):
            self.fault(f"'{key}' must be a mapping", node, key=key, hint=f"write '{key}: {{name: value}}'")
            return False
        return True


_Read = Callable[[_Reader, Node, str], Any]

_READERS: dict[str, _Read] = {
    "id": _Reader.id,
    "title": _Reader.title,
    "state": _Reader.state,
    "depends_on": _Reader.ids,
    "targets": _Reader.paths,
    "priority": _Reader.priority,
    "labels": _Reader.texts,
    "agent": _Reader.text,
    "review_agent": _Reader.text,
    "context_files": _Reader.paths,
    "test_requirements": _Reader.text,
    "checks": _Reader.checks,
    "allow": _Reader.allowances,
    "budget": _Reader.budget,
    "discovered_from": _Reader.id,
}
