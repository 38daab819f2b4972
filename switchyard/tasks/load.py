"""Many tasks at once: a folder of Markdown files, or one plan; all faults told together."""

from __future__ import annotations

from pathlib import Path

from yaml.nodes import MappingNode, SequenceNode

from switchyard.errors import TaskFileError
from switchyard.tasks.frontmatter import MAX_PLAN_BYTES, compose, read_text
from switchyard.tasks.graph import check_tasks
from switchyard.tasks.model import Task
from switchyard.tasks.parse import parse_node, parse_task

NOT_TASKS = {"README.md"}


def load_tasks(folder: Path) -> list[Task]:
    """Every task of a folder, by id; a folder that does not exist holds none.

    Raises:
        TaskFileError: With every fault of every file, and of the files together.
    """
    tasks, errors = read_tasks(folder)
    if errors:
        raise TaskFileError.joined(errors)
    check_tasks(tasks)
    return tasks


def read_tasks(folder: Path) -> tuple[list[Task], list[TaskFileError]]:
    """What can be read, and the faults of what cannot; nothing is checked across files."""
    tasks: list[Task] = []
    errors: list[TaskFileError] = []
    for file in task_files(folder):
        try:
            tasks.append(parse_task(read_text(file), file))
        except TaskFileError as err:
            errors.append(err)
    return tasks, errors


def task_files(folder: Path) -> list[Path]:
    """The folder's Markdown files, sorted, without README.md and hidden ones."""
    try:
        found = list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as err:
        raise TaskFileError(f"cannot be listed: {err.strerror}", file=folder, hint="it must be a folder") from err
    return sorted(
        file
        for file in found
        if file.suffix == ".md" and file.name not in NOT_TASKS and not file.name.startswith(".") and file.is_file()
    )


def load_plan(file: Path) -> list[Task]:
    """Every task of a plan, in its order: a YAML list of a task file's keys plus `body`. Dependencies are not checked.

    Raises:
        TaskFileError: With every fault of every task.
    """
    node = compose(read_text(file, max_bytes=MAX_PLAN_BYTES).removeprefix("\ufeff"), file, first_line=1)
    if not isinstance(node, SequenceNode):
        raise TaskFileError(
            "a plan is a list of tasks", file=file, line=1, hint="begin each task with '- id: …'; see the guide"
        )
    tasks: list[Task] = []
    errors: list[TaskFileError] = []
    for item in node.value:
        try:
            if not isinstance(item, MappingNode):
                line = item.start_mark.line + 1
                raise TaskFileError("a task in a plan is a mapping that begins with '- id: …'", file=file, line=line)
            tasks.append(parse_node(item, file, first_line=1))
        except TaskFileError as err:
            errors.append(err)
    if errors:
        raise TaskFileError.joined(errors)
    return tasks
