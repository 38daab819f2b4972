"""The journal of effects on the outside: what was meant, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from switchyard.ledger.events import NewEvent, canonical_json
from switchyard.ledger.store import EFFECTS, append

EffectKind = Literal[
    "sandbox",
    "attempt",
    "branch",
    "pull_request",
    "navigation",
    "stack",
    "landing",
    "finding",
    "comment",
    "notification",
]


@dataclass(frozen=True)
class Effect:
    """One effect. `outcome` is None while it is not known to have happened."""

    key: str
    kind: EffectKind
    run_id: str
    task_id: str
    intent: Mapping[str, Any]
    outcome: Mapping[str, Any] | None = None


def intend_effect(connection: sa.Connection, effect: Effect, timestamp: str) -> None:
    """Journal the intent, with its ledger row, in the caller's transaction. A known key is left as it is."""
    append(
        connection,
        NewEvent(
            key=f"intent:{effect.key}",
            event_type="effect_intended",
            timestamp=timestamp,
            run_id=effect.run_id,
            task_id=effect.task_id,
            data={"kind": effect.kind, "key": effect.key, **effect.intent},
        ),
    )
    if find_effect(connection, effect.key) is None:
        row = {
            "key": effect.key,
            "kind": effect.kind,
            "run_id": effect.run_id,
            "task_id": effect.task_id,
            "intent": canonical_json(dict(effect.intent)),
        }
        connection.execute(sa.insert(EFFECTS).values(row))


def complete_effect(connection: sa.Connection, key: str, outcome: Mapping[str, Any], event: NewEvent) -> None:
    """Record what came of an effect, with its ledger row, in the caller's transaction. A known outcome stays."""
    unknown = sa.and_(EFFECTS.c.key == key, EFFECTS.c.outcome.is_(None))
    connection.execute(sa.update(EFFECTS).where(unknown).values(outcome=canonical_json(dict(outcome))))
    append(connection, event)


def find_effect(connection: sa.Connection, key: str) -> Effect | None:
    """The effect of that key, if it was ever intended."""
    row = connection.execute(sa.select(EFFECTS).where(EFFECTS.c.key == key)).mappings().first()
    return None if row is None else _effect(row)


def unfinished_effects(connection: sa.Connection, kind: EffectKind) -> list[Effect]:
    """The effects of a kind that were tried and of which no outcome is known."""
    query = sa.select(EFFECTS).where(EFFECTS.c.kind == kind, EFFECTS.c.outcome.is_(None))
    return [_effect(row) for row in connection.execute(query).mappings()]


def _effect(row: sa.RowMapping) -> Effect:
    return Effect(
        key=row["key"],
        kind=row["kind"],
        run_id=row["run_id"],
        task_id=row["task_id"],
        intent=json.loads(row["intent"]),
        outcome=None if row["outcome"] is None else json.loads(row["outcome"]),
    )
