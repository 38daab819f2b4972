"""What people said about running work: read by the line between two steps, written by commands in other processes."""

from __future__ import annotations

import sqlalchemy as sa

from switchyard.ledger import NewEvent, append, read_events
from switchyard.packets import RunPlan, TaskId


def cancelled_since(connection: sa.Connection, plan: RunPlan, task: TaskId) -> bool:
    """Whether a person cancelled the task since the run was planned."""
    return any(
        event.event_type == "operator_action" and event.data.get("action") == "cancel"
        for event in read_events(connection, run_id=plan.run_id, task_id=task)
    )


def record_action(
    connection: sa.Connection, action: str, *, task: TaskId, run_id: str, timestamp: str, note: str = "", **data: str
) -> None:
    """Append a person's action; each is a fact of its own, even the same one twice."""
    append(
        connection,
        NewEvent(
            key=f"operator/{task}/{action}/{timestamp}",
            event_type="operator_action",
            timestamp=timestamp,
            run_id=run_id,
            task_id=task,
            agent="person",
            data={"action": action, "note": note, **data},
        ),
    )
