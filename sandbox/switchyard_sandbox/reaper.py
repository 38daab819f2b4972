"""Ends what nobody waits for any more: commands of destroyed boxes, orphans, boxes past their time, and debris."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from switchyard_sandbox.contract import BoxId
from switchyard_sandbox.embedded import cgroups
from switchyard_sandbox.embedded.job import JOB, PROCESS
from switchyard_sandbox.embedded.procfs import is_alive
from switchyard_sandbox.journal import Journal

_PATIENCE_S = 5.0
_KILLED_S = 5.0


def reap(journal: Journal, keep: frozenset[BoxId], end: Callable[[Path], None] | None = None) -> Sequence[BoxId]:
    """Destroy orphans, boxes past their ttl and what a crash left half-made; returns the boxes.

    Args:
        end: Ends what runs in a box whose folder was thrown away; None: its commands are all.
    """
    end = end or end_commands
    now = time.time()
    ended = [entry for entry in journal.entries() if entry.is_orphan or entry.remaining_s(now) <= 0]
    lost = [*(BoxId(entry.id) for entry in ended), *journal.half_made(now)]
    gone = [box for box in lost if box not in keep]
    for box in gone:
        journal.remove(box, end)
    journal.empty_trash(end)
    return gone


def end_commands(box: Path) -> None:
    """Kill what runs in a box's folder, wait for its end, and remove its cgroups."""
    for folder in (box / "exec").glob("*"):
        pid, start = _process(folder)
        _end(pid, start)
        for path in _groups(folder):
            cgroups.remove(path)


def _end(pid: int, start: int) -> None:
    """Let the supervisor end its box itself; killed, it takes the box with it."""
    for number, patience_s in ((signal.SIGTERM, _PATIENCE_S), (signal.SIGKILL, _KILLED_S)):
        give_up = time.monotonic() + patience_s
        if is_alive(pid, start):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while is_alive(pid, start) and time.monotonic() < give_up:
            time.sleep(0.005)


def _process(folder: Path) -> tuple[int, int]:
    try:
        process = json.loads((folder / PROCESS).read_text())
    except FileNotFoundError:
        return 0, 0
    return int(process["pid"]), int(process["start"])


def _groups(folder: Path) -> list[Path]:
    try:
        job = json.loads((folder / JOB).read_text())
    except (FileNotFoundError, ValueError):
        return []
    return [Path(group["path"]) for group in job["groups"]]
