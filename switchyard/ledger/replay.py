"""The state of every run and task as a pure fold over the ledger; it reads no clock and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from switchyard.ledger.events import Event
from switchyard.packets import RunId, TaskId, TaskState


@dataclass(frozen=True)
class PullRequestView:
    """A pull request as it was recorded; `base` and `head` are branch names."""

    number: int
    url: str
    state: str
    base: str
    head: str


@dataclass(frozen=True)
class NeedsPerson:
    """Why and since when a person is needed."""

    reason: str
    since: str
    row: int = 0
    """The sequence of the event that said so."""


@dataclass(frozen=True)
class TaskView:
    """One task's execution. `base` and `head` are commit ids."""

    id: TaskId
    run_id: RunId
    title: str = ""
    state: TaskState = "waiting"
    reason: str = ""
    attempts: int = 0
    branch: str = ""
    base: str = ""
    base_branch: str = ""
    join: str = ""
    head: str = ""
    pushed: str = ""
    """What the branch was last pushed at; empty: it never was."""
    landed: str = ""
    """The commit that brought its work to the base; empty: it has not landed."""
    proven: str = ""
    """The newest commit that was found fit to be published; empty: there is none."""
    depends_on: tuple[TaskId, ...] = ()
    parents: tuple[TaskId, ...] = ()
    content_hash: str = ""
    pull_request: PullRequestView | None = None
    sandbox: str = ""
    needs_person: NeedsPerson | None = None
    doing: str = ""
    """The newest event's type."""
    since: str = ""
    """That event's timestamp."""
    row: int = 0
    """That event's sequence: what came before what, whatever the clock said."""


@dataclass(frozen=True)
class RunView:
    """One run. `finished` is empty while it is not."""

    id: RunId
    base_branch: str
    base_commit: str
    started: str
    plan: str
    """Artifact reference of the plan."""
    finished: str = ""
    tasks: Mapping[TaskId, TaskView] = field(default_factory=dict)


@dataclass(frozen=True)
class FactoryView:
    """Everything the ledger says. `latest` holds each task's most recent execution."""

    runs: Mapping[RunId, RunView]
    latest: Mapping[TaskId, TaskView]
    answers: Mapping[TaskId, Mapping[str, Any]]
    """The newest `operator_action` of each task, its data with `timestamp` and `row`, its sequence."""
    approved: Mapping[TaskId, str] = field(default_factory=dict)
    """The content hash that a person approved last, where one was approved after the task had been read."""

    def is_answered(self, task: TaskView) -> bool:
        """Whether a person said something about a task's execution after it came to where it is.

        That its branch was put right meanwhile makes no answer void.
        """
        row = task.needs_person.row if task.needs_person else task.row
        return bool(self.answers.get(task.id, {}).get("row", -1) > row)

    @property
    def unfinished(self) -> list[RunView]:
        """Runs that were started and not finished, oldest first."""
        return [run for run in self.runs.values() if not run.finished]


_TOLD = ("effect_intended", "commented", "notified")
"""Rows about a task that change nothing of it."""


def fold(events: Iterable[Event]) -> FactoryView:
    """Fold rows, in sequence order, into the view."""
    runs: dict[RunId, RunView] = {}
    tasks: dict[RunId, dict[TaskId, TaskView]] = {}
    latest: dict[TaskId, RunId] = {}
    answers: dict[TaskId, Mapping[str, Any]] = {}
    approved: dict[TaskId, str] = {}
    for event in events:
        run_id, task_id = RunId(event.run_id), TaskId(event.task_id)
        if event.event_type == "run_started":
            runs[run_id] = _started(event)
            tasks[run_id] = _planned(event)
            latest.update(dict.fromkeys(tasks[run_id], run_id))
        elif event.event_type == "run_finished":
            runs[run_id] = replace(runs[run_id], finished=event.timestamp)
        elif event.event_type == "operator_action":
            answers[task_id] = MappingProxyType({**event.data, "timestamp": event.timestamp, "row": event.sequence})
            if event.data.get("action") == "approve":
                approved[task_id] = event.data.get("content_hash", "")
        elif task_id in tasks.get(run_id, {}):
            tasks[run_id][task_id] = _advance(tasks[run_id][task_id], event)
    return FactoryView(
        runs={run_id: replace(run, tasks=tasks[run_id]) for run_id, run in runs.items()},
        latest={task_id: tasks[run_id][task_id] for task_id, run_id in latest.items()},
        answers=answers,
        approved=approved,
    )


def _started(event: Event) -> RunView:
    data = event.data
    return RunView(
        id=RunId(event.run_id),
        base_branch=data["base_branch"],
        base_commit=data["base_commit"],
        started=event.timestamp,
        plan=event.artifact_reference,
    )


def _planned(event: Event) -> dict[TaskId, TaskView]:
    return {
        TaskId(task["id"]): TaskView(
            id=TaskId(task["id"]),
            run_id=RunId(event.run_id),
            title=task["title"],
            depends_on=tuple(TaskId(parent) for parent in task["depends_on"]),
            parents=tuple(TaskId(parent) for parent in task["parents"]),
            content_hash=task["content_hash"],
            branch=task["branch"],
            pushed=task["pushed"],
            head=task.get("accepted", "") or task.get("proven", ""),
            proven=task.get("proven", ""),
            doing="run_started",
            since=event.timestamp,
            row=event.sequence,
        )
        for task in event.data["tasks"]
    }


def _advance(task: TaskView, event: Event) -> TaskView:
    if event.event_type in _TOLD:
        return task
    change = _CHANGES.get(event.event_type)
    moved = change(task, event) if change else task
    return replace(moved, doing=event.event_type, since=event.timestamp, row=event.sequence)


def _claimed(task: TaskView, event: Event) -> TaskView:
    data = event.data
    return replace(
        task,
        state="running",
        branch=data["branch"],
        base=data["base"],
        base_branch=data["base_branch"],
        join=data["join"],
    )


def _sandbox(task: TaskView, event: Event) -> TaskView:
    return replace(task, sandbox=event.data["box"])


def _dispatched(task: TaskView, event: Event) -> TaskView:
    return replace(task, attempts=max(task.attempts, event.data["attempt"]))


def _extracted(task: TaskView, event: Event) -> TaskView:
    return replace(task, head=event.data["commit"], proven="", sandbox="")


def _decided(task: TaskView, event: Event) -> TaskView:
    return replace(task, proven=task.head) if event.data["verdict"] == "publish" else task


def _escalated(task: TaskView, event: Event) -> TaskView:
    return replace(task, needs_person=NeedsPerson(event.data["reason"], event.timestamp, event.sequence))


def _published(task: TaskView, event: Event) -> TaskView:
    head = event.data["head"]
    return replace(task, head=head, pushed=head, branch=event.data["branch"])


def _opened(task: TaskView, event: Event) -> TaskView:
    data = event.data
    view = PullRequestView(data["number"], data["url"], data["state"], data["base"], data["head"])
    return replace(task, pull_request=view)


def _restacked(task: TaskView, event: Event) -> TaskView:
    data = event.data
    head = data["head"]
    pull = task.pull_request and replace(task.pull_request, base=data["base_branch"])
    moved = replace(task, head=head, pushed=head, base=data["base"], base_branch=data["base_branch"])
    return replace(moved, join=data["join"], pull_request=pull)


def _changed(task: TaskView, event: Event) -> TaskView:
    data = event.data
    pull = task.pull_request and replace(task.pull_request, state=data["pull_request"])
    return replace(task, state=data["state"], reason=data["reason"], pull_request=pull)


def _landed(task: TaskView, event: Event) -> TaskView:
    pull = task.pull_request and replace(task.pull_request, state=event.data["pull_request"])
    landed = event.data["commit"]
    return replace(task, state="landed", reason="", needs_person=None, pull_request=pull, landed=landed)


def _finished(task: TaskView, event: Event) -> TaskView:
    state: TaskState = event.data["state"]
    needs_person = task.needs_person if state == "needs_person" else None
    return replace(task, state=state, reason=event.data["reason"], needs_person=needs_person, sandbox="")


_CHANGES: Mapping[str, Callable[[TaskView, Event], TaskView]] = {
    "task_claimed": _claimed,
    "sandbox_created": _sandbox,
    "assignment_dispatched": _dispatched,
    "attempt_extracted": _extracted,
    "policy_decided": _decided,
    "escalated": _escalated,
    "branch_published": _published,
    "pull_request_opened": _opened,
    "pull_request_changed": _changed,
    "restacked": _restacked,
    "landed": _landed,
    "task_finished": _finished,
}
