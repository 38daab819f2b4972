"""What is known of checks that ran before: a tree and what it was checked in tell the same story every time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from switchyard.ledger.store import LEDGER


def find_check(connection: sa.Connection, tree: str, suite: str) -> tuple[Mapping[str, Any], str] | None:
    """The newest row of a check on a tree, its data and its output's artifact; None where rows disagree, or none is.

    Args:
        suite: The digest of command and surroundings.
    """
    data = LEDGER.c.data
    query = (
        sa.select(data, LEDGER.c.artifact_reference)
        .where(LEDGER.c.event_type.in_(("check_passed", "check_failed")))
        .where(data.contains(f'"suite":"{suite}"', autoescape=True))
        .where(data.contains(f'"tree":"{tree}"', autoescape=True))
        .order_by(LEDGER.c.sequence.desc())
    )
    rows = [(json.loads(row.data), str(row.artifact_reference)) for row in connection.execute(query)]
    if not rows or len({row["passed"] for row, _ in rows}) > 1:
        return None
    return rows[0]
