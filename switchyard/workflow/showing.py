"""One task's execution as a document: its standing, every attempt with checks and decision, its escalation pack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from switchyard.errors import UsageError, did_you_mean
from switchyard.ledger import Event, FactoryView, connect, read_events
from switchyard.packets import TaskId
from switchyard.tasks import Task
from switchyard.workflow.places import Places
from switchyard.workflow.status import status_tasks

SCHEMA = "switchyard.task/1"


def task_document(places: Places, view: FactoryView, tasks: Sequence[Task], name: str) -> dict[str, Any]:
    """Everything the ledger says about a task's newest execution.

    Raises:
        UsageError: There is no such task.
    """
    rows = {row["id"]: row for row in status_tasks(view, tasks)}
    if name not in rows:
        raise UsageError(f"no task {name!r}{did_you_mean(name, rows)}", hint="`switchyard status` lists them")
    events = _events(places, rows[name]["run"], TaskId(name))
    packs = [event.artifact_reference for event in events if event.event_type == "escalated"]
    contexts = [event for event in events if event.event_type == "context_selected"]
    return {
        "schema": SCHEMA,
        "task": rows[name],
        "context": {**contexts[-1].data, "listing": contexts[-1].artifact_reference} if contexts else None,
        "preparation": _preparation(events),
        "attempts": _attempts(events),
        "findings": _findings(events),
        "escalation": packs[-1] if packs else None,
        "events": [event.as_json() for event in events if event.event_type != "effect_intended"],
    }


def _events(places: Places, run_id: str | None, task_id: TaskId) -> list[Event]:
    if run_id is None or not places.database.is_file():
        return []
    engine = connect(places.database, read_only=True)
    with engine.connect() as connection:
        events = list(read_events(connection, run_id=run_id, task_id=task_id))
    engine.dispose()
    return events


def _preparation(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What agents said before one built: criteria, a plan, or something that was refused."""
    kinds = {"task_clarified": "clarify", "plan_generated": "plan", "packet_refused": "refused"}
    return [
        {"kind": kinds[event.event_type], **event.data, "packet": event.artifact_reference or None}
        for event in events
        if event.event_type in kinds
    ]


def _findings(events: Sequence[Event]) -> list[dict[str, Any]]:
    """What was found besides the task, and what became of it."""
    kinds = {"finding_filed": "filed", "finding_merged": "merged", "finding_kept": "kept"}
    return [{"outcome": kinds[event.event_type], **event.data} for event in events if event.event_type in kinds]


def _attempts(events: Sequence[Event]) -> list[dict[str, Any]]:
    attempts: dict[int, dict[str, Any]] = {}
    for event in events:
        number = event.data.get("attempt")
        if event.event_type == "attempt_extracted" and number is not None:
            attempts[number] = {**event.data, **_nothing_yet(), "diff": event.artifact_reference}
        elif number in attempts and event.event_type in ("check_passed", "check_failed"):
            place = "checks" if event.data.get("on", "change") == "change" else "base_checks"
            attempts[number][place].append({**event.data, "output": event.artifact_reference})
        elif number in attempts and event.event_type == "gate_decided":
            attempts[number]["gates"].append({**event.data, "artifact": event.artifact_reference or None})
        elif number in attempts and event.event_type == "verdict_revealed":
            attempts[number]["verdicts"].append({**event.data, "document": event.artifact_reference})
        elif number in attempts and event.event_type == "policy_decided":
            attempts[number]["decision"] = dict(event.data)
    return list(attempts.values())


def _nothing_yet() -> dict[str, Any]:
    """What an attempt has before anybody looked at it."""
    return {"checks": [], "base_checks": [], "gates": [], "verdicts": [], "decision": None}
