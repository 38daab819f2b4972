"""A task's rows of the ledger as a list that a person reads from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from switchyard.ledger import Event
from switchyard.quoting import code, plain

MOST_ROWS = 300
_LEFT_OUT = frozenset(("effect_intended", "sandbox_created", "egress_decided", "forge_waiting"))
_TOLD = ("attempt", "name", "gate", "outcome", "reviewer", "verdict", "state", "action", "branch", "number")
"""What of a row's data is worth its place, where it is there."""


def timeline(rows: Sequence[Event]) -> list[str]:
    """One item of a list for each row that tells a person something, oldest first; the oldest give way."""
    told = [row for row in rows if row.event_type not in _LEFT_OUT]
    left_out = [f"- ({len(told) - MOST_ROWS} earlier rows: `switchyard ledger tail`)"] if len(told) > MOST_ROWS else []
    return [*left_out, *(_item(row) for row in told[-MOST_ROWS:])]


def _item(row: Event) -> str:
    facts = [f"{name} {code(str(row.data[name])[:100])}" for name in _TOLD if row.data.get(name) not in (None, "")]
    whole = f"; {code(row.artifact_reference)}" if row.artifact_reference else ""
    what = plain(row.event_type.replace("_", " "))
    return f"- {row.timestamp[:19]} {what}{': ' if facts else ''}{', '.join(facts)}{whole}"
