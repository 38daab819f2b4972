"""The folder of task files as people's commands change it: one file at a time, each written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from switchyard.errors import TaskFileError, UsageError, did_you_mean
from switchyard.packets import TaskId
from switchyard.tasks.edit import edit_text
from switchyard.tasks.frontmatter import read_text
from switchyard.tasks.graph import check_tasks
from switchyard.tasks.load import load_plan, load_tasks, read_tasks, task_files
from switchyard.tasks.model import SetState, Task, check_task_id
from switchyard.tasks.parse import parse_task
from switchyard.tasks.render import render_task

Verb = Literal["approve", "hold", "release", "cancel"]

# From which states each verb leads where. A draft cannot be held, for releasing it would approve it.
MOVES: dict[Verb, tuple[frozenset[SetState], SetState]] = {
    "approve": (frozenset({"draft"}), "ready"),
    "hold": (frozenset({"ready"}), "held"),
    "release": (frozenset({"held"}), "ready"),
    "cancel": (frozenset({"draft", "ready", "held"}), "cancelled"),
}


@dataclass(frozen=True)
class TaskStore:
    """The task files of one folder."""

    folder: Path

    def list(self) -> Sequence[Task]:
        """Every task, by id. Raises TaskFileError with every fault."""
        return load_tasks(self.folder)

    def file(self, task_id: str) -> Path:
        """Where a task's file is or would be. Raises UsageError for what is no id."""
        problem = check_task_id(task_id)
        if problem:
            raise UsageError(problem)
        return self.folder / f"{task_id}.md"

    def get(self, task_id: str) -> Task:
        """One task, though others may be faulty. Raises UsageError where there is none, TaskFileError for a fault."""
        return parse_task(self.text(task_id), self.file(task_id))

    def text(self, task_id: str) -> str:
        """One task's file as it stands."""
        file = self.file(task_id)
        if not file.is_file():
            near = did_you_mean(task_id, [other.stem for other in task_files(self.folder)])
            raise UsageError(f"no task '{task_id}' in {self.folder}{near}", hint="see 'switchyard task list'")
        return read_text(file)

    def add(self, tasks: Sequence[Task]) -> Sequence[Path]:
        """Write new tasks, all or none; they may depend on one another and on what is there.

        Raises:
            UsageError: A file is there already, or a task would not be valid.
            TaskFileError: A task does not fit the others.
        """
        texts = {self.file(task.id): render_task(task) for task in tasks}
        for file in texts:
            if file.exists():
                raise UsageError(f"{file} exists", hint=f"change it with 'switchyard task edit {file.stem}'")
        check_tasks(tasks, known=self._ids())
        for file, text in texts.items():
            _check_rendered(text, file)
        for file, text in texts.items():
            write_atomically(file, text)
        return list(texts)

    def file_draft(self, draft: Task) -> bool:
        """Write a draft; False where its file is there already, which stays as it is.

        Raises:
            UsageError: It can't be written, or would not be valid.
        """
        file, text = self.file(draft.id), render_task(draft)
        _check_rendered(text, file)
        return _write_new(file, text)

    def edit(self, task_id: str, changes: Mapping[str, Any]) -> Task:
        """Change fields of a task in place and keep the rest of its file byte for byte.

        Raises:
            UsageError: There is no such task.
            TaskFileError: The outcome would not be valid; the file is as it was.
        """
        return self.replace_text(task_id, edit_text(self.text(task_id), self.file(task_id), changes))

    def replace_text(self, task_id: str, text: str) -> Task:
        """Put a whole new text in a task's file, if it is a valid one."""
        file = self.file(task_id)
        task = parse_task(text, file)
        others, _ = read_tasks(self.folder)
        check_tasks([task, *(other for other in others if other.id != task.id and other.depends_on)], known=self._ids())
        write_atomically(file, text)
        return task

    def move(self, verb: Verb, task_ids: Sequence[str]) -> Sequence[Task]:
        """Approve, hold, release or cancel tasks, all or none; one that is there already stays as it is.

        Raises:
            UsageError: There is no such task, or the verb does not apply to its state.
        """
        texts = {self.file(task_id): self._moved(verb, task_id) for task_id in task_ids}
        for file, text in texts.items():
            if text != read_text(file):
                write_atomically(file, text)
        return [parse_task(text, file) for file, text in texts.items()]

    def _moved(self, verb: Verb, task_id: str) -> str:
        task = self.get(task_id)
        before, after = MOVES[verb]
        if task.state == after:
            return self.text(task_id)
        if task.state not in before:
            raise UsageError(
                f"cannot {verb} '{task_id}': it is {task.state}", hint=f"{verb} applies to: {', '.join(sorted(before))}"
            )
        return edit_text(self.text(task_id), self.file(task_id), {"state": after})

    def read_import(self, source: Path) -> Sequence[Task]:
        """The tasks of a plan, a task file or a folder of them, not yet written."""
        if source.is_dir():
            found: Sequence[Task] = load_tasks(source)
        elif source.suffix == ".md":
            found = [parse_task(read_text(source), source)]
        else:
            found = load_plan(source)
        if not found:
            raise UsageError(
                f"no tasks in {source}", hint="give a plan in YAML, a task file, or a folder of task files"
            )
        return found

    def _ids(self) -> Sequence[TaskId]:
        return [TaskId(file.stem) for file in task_files(self.folder)]


def _check_rendered(text: str, file: Path) -> None:
    """Refuse what could not be read again; the file does not exist yet, so its lines would mean nothing to people."""
    try:
        parse_task(text, file)
    except TaskFileError as err:
        raise UsageError("\n".join(str(fault.problem) for fault in (err, *err.others)), hint=err.hint) from err


def _write_new(file: Path, text: str) -> bool:
    """Write a file whole, unless there is something of its name: even a link that leads nowhere is not followed."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            Path(name).chmod(0o644)
            # A rename would replace what another process wrote meanwhile.
            os.link(name, file, follow_symlinks=False)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:
        return False
    except OSError as err:
        raise UsageError(f"{file} cannot be written: {err.strerror}", hint="see who owns it and what is there") from err
    return True


def write_atomically(file: Path, text: str) -> None:
    """Write a file by way of a neighbour, so that a reader sees the old text or the new; keeps mode and line ends.

    Raises:
        UsageError: It cannot be written.
    """
    target = file.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            Path(name).chmod(mode)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as err:
        raise UsageError(f"{file} cannot be written: {err.strerror}", hint="see who owns it and what is there") from err
