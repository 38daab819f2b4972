"""A ledger as runs leave it behind, written through its own door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from switchyard.ledger import EventType, NewEvent, append, connect, create_tables


def write_rows(git_dir: Path, *rows: tuple[EventType, str, dict[str, Any]]) -> Path:
    """Append rows of a run `r1`; returns the database."""
    database = git_dir / "switchyard" / "switchyard.db"
    database.parent.mkdir(exist_ok=True)
    engine = connect(database)
    create_tables(engine)
    with engine.begin() as connection:
        for number, (event_type, task, data) in enumerate(rows):
            timestamp = f"2026-01-01T00:00:{number:02d}.000000Z"
            run = NewEvent(f"k{number}", event_type, timestamp, run_id="r1", task_id=task, data=data)
            append(connection, run)
    engine.dispose()
    return database


def started(*tasks: str) -> tuple[EventType, str, dict[str, Any]]:
    """The first row of a run of these tasks."""
    planned = [
        {
            "id": name,
            "title": name,
            "depends_on": [],
            "parents": [],
            "content_hash": "",
            "branch": f"factory/r1/{name}",
            "pushed": "",
            "accepted": "",
        }
        for name in tasks
    ]
    return "run_started", "", {"base_branch": "main", "base_commit": "c0" * 20, "tasks": planned}


EXTRACTED = {
    "attempt": 1,
    "commit": "c1",
    "limit": None,
    "signal": None,
    "exit_code": 0,
    "duration_s": 1.04,
    "changed_count": 1,
}


def needing_a_person(task: str, reason: str, *, head: str = "") -> list[tuple[EventType, str, dict[str, Any]]]:
    """How a task's execution ends before a person."""
    rows: list[tuple[EventType, str, dict[str, Any]]] = [
        ("escalated", task, {"reason": reason}),
        ("task_finished", task, {"state": "needs_person", "reason": reason}),
    ]
    return [("attempt_extracted", task, {**EXTRACTED, "commit": head}), *rows] if head else rows
