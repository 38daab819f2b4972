"""How each limit of a box is held on this machine, and which can't be."""

from __future__ import annotations

from dataclasses import dataclass

from switchyard_sandbox.contract import Limits, LimitUnenforceable
from switchyard_sandbox.embedded.job import Group
from switchyard_sandbox.embedded.machine import Machine

_OPEN_FILES = 65536
_DEGRADED = {
    "memory": "run as root, or give this user a delegated cgroup (systemd: Delegate=memory pids cpu), "
    "or set allow_degraded: then processes are limited one by one and the box is watched",
    "cpus": "run as root, or give this user a delegated cgroup with the cpu controller, or set allow_degraded",
}


@dataclass(frozen=True)
class Held:
    """The limits of one command in the shim's terms."""

    groups: list[Group]
    rlimits: dict[str, int]
    cpus: list[int]
    pids: int
    memory_bytes: int


def unenforceable(machine: Machine, limits: Limits) -> list[str]:
    """The limits that this machine can't hold for certain."""
    missing = [] if "memory" in machine.controllers else ["memory"]
    return missing if "cpu" in machine.controllers or limits.cpus >= machine.processors else [*missing, "cpus"]


def require(machine: Machine, limits: Limits, *, allow_degraded: bool) -> None:
    """Refuse a box whose limits can't be held.

    Raises:
        LimitUnenforceable: It names the limits; with `allow_degraded` it is not raised.
    """
    missing = unenforceable(machine, limits)
    if missing and not allow_degraded:
        raise LimitUnenforceable(
            f"this machine can't enforce: {', '.join(missing)}", hint="; ".join(_DEGRADED[name] for name in missing)
        )


def hold(machine: Machine, limits: Limits, group_name: str) -> Held:
    """Every limit by the best means there is."""
    by_group = machine.controllers
    rlimits = {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": _OPEN_FILES, "RLIMIT_FSIZE": limits.disk_mb << 20}
    if "memory" not in by_group:
        # Not RLIMIT_AS: node and Go reserve far more than they use.
        rlimits["RLIMIT_DATA"] = limits.memory_mb << 20
    few = max(1, round(limits.cpus)) if "cpu" not in by_group and limits.cpus < machine.processors else 0
    return Held(
        groups=machine.groups.groups(group_name, limits) if machine.groups else [],
        rlimits=rlimits,
        cpus=list(range(few)),
        pids=0 if "pids" in by_group else limits.pids,
        memory_bytes=0 if "memory" in by_group else limits.memory_mb << 20,
    )
