"""What the spawner still does when its user was killed: it removes boxes that have no supervisor yet to do so."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterator

from switchyard_sandbox.docker.task import ENGINE
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
    if not any(_left(places)) and not any(_thrown(places)):
        return
    time.sleep(ORPHAN_GRACE_S)
    for kind, box in _left(places):
        if place := throw_away(box):
            _end(kind, place)
            remove_tree(place)
    for kind, place in _thrown(places):
        _end(kind, place)
        remove_tree(place)


def _end(kind: str, place: str) -> None:
    """End what runs of a box elsewhere than below a supervisor of its own."""
    if kind == "docker":
        # Imported here: spawners of other kinds need nothing of it.
        from switchyard_sandbox.docker.ending import remove_container

        remove_container(place)


def _left(places: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Boxes of these kinds that have neither owner nor supervisor."""
    for kind, box in _folders(places, "boxes"):
        if is_orphan(box) and not _is_supervised(box):
            yield kind, box


def _thrown(places: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Boxes whose destroyer may have been killed before it ended what a supervisor of their own would have ended."""
    found = _folders([(kind, state) for kind, state in places if kind == "docker"], "trash")
    return ((kind, box) for kind, box in found if os.path.exists(f"{box}/{ENGINE}"))  # noqa: PTH110


def _folders(places: Collection[tuple[str, str]], below: str) -> Iterator[tuple[str, str]]:
    for kind, state in places:
        boxes = f"{state}/{below}"
        names = os.listdir(boxes) if os.path.isdir(boxes) else []  # noqa: PTH112, PTH208
        yield from ((kind, f"{boxes}/{name}") for name in names if _is_of(kind, f"{boxes}/{name}"))


def _is_of(kind: str, box: str) -> bool:
    try:
        with open(f"{box}/{ENTRY}") as file:
            return bool(json.load(file)["kind"] == kind)
    except FileNotFoundError:
        return False


def _is_supervised(box: str) -> bool:
    try:
        return is_alive(*read_process(box))
    except FileNotFoundError:
        return False
