"""What people say about running work: written by commands in other processes, read by the line between two steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import sqlalchemy as sa

from switchyard.errors import UsageError, did_you_mean
from switchyard.ledger import FactoryView, NewEvent, TaskView, append, connect, read_events
from switchyard.packets import RunId, TaskId
from switchyard.tasks import Task, content_hash
from switchyard.workflow.places import Places

Answer = Literal["accept", "reject", "retry"]


def cancelled_since(connection: sa.Connection, run_id: RunId, task: TaskId) -> bool:
    """Whether a person cancelled the task since the run was planned."""
    return any(
        event.event_type == "operator_action" and event.data.get("action") == "cancel"
        for event in read_events(connection, run_id=run_id, task_id=task)
    )


def cancel_task(places: Places, view: FactoryView, name: str, timestamp: str) -> TaskView:
    """Ask the running factory to stop a task before its next step.

    Raises:
        UsageError: The task is not under way.
    """
    task = _latest(view, name)
    if task.state not in ("running", "waiting") or view.runs[task.run_id].finished:
        raise UsageError(f"{name!r} is not under way: it is {task.state}", hint="`switchyard status` shows what is")
    _record(places, "cancel", task.id, task.run_id, timestamp)
    return task


def answer_escalation(
    places: Places, view: FactoryView, tasks: Sequence[Task], name: str, answer: Answer, note: str, timestamp: str
) -> None:
    """Record a person's answer; the next `run` acts on it.

    Raises:
        UsageError: No person is needed for the task, it was edited since, or there is nothing to accept.
    """
    task = _latest(view, name)
    _refuse_unanswerable(view, tasks, task, answer)
    _record(places, answer, task.id, task.run_id, timestamp, note=note)


def _refuse_unanswerable(view: FactoryView, tasks: Sequence[Task], task: TaskView, answer: Answer) -> None:
    name = str(task.id)
    if task.state != "needs_person":
        raise UsageError(
            f"{name!r} does not wait for a person: it is {task.state}",
            hint="`switchyard escalation list` shows what does",
        )
    if answer == "accept" and task.head and task.head == task.base:
        raise UsageError(
            f"{name!r} has nothing to accept: its last attempt changed no file",
            hint=f"`switchyard escalation retry {name} --note '…'` tries again, with a word to the agent",
        )
    if answer == "accept" and not task.head:
        raise UsageError(
            f"{name!r} has no commit to accept: it stopped before its first attempt",
            hint=f"mend the cause, then `switchyard escalation retry {name}`",
        )
    if answer != "reject" and any(one.id == task.id and is_edited(view, one) for one in tasks):
        raise UsageError(
            f"{name!r} was edited after it was approved",
            hint=f"`switchyard task approve {name}` approves it as it is now, and the next run takes it up again",
        )


def pending_answer(view: FactoryView, task: TaskView) -> str:
    """What a person answered that the next run will act on; "" while the task still waits for an answer."""
    action = str(view.answers.get(task.id, {}).get("action", ""))
    return action if action in ("accept", "retry") and view.is_answered(task) else ""


def is_rejected(view: FactoryView, task: TaskView) -> bool:
    """Whether a person gave the task up after it came to need one."""
    answer = view.answers.get(task.id, {})
    return task.state == "needs_person" and answer.get("action") == "reject" and view.is_answered(task)


def is_edited(view: FactoryView, task: Task) -> bool:
    """Whether a task that was read once says something else now, which nobody has approved."""
    latest = view.latest.get(task.id)
    return latest is not None and content_hash(task) not in (latest.content_hash, view.approved.get(task.id))


def approve_content(places: Places, view: FactoryView, task: Task, timestamp: str) -> None:
    """Record that a person approves a task as it stands now; needed once it has been read and then edited."""
    if is_edited(view, task):
        latest = view.latest[task.id]
        _record(places, "approve", task.id, latest.run_id, timestamp, content_hash=content_hash(task))


def _latest(view: FactoryView, name: str) -> TaskView:
    task = TaskId(name)
    if task not in view.latest:
        known = did_you_mean(name, view.latest)
        raise UsageError(f"{name!r} was never run{known}", hint="`switchyard status` lists tasks")
    return view.latest[task]


def _record(places: Places, action: str, task: TaskId, run_id: RunId, timestamp: str, **data: str) -> None:
    """Append a person's action; each is a fact of its own, even the same one twice."""
    event = NewEvent(
        key=f"operator/{task}/{action}/{timestamp}",
        event_type="operator_action",
        timestamp=timestamp,
        run_id=run_id,
        task_id=task,
        agent="person",
        data={"action": action, **data},
    )
    engine = connect(places.database)
    with engine.begin() as connection:
        append(connection, event)
    engine.dispose()
