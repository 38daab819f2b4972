"""Limits by cgroup: finds a place where groups can be made, version 2 first, and says what to write in them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import Limits
from switchyard_sandbox.embedded.job import Group

_ROOT = Path("/sys/fs/cgroup")
_WANTED = ("memory", "pids", "cpu")
_PERIOD_US = 100_000
_TRIES = 100


@dataclass(frozen=True)
class Place:
    """Where groups can be made for some controllers."""

    version: int
    parents: dict[str, Path]
    """By controller; one directory for all in version 2."""

    def groups(self, name: str, limits: Limits) -> list[Group]:
        """The groups of one command, each with its limits."""
        makers = {"memory": _memory, "pids": _pids, "cpu": _cpu}
        return [makers[kind](self.version, str(parent / name), limits) for kind, parent in self.parents.items()]


def find_place(own: str = "/proc/self/cgroup") -> Place | None:
    """The first place where a group can really be made and joined; None where there is none."""
    lines = [line.split(":", 2) for line in Path(own).read_text().splitlines()]
    unified = next((path for number, names, path in lines if number == "0" and not names), None)
    if unified is not None:
        place = _unified_place(unified)
        if place:
            return place
    found: dict[str, Path] = {}
    for _, names, path in lines:
        for name in set(names.split(",")) & set(_WANTED):
            parent = next((spot for spot in (_ROOT / name / path.lstrip("/"), _ROOT / name) if _usable(spot)), None)
            if parent:
                found[name] = parent
    return Place(1, found) if found else None


def remove(path: Path) -> None:
    """Take away a group that may be gone already, killing what is left in it."""
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            (path / "cgroup.kill").write_text("1")
        try:
            path.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            _kill_members(path)
            time.sleep(0.01)
        else:
            return


def _kill_members(path: Path) -> None:
    """Version 1 has no file for that."""
    with contextlib.suppress(OSError):
        for pid in (path / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)


def _unified_place(own: str) -> Place | None:
    for root in (_ROOT, _ROOT / "unified"):
        spot = root / own.lstrip("/")
        while root == spot or root in spot.parents:
            controllers = _delegated(spot)
            if controllers and _usable(spot):
                return Place(2, dict.fromkeys(controllers, spot))
            spot = spot.parent
    return None


def _delegated(spot: Path) -> list[str]:
    try:
        given = (spot / "cgroup.subtree_control").read_text().split()
    except OSError:
        return []
    return [name for name in _WANTED if name in given]


def _usable(parent: Path) -> bool:
    """Whether a child process can be put into a group below: tried, because delegation has too many rules to guess."""
    trial = parent / f"switchyard-trial-{os.getpid()}-{os.urandom(3).hex()}"
    try:
        trial.mkdir()
    except OSError:
        return False
    try:
        return os.access(trial / "cgroup.procs", os.W_OK) and os.access(parent / "cgroup.procs", os.W_OK)
    finally:
        remove(trial)


def _memory(version: int, path: str, limits: Limits) -> Group:
    size = str(limits.memory_mb << 20)
    if version == 2:
        values = {"memory.max": size, "?memory.swap.max": "0"}
        return Group(path=path, values=values, limit="memory", events="memory.events", counter="oom_kill")
    values = {"memory.limit_in_bytes": size, "?memory.memsw.limit_in_bytes": size}
    return Group(path=path, values=values, limit="memory", events="memory.oom_control", counter="oom_kill")


def _pids(_: int, path: str, limits: Limits) -> Group:
    return Group(path=path, values={"pids.max": str(limits.pids)}, limit="pids", events="pids.events", counter="max")


def _cpu(version: int, path: str, limits: Limits) -> Group:
    quota = str(max(1000, int(limits.cpus * _PERIOD_US)))
    if version == 2:
        return Group(path=path, values={"cpu.max": f"{quota} {_PERIOD_US}"})
    return Group(path=path, values={"?cpu.cfs_period_us": str(_PERIOD_US), "cpu.cfs_quota_us": quota})
