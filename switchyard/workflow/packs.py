"""The escalation pack of a task as a document."""

from __future__ import annotations

from typing import Any

from switchyard.errors import UsageError, did_you_mean
from switchyard.ledger import ArtifactStore, Event, FactoryView, TaskView, connect, read_events
from switchyard.packets import TaskId
from switchyard.quoting import plain
from switchyard.workflow.places import Places

SCHEMA = "switchyard.escalation/1"


def escalation_document(places: Places, view: FactoryView, name: str) -> dict[str, Any]:
    """The newest pack of a task, of its newest execution; where nobody wrote one, the reason alone.

    Raises:
        UsageError: The task was never run, or no person was needed for it.
        ArtifactMissing, ArtifactDamaged: The pack was written and can't be read.
    """
    task = view.latest.get(TaskId(name))
    if task is None:
        known = did_you_mean(name, view.latest)
        raise UsageError(f"{name!r} was never run{known}", hint="`switchyard status` lists tasks")
    row = _escalated(places, task)
    if row is None and task.state != "needs_person":
        raise UsageError(
            f"{name!r} does not wait for a person: it is {task.state}",
            hint="`switchyard escalation list` shows what does",
        )
    pack = row.artifact_reference if row else ""
    return {
        "schema": SCHEMA,
        "task": task.id,
        "run": task.run_id,
        "state": task.state,
        "reason": str(row.data["reason"]) if row else task.reason,
        "since": row.timestamp if row else task.since,
        "artifact": pack or None,
        "markdown": _markdown(places, pack) if pack else f"# {plain(task.title)}\n\n{task.reason}\n",
    }


def _escalated(places: Places, task: TaskView) -> Event | None:
    engine = connect(places.database, read_only=True)
    with engine.connect() as connection:
        rows = list(read_events(connection, run_id=task.run_id, task_id=task.id))
    engine.dispose()
    return next((row for row in reversed(rows) if row.event_type == "escalated"), None)


def _markdown(places: Places, pack: str) -> str:
    return ArtifactStore(places.artifacts).get(pack).decode("utf-8", "replace")
