"""Whose a box is: its maker's, and theirs who begin or follow a command in it; without heavy imports, for supervisors.

Each owner is an empty file in the box's folder that names its process, so that none ever has to be rewritten. A box
without any is meant to outlive its maker.
"""

from __future__ import annotations

import os
import time

from switchyard_sandbox.embedded.procfs import is_alive, start_time

LOOK_EVERY_S = 5.0
ORPHAN_GRACE_S = 30.0
"""How long a box waits for a successor once all of its owners are gone."""

_OWNER = "owner-"


def own(box: str) -> None:
    """Make a box ours."""
    mark = f"{box}/{_OWNER}{os.getpid()}-{start_time(os.getpid())}"
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def share(box: str) -> None:
    """Make a box ours too, if it is anybody's; one that is gone stays so."""
    try:
        if _owners(box):
            own(box)
    except FileNotFoundError:
        return


def is_orphan(box: str) -> bool:
    """Whether a box had owners, and none is alive. One that is gone is none's to miss."""
    try:
        owners = _owners(box)
    except FileNotFoundError:
        return False
    return bool(owners) and not any(is_alive(pid, start) for pid, start in owners)


class Patience:
    """How long a box's supervisor goes on without an owner."""

    def __init__(self, box: str) -> None:
        self._box = box
        self._next_look = 0.0
        self._alone_since: float | None = None

    def is_over(self) -> bool:
        """Whether the box was without an owner for all of its grace; it looks now and then, however often asked."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_EVERY_S
            alone_since = now if self._alone_since is None else self._alone_since
            self._alone_since = alone_since if is_orphan(self._box) else None
        return self._alone_since is not None and now - self._alone_since >= ORPHAN_GRACE_S


def _owners(box: str) -> list[tuple[int, int]]:
    """Pid and start time of each."""
    names = [name.removeprefix(_OWNER) for name in os.listdir(box) if name.startswith(_OWNER)]  # noqa: PTH208
    return [(int(pid), int(start)) for pid, _, start in (name.partition("-") for name in names)]
