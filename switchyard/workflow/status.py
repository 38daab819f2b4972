"""Where everything stands, as `status --json` says it: the ledger's view joined with what people set in task files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from switchyard.ledger import FactoryView, RunView, TaskView
from switchyard.packets import RunId, TaskState
from switchyard.tasks import Task
from switchyard.workflow.operating import is_rejected

SCHEMA = "switchyard.status/1"


def status_document(view: FactoryView, tasks: Sequence[Task]) -> dict[str, Any]:
    """The whole status document."""
    return {
        "schema": SCHEMA,
        "runs": [describe_run(run) for run in view.runs.values()],
        "tasks": status_tasks(view, tasks),
        "disagreements": [],
    }


def status_tasks(view: FactoryView, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """A row a task: those with a file first, in their order, then those whose file is gone."""
    named = {task.id for task in tasks}
    latest = {name: _as_answered(view, execution) for name, execution in view.latest.items()}
    rows = [_describe_task(task, latest.get(task.id)) for task in tasks]
    return rows + [describe_execution(execution) for name, execution in latest.items() if name not in named]


def _as_answered(view: FactoryView, task: TaskView) -> TaskView:
    """The execution with what a person said about it: one given up is over."""
    if not is_rejected(view, task):
        return task
    note = str(view.answers[task.id].get("note", ""))
    reason = f"rejected by a person{': ' if note else ''}{note}"
    return replace(task, state="cancelled", reason=reason, needs_person=None)


def describe_run(run: RunView) -> dict[str, Any]:
    """One run's row."""
    return {
        "id": run.id,
        "state": "finished" if run.finished else "running",
        "started": run.started,
        "finished": run.finished or None,
        "base": run.base_commit,
        "base_branch": run.base_branch,
        "tasks": list(run.tasks),
    }


def describe_execution(task: TaskView) -> dict[str, Any]:
    """One task's row, as the ledger knows it."""
    pull, person = task.pull_request, task.needs_person
    return {
        "id": task.id,
        "title": task.title,
        "run": task.run_id,
        "state": task.state,
        "reason": task.reason or None,
        "attempts": task.attempts,
        "depends_on": list(task.depends_on),
        "branch": task.branch or None,
        "base": task.base or None,
        "base_branch": task.base_branch or None,
        "head": task.head or None,
        "pull_request": None
        if pull is None
        else {"number": pull.number, "url": pull.url, "state": pull.state, "base": pull.base, "head": pull.head},
        "sandbox": task.sandbox or None,
        "needs_person": None if person is None else {"reason": person.reason, "since": person.since},
        "doing": task.doing,
        "since": task.since,
    }


def _describe_task(task: Task, latest: TaskView | None) -> dict[str, Any]:
    if latest is not None:
        return describe_execution(latest)
    state: TaskState = "waiting" if task.state == "ready" else task.state
    return {**describe_execution(TaskView(id=task.id, run_id=RunId(""))), "title": task.title, "run": None} | {
        "state": state,
        "depends_on": list(task.depends_on),
        "doing": None,
        "since": None,
    }
