"""Ends what nobody waits for any more: commands of destroyed boxes, orphans, boxes past their time, and debris."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from switchyard_sandbox.contract import BoxId
from switchyard_sandbox.embedded import cgroups
from switchyard_sandbox.embedded.job import PLAN, Plan
from switchyard_sandbox.journal import Journal
from switchyard_sandbox.processes import Process

_PATIENCE_S = 30.0
"""Longer than a supervisor takes to kill what does not end when it is asked to."""


def reap(journal: Journal, keep: frozenset[BoxId], end: Callable[[Path], None] | None = None) -> Sequence[BoxId]:
    """Destroy orphans, boxes past their ttl and what a crash left half-made; returns the boxes.

    Args:
        end: Ends what runs in a box whose folder was thrown away; None: its supervisor is all.
    """
    end = end or end_box
    now = time.time()
    ended = [entry for entry in journal.entries() if journal.is_orphan(entry) or entry.remaining_s(now) <= 0]
    gone = [box for box in (BoxId(entry.id) for entry in ended) if box not in keep]
    for box in gone:
        journal.remove(box, end)
    journal.sweep()
    journal.empty_trash(end)
    return gone


def end_box(box: Path) -> None:
    """End a box's supervisor and with it all that runs in the box; wait for that, and remove its cgroups."""
    with suppress(FileNotFoundError):
        with closing(Process(box)) as supervisor:
            was_killed = supervisor.stop(_PATIENCE_S)
        if was_killed:
            _see_commands_end(box)
        for group in Plan.load((box / PLAN).read_text()).groups:
            cgroups.remove(Path(group.path))


def end_commands(box: Path) -> None:
    """End the commands of a box that has no supervisor beside theirs."""
    for folder in (box / "exec").glob("*"):
        with suppress(FileNotFoundError), closing(Process(folder)) as command:
            command.stop(_PATIENCE_S)


def _see_commands_end(box: Path) -> None:
    """The kernel ends commands with their supervisor; that takes a moment."""
    for folder in (box / "exec").glob("*"):
        with suppress(FileNotFoundError), closing(Process(folder)) as command:
            command.wait(_PATIENCE_S)
