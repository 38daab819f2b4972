"""A watch over what a box's files take on this machine's disk, which no limit of the engine covers."""

from __future__ import annotations

import time

from switchyard_sandbox.docker.task import Task
from switchyard_sandbox.embedded.bounds import disk_usage
from switchyard_sandbox.embedded.held import held_bytes

_EVERY_S = 0.5
_GROUPS = "/sys/fs/cgroup"


class Disk:
    """What a box takes, looked at from time to time."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._next_look = 0.0

    def is_crossed(self, now: float) -> bool:
        """Whether the box takes more than it may; between looks, no."""
        if now < self._next_look:
            return False
        crossed = is_over(self._task)
        # A large tree takes long to count: never spend more than a tenth of the time on it.
        self._next_look = time.monotonic() + max(_EVERY_S, 10 * (time.monotonic() - now))
        return crossed


def is_over(task: Task) -> bool:
    """Whether a box takes more than it may, files counted that have lost their name but are still open."""
    if not task.watched:
        return False
    held, _ = held_bytes(processes(task.init_pid))
    return held + sum(disk_usage(folder) for folder in task.watched) > task.disk_bytes


def processes(init_pid: int) -> list[int]:
    """What runs in the container; nothing where this machine does not tell."""
    try:
        with open(f"/proc/{init_pid}/cgroup") as file:
            rows = [line.rstrip("\n").split(":", 2) for line in file]
        place = next(f"{_GROUPS}/pids{path}" for _, names, path in rows if names == "pids") if len(rows) > 1 else ""
        with open(f"{place or _GROUPS + rows[0][2]}/cgroup.procs") as file:
            return [int(line) for line in file]
    except (OSError, StopIteration, IndexError):
        return []
