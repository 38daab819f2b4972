"""The evidence store as a document: claims of one task or of all, with the state of what backs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import ValidationError

from switchyard.errors import UsageError, did_you_mean
from switchyard.ledger import (
    CLAIMS,
    ArtifactDamaged,
    ArtifactStore,
    Claim,
    Event,
    FactoryView,
    LedgerError,
    Missing,
    TaskView,
    claims_of,
    connect,
    missing_claims,
    read_events,
)
from switchyard.packets import RunId, RunPlan, TaskId
from switchyard.workflow.places import Places

SCHEMA = "switchyard.evidence/1"
Wanted = Literal["holds", "fails", "not_applicable", "missing"]


@dataclass(frozen=True)
class Query:
    """Which claims are asked for; what is empty asks for all."""

    task: str = ""
    claim: str = ""
    outcome: Wanted | Literal[""] = ""


def evidence_document(places: Places, view: FactoryView, query: Query) -> dict[str, Any]:
    """`switchyard.evidence/1`: the claims of newest executions, in the ledger's order, and what is missing.

    Raises:
        UsageError: The task was never run, or there is no such claim.
    """
    tasks = _asked(view, query)
    claims, missing = _read(places, view, tasks) if tasks else ([], [])
    artifacts = ArtifactStore(places.artifacts)
    only = tasks[0] if query.task else None
    return {
        "schema": SCHEMA,
        "task": only.id if only else None,
        "run": only.run_id if only else None,
        "head": (only.head or None) if only else None,
        "claims": [
            {**one.as_json(), "artifact_state": _state(artifacts, one)}
            for one in sorted(claims, key=lambda one: one.seq)
            if query.claim in ("", one.claim) and query.outcome in ("", one.outcome)
        ],
        "missing": [
            asdict(one) for one in missing if query.claim in ("", one.claim) and query.outcome in ("", "missing")
        ],
    }


def read_execution(connection: sa.Connection, run: RunId, task: TaskId) -> list[Event]:
    """The rows of one task's execution, those of the run as a whole among them."""
    rows = [*read_events(connection, run_id=run, task_id=""), *read_events(connection, run_id=run, task_id=task)]
    return sorted(rows, key=lambda event: event.sequence)


def _asked(view: FactoryView, query: Query) -> list[TaskView]:
    if query.claim and query.claim not in CLAIMS and not query.claim.startswith("gate-"):
        raise UsageError(
            f"no claim is named {query.claim!r}{did_you_mean(query.claim, CLAIMS)}",
            hint=f"there are: {', '.join(sorted(CLAIMS))}",
        )
    if not query.task:
        return list(view.latest.values())
    task = view.latest.get(TaskId(query.task))
    if task is None:
        known = did_you_mean(query.task, view.latest)
        raise UsageError(f"{query.task!r} was never run{known}", hint="`switchyard status` lists tasks")
    return [task]


def _read(places: Places, view: FactoryView, tasks: Sequence[TaskView]) -> tuple[list[Claim], list[Missing]]:
    artifacts = ArtifactStore(places.artifacts)
    checks: dict[RunId, Mapping[TaskId, Sequence[str]]] = {}
    claims: list[Claim] = []
    missing: list[Missing] = []
    engine = connect(places.database, read_only=True)
    with engine.connect() as connection:
        for task in tasks:
            if task.run_id not in checks:
                checks[task.run_id] = _planned_checks(artifacts, view.runs[task.run_id].plan)
            events = read_execution(connection, task.run_id, task.id)
            own = [claim for claim in claims_of(events) if claim.task == task.id]
            claims += own
            missing += missing_claims(own, task.id, checks[task.run_id].get(task.id, ()))
    engine.dispose()
    return claims, missing


def _planned_checks(artifacts: ArtifactStore, plan: str) -> Mapping[TaskId, Sequence[str]]:
    """The checks that each task of a run was to execute; none where its plan is lost, or of another version."""
    try:
        tasks = RunPlan.model_validate_json(artifacts.get(plan)).tasks
    except (LedgerError, ValidationError):
        return {}
    return {task.id: list(task.checks) for task in tasks}


def _state(artifacts: ArtifactStore, claim: Claim) -> str | None:
    """Whether what backs a claim is there, byte for byte; None: its row says it all."""
    if not claim.artifact:
        return None
    try:
        artifacts.get(claim.artifact)
    except ArtifactDamaged:
        return "damaged"
    except LedgerError:
        return "missing"
    return "whole"
