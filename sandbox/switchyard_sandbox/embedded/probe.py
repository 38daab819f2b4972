"""Says what this machine enforces, line by line, and what would help where it doesn't."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from switchyard_sandbox.contract import Enforcement, IsolationUnavailable, SandboxError
from switchyard_sandbox.embedded.machine import Machine, look

_GROUP_HINT = "run as root, or give this user a delegated cgroup (systemd: Delegate=memory pids cpu)"


def report(state: Path) -> Sequence[Enforcement]:
    """One line for each thing that a box relies on."""
    try:
        machine = look(state)
    except IsolationUnavailable as err:
        return [Enforcement("isolation", False, str(err), err.hint)]
    except (SandboxError, OSError) as err:
        return [Enforcement("isolation", False, str(err), getattr(err, "hint", ""))]
    return [
        Enforcement("isolation", True, f"{machine.bwrap}: user, mount, pid, network, ipc, uts and cgroup namespaces"),
        Enforcement("uid", True, f"boxes run as uid {machine.uid or os.getuid()}, no capability, no new privileges"),
        Enforcement("network", True, "none, or the host's proxy to the allowed names alone"),
        Enforcement("seccomp", True, f"a filter of system calls for {os.uname().machine}"),
        _overlay(machine),
        *_workspaces(machine),
        _cpus(machine),
        _memory(machine),
        _pids(machine),
        Enforcement("disk", True, "a watch every 0.5 s over the box's own files, and a limit on each file"),
    ]


def _overlay(machine: Machine) -> Enforcement:
    match machine.overlay:
        case "root":
            return Enforcement("overlay", True, "an overlay over one shared checkout; directories can be renamed")
        case "user":
            how = "work trees are copied (an unprivileged overlay can't rename directories); set-up's layer is shared"
            return Enforcement("overlay", True, how)
        case _:
            hint = "put the state on ext4, xfs or btrfs, and allow mounts in user namespaces"
            return Enforcement("overlay", False, "no overlay can be mounted: work trees and layers are copied", hint)


def _workspaces(machine: Machine) -> list[Enforcement]:
    """Each way to keep what commands write, and whether directories can be renamed in it."""
    whole = "copied whole, blocks shared where the file system can; directories can be renamed"
    disk = "an overlay's upper layer on disk; directories can be renamed" if machine.overlay == "root" else whole
    memory = "an overlay's upper layer in a sized tmpfs; directories can be renamed; lost with the box's supervisor"
    lacking = "an overlay over memory takes root here"
    return [
        Enforcement("workspace disk", True, disk),
        Enforcement("workspace memory", True, memory)
        if machine.overlay_in_memory
        else Enforcement("workspace memory", False, lacking, 'choose workspace = "disk"'),
        Enforcement("workspace copy", True, whole),
    ]


def _cpus(machine: Machine) -> Enforcement:
    if "cpu" in machine.controllers:
        return Enforcement("cpus", True, _group(machine))
    return Enforcement("cpus", False, "processes are asked to stay on that many processors", _GROUP_HINT)


def _memory(machine: Machine) -> Enforcement:
    if "memory" in machine.controllers:
        return Enforcement("memory", True, _group(machine))
    return Enforcement("memory", False, "a limit on each process, and a watch every 0.2 s over the box", _GROUP_HINT)


def _pids(machine: Machine) -> Enforcement:
    how = _group(machine) if "pids" in machine.controllers else "RLIMIT_NPROC, counted in the box's own user namespace"
    return Enforcement("pids", True, how)


def _group(machine: Machine) -> str:
    assert machine.groups is not None
    return f"a cgroup (version {machine.groups.version}) of each box's own"
