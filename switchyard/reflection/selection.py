"""Precision and recall of the context selection of one run, a pure fold over its rows of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from switchyard.ledger import Event, RunView
from switchyard.packets import RunId, TaskId

SCHEMA = "switchyard.retro/1"
READ, CHANGED = "read or changed", "changed"
"""What makes a selected file one that was used: the latter where a sandbox could not tell what was read."""


@dataclass(frozen=True)
class SelectionScore:
    """How a selection fitted, of one task or of several together."""

    selected: int
    used: int
    """Selected files that were read or changed, or only changed: `basis` says which."""
    changed: int
    """Changed files that had been there before; a new file could not have been selected."""
    changed_selected: int
    basis: str

    @property
    def precision(self) -> float | None:
        """The share of the selected files that were used; None without any."""
        return self.used / self.selected if self.selected else None

    @property
    def recall(self) -> float | None:
        """The share of the changed files that had been selected; None without any."""
        return self.changed_selected / self.changed if self.changed else None

    def as_json(self) -> dict[str, Any]:
        """As `switchyard.retro/1` writes it; shares with four digits."""
        return {
            "selected": self.selected,
            "used": self.used,
            "changed": self.changed,
            "changed_selected": self.changed_selected,
            "basis": self.basis,
            "precision": _rounded(self.precision),
            "recall": _rounded(self.recall),
        }


@dataclass(frozen=True)
class TaskScore:
    """One task's score with what it is made of."""

    id: TaskId
    score: SelectionScore
    changed_only: SelectionScore
    """The same if nothing were known of reading."""
    unselected: tuple[str, ...]
    """Changed files that had not been selected."""
    unseen: str
    """Why it is not known what was read; empty: it is."""


def score_run(events: Iterable[Event]) -> list[TaskScore]:
    """The tasks of a run that had a selection and have ended, in the order in which they did."""
    ended = [event for event in events if event.event_type == "task_finished" and event.data.get("context")]
    return [_score(TaskId(event.task_id), event.data["context"]) for event in ended]


def overall(tasks: Sequence[TaskScore]) -> SelectionScore:
    """All tasks together, every file counting once a task; by changes alone if reading is unknown of a single one."""
    is_seen = all(task.score.basis == READ for task in tasks)
    scores = [task.score if is_seen else task.changed_only for task in tasks]
    return SelectionScore(
        selected=sum(score.selected for score in scores),
        used=sum(score.used for score in scores),
        changed=sum(score.changed for score in scores),
        changed_selected=sum(score.changed_selected for score in scores),
        basis=READ if is_seen else CHANGED,
    )


def retro_document(run: RunView, events: Iterable[Event]) -> dict[str, Any]:
    """The document `switchyard.retro/1`."""
    scores = {score.id: score for score in score_run(events)}
    return {
        "schema": SCHEMA,
        "run": RunId(run.id),
        "state": "finished" if run.finished else "running",
        "tasks": [
            {"id": task.id, "state": task.state, "attempts": task.attempts, "context": _describe(scores.get(task.id))}
            for task in run.tasks.values()
        ],
        "context": overall(list(scores.values())).as_json(),
    }


def _describe(task: TaskScore | None) -> dict[str, Any] | None:
    if task is None:
        return None
    return {**task.score.as_json(), "unselected": list(task.unselected), "unseen": task.unseen}


def _score(task_id: TaskId, use: dict[str, Any]) -> TaskScore:
    counts, selected = use["counts"], int(use["selected"])
    changed, found, used = int(counts["changed"]), int(counts["changed_selected"]), counts["used"]
    by_changes = SelectionScore(selected, found, changed, found, CHANGED)
    by_reading = None if used is None else SelectionScore(selected, int(used), changed, found, READ)
    return TaskScore(task_id, by_reading or by_changes, by_changes, tuple(use["unselected"]), use["unseen"])


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
