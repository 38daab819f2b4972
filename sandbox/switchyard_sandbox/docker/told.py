"""Which of its limits a box has met, as the kernel tells inside the container: asked when a command has failed."""

from __future__ import annotations

import json
import os

from switchyard_sandbox.docker.disk import is_over
from switchyard_sandbox.docker.engine import Engine, EngineError
from switchyard_sandbox.docker.task import FIRST_GROUP, HOME, Task

_FULL_BLOCKS = 16
"""Of 4 KiB: a file system with so little left is what a program failed on."""

# Both versions of cgroups; what is not there says nothing.
_ASK = """
cd /sys/fs/cgroup || exit
for place in pids/pids.events memory/memory.oom_control pids.events memory.events; do
    [ -r $place ] && while read -r name value; do echo "$place $name $value"; done < $place
done
for place in /workspace "$HOME" /tmp; do echo "disk $(stat -f -c '%a %d' "$place")"; done
"""
_COUNTERS = {
    "pids/pids.events max": "pids",
    "pids.events max": "pids",
    "memory/memory.oom_control oom_kill": "memory",
    "memory.events oom_kill": "memory",
}


def crossed(engine: Engine, task: Task) -> str:
    """The limit that the box ran into since this was last asked; empty: none."""
    try:
        lines = _ask(engine, task).decode("utf-8", "replace").splitlines()
    except EngineError:
        return ""
    counts, full = {"pids": 0, "memory": 0}, False
    for line in lines:
        name, _, value = line.rpartition(" ")
        if name.startswith("disk "):
            blocks, inodes = (int(word) for word in line.split()[1:])
            full = full or blocks < _FULL_BLOCKS or inodes == 0
        elif name in _COUNTERS:
            counts[_COUNTERS[name]] += int(value)
    before = _remember(task.told, counts)
    for limit in ("memory", "pids"):
        if counts[limit] > before.get(limit, 0):
            return limit
    return "disk" if full or is_over(task) else ""


def _ask(engine: Engine, task: Task) -> bytes:
    request = {
        "User": f"{task.uid}:{FIRST_GROUP}",
        "WorkingDir": "/",
        "AttachStdout": True,
        "Tty": True,
        "Env": [f"HOME={HOME}"],
        "Cmd": ["/bin/sh", "-c", _ASK],
    }
    _, connection, said = engine.execute(task.container, request)
    with connection:
        while piece := connection.recv(1 << 12):
            said += piece
    return said


def _remember(place: str, counts: dict[str, int]) -> dict[str, int]:
    """Keep the counters for the next command; returns the last one's."""
    before: dict[str, int] = {}
    if os.path.exists(place):  # noqa: PTH110
        with open(place) as file:
            before = json.load(file)
    with open(f"{place}.{os.getpid()}", "w") as file:
        json.dump(counts, file)
    os.replace(f"{place}.{os.getpid()}", place)  # noqa: PTH105
    return before
