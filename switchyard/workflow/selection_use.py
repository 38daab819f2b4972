"""What became of a selection: which of its files a task's attempts opened or changed, and what they changed besides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from switchyard.ledger import ArtifactStore
from switchyard.packets import AttemptResult, ContextUse, SelectedContext
from switchyard.workflow.paths import printable

SHOWN = 200
"""The longest list of paths in a ledger row; the numbers beside them are of the whole."""


def selected_paths(artifacts: ArtifactStore, context: SelectedContext) -> tuple[str, ...]:
    """The files of a selection, best first, as the tree spells them."""
    return tuple(item["path"] for item in json.loads(artifacts.get(context.listing))["files"])


def use_of(selected: Sequence[str], opened: Sequence[str] | None, unseen: str) -> ContextUse:
    """What one attempt opened of what it was given."""
    read = None if opened is None else tuple(sorted(map(printable, opened)))
    return ContextUse(selected=tuple(map(printable, selected)), read=read, unseen=unseen)


def describe_use(attempts: Sequence[AttemptResult]) -> dict[str, Any] | None:
    """What the ledger says of a task's selection after its attempts; None: it had none.

    What was changed is what the last attempt left, for every attempt goes on from the one before it. What was read is
    told only if it is known of every attempt.
    """
    uses = [attempt.context for attempt in attempts if attempt.context is not None]
    if not uses:
        return None
    last = attempts[-1]
    selected = set(uses[-1].selected)
    existing = set(last.changed) - set(last.created)
    opened = [use.read for use in uses if use.read is not None]
    read = {path for paths in opened for path in paths} if len(opened) == len(uses) else None
    return {
        "selected": len(selected),
        "read": None if read is None else sorted(read)[:SHOWN],
        "unseen": next((use.unseen for use in uses if use.read is None), ""),
        "changed": sorted(existing)[:SHOWN],
        "created": sorted(last.created)[:SHOWN],
        "unselected": sorted(existing - selected)[:SHOWN],
        "counts": _counts(selected, existing, read),
    }


def _counts(selected: set[str], existing: set[str], read: set[str] | None) -> Mapping[str, int | None]:
    found = existing & selected
    return {
        "changed": len(existing),
        "changed_selected": len(found),
        "used": None if read is None else len(found | read),
    }
