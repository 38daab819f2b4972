"""Says what the engine enforces, line by line, and what would help where it doesn't."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from switchyard_sandbox.contract import BoxSpec, Enforcement, IsolationUnavailable, LimitUnenforceable, SandboxError
from switchyard_sandbox.docker.client import Client, connect

_LIMITS = {"cpus": ("CpuCfsQuota",), "memory": ("MemoryLimit",), "pids": ("PidsLimit",)}
_GROUP_HINT = "give the engine's machine these cgroup controllers (a rootless engine: systemd's Delegate=)"


def report(base_url: str) -> Sequence[Enforcement]:
    """One line for each thing that a box relies on; one alone where there is no engine."""
    try:
        with connect(base_url) as client:
            about = client.about
            version = client.sdk.version()
    except SandboxError as err:
        return [Enforcement("isolation", False, str(err), err.hint)]
    return [
        Enforcement("isolation", True, _engine(about, version)),
        Enforcement("uid", True, f"no capability, no new privileges, an ordinary user; {_users(about)}"),
        _network(),
        _filter(about),
        Enforcement("overlay", True, f"the image is read-only ({about['Driver']})"),
        Enforcement("workspace disk", True, _ground(about)),
        Enforcement("workspace memory", True, "a copy in file systems of that size; lost with the container"),
        Enforcement("workspace copy", True, "a copy of the checkout; directories can be renamed"),
        *(_limit(name, about) for name in _LIMITS),
        Enforcement(
            "disk", True, "a watch over the box's files and a limit on each; in memory, their file systems' size"
        ),
    ]


def require(client: Client, spec: BoxSpec) -> None:
    """See that the engine can do what a box relies on.

    Raises:
        IsolationUnavailable: It filters no system calls, or there is no way out for a box that shall have one.
        LimitUnenforceable: It can't enforce a limit, and the spec doesn't allow that.
    """
    network = _network()
    if not network.enforced and (spec.network or spec.gateway or spec.code.remote):
        raise IsolationUnavailable(f"a Docker box with a way out can't be had: {network.how}", hint=network.hint)
    about = client.about
    lines = [_filter(about), *(_limit(name, about) for name in _LIMITS)]
    for line in lines:
        if line.enforced:
            continue
        if line.name == "seccomp":
            raise IsolationUnavailable(f"the Docker engine isolates too little: {line.how}", hint=line.hint)
        if not spec.allow_degraded:
            raise LimitUnenforceable(
                f"the Docker engine can't enforce {line.name}: {line.how}", hint=f"{line.hint}, or allow_degraded"
            )


def maps_users(client: Client) -> bool:
    """Whether root of a container, or of the whole engine, is somebody else on this machine."""
    return _are_mapped(client.about)


def _engine(about: Mapping[str, Any], version: Mapping[str, Any]) -> str:
    return (
        f"Docker {version['Version']} (API {version['ApiVersion']}), {about['DefaultRuntime']}, "
        f"cgroup version {about.get('CgroupVersion', '1')}"
    )


def _users(about: Mapping[str, Any]) -> str:
    return "users are mapped" if _are_mapped(about) else "users are not mapped (userns-remap)"


def _are_mapped(about: Mapping[str, Any]) -> bool:
    options = " ".join(about.get("SecurityOptions") or ())
    return "name=userns" in options or "name=rootless" in options


def _ground(about: Mapping[str, Any]) -> str:
    if os.getuid() == 0 and not _are_mapped(about):
        return "an overlay over one shared checkout; directories can be renamed"
    return "a copy of the checkout; directories can be renamed"


def _network() -> Enforcement:
    """A box's only way out is a socket that the host opens inside its network, which takes root."""
    if os.getuid() == 0:
        return Enforcement("network", True, "none, or the host's proxy to the allowed names alone")
    hint = "run as root, use embedded boxes, or leave `network`, `gateway` and `code` at their defaults"
    return Enforcement("network", False, "none at all: only root can open a proxy inside a container's network", hint)


def _filter(about: Mapping[str, Any]) -> Enforcement:
    if any(option.startswith("name=seccomp") for option in about.get("SecurityOptions") or ()):
        return Enforcement("seccomp", True, "our own filter of system calls")
    return Enforcement("seccomp", False, "its kernel or build has no seccomp", "use an engine that has")


def _limit(name: str, about: Mapping[str, Any]) -> Enforcement:
    missing = [key for key in _LIMITS[name] if not about.get(key)]
    if missing:
        return Enforcement(name, False, f"the engine reports no {', '.join(missing)}", _GROUP_HINT)
    return Enforcement(name, True, "a cgroup of the container")
