"""What the spawner still does when its user was killed: it removes boxes that have no supervisor yet to do so."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection

from switchyard_sandbox.embedded.job import ENTRY
from switchyard_sandbox.embedded.ownership import ORPHAN_GRACE_S, is_orphan
from switchyard_sandbox.embedded.procfs import is_alive
from switchyard_sandbox.embedded.records import read_process
from switchyard_sandbox.removal import remove_tree, throw_away

_DEATH_S = 5.0


def see_out(user: int, places: Collection[tuple[str, str]]) -> None:
    """Remove the boxes that nobody wants, once they have had the time in which a successor may come.

    Args:
        user: Our parent, as long as it lives.
        places: The kinds of boxes that it made, each with its state folder.
    """
    give_up = time.monotonic() + _DEATH_S
    # A process closes its files a moment before it is gone.
    while os.getppid() == user and time.monotonic() < give_up:
        time.sleep(0.01)
    if not _left(places):
        return
    time.sleep(ORPHAN_GRACE_S)
    for box in _left(places):
        if place := throw_away(box):
            remove_tree(place)


def _left(places: Collection[tuple[str, str]]) -> list[str]:
    """Boxes of these kinds that have neither owner nor supervisor."""
    found = []
    for kind, state in places:
        boxes = f"{state}/boxes"
        names = os.listdir(boxes) if os.path.isdir(boxes) else []  # noqa: PTH112, PTH208
        found += [box for box in (f"{boxes}/{name}" for name in names) if _is_left(box, kind)]
    return found


def _is_left(box: str, kind: str) -> bool:
    try:
        with open(f"{box}/{ENTRY}") as file:
            is_ours = json.load(file)["kind"] == kind
    except FileNotFoundError:
        return False
    return is_ours and is_orphan(box) and not _is_supervised(box)


def _is_supervised(box: str) -> bool:
    try:
        return is_alive(*read_process(box))
    except FileNotFoundError:
        return False
