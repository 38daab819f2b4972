"""What a new sandbox is asked to be: labels, life, network and size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from switchyard_sandbox.contract import BoxId, BoxSpec, LimitUnenforceable, SandboxError
from switchyard_sandbox.daytona.service import is_passing, patiently, told

if TYPE_CHECKING:
    from daytona import (
        CreateSandboxFromImageParams,
        CreateSandboxFromSnapshotParams,
        Daytona,
        DaytonaError,
        ListSandboxesQuery,
        Sandbox,
    )

STATE, BOX = "switchyard.state", "switchyard.box"
"""Labels of every sandbox: whose it is, and which box."""
SNAPSHOT = "snapshot:"
"""How an image that is a snapshot of Daytona is written in the configuration."""
_CREATE_S = 300.0
_TTL_SLACK_MIN = 2
_STOP_SLACK_MIN = 5
_DELETE_AFTER_STOP_MIN = 30
_IMAGE_GB = 1


def require(spec: BoxSpec) -> None:
    """Refuse what a box in a cloud can't have.

    Raises:
        SandboxError: The spec asks for model endpoints.
    """
    if spec.gateway is not None:
        raise SandboxError(
            "a box in Daytona's cloud can't reach the gateway on this machine",
            hint='use `kind = "embedded"` or "docker" for agents that need `[gateway]`',
        )


def require_pids(uid: object, spec: BoxSpec) -> None:
    """Refuse a user for whom the kernel counts no processes.

    Raises:
        LimitUnenforceable: The image's user is root, and the spec doesn't allow that.
    """
    if uid == 0 and not spec.allow_degraded:
        raise LimitUnenforceable(
            "commands run as root in this image, for whom no limit on processes holds",
            hint="use an image with another USER, or set `allow_degraded`",
        )


def labels_of(spec: BoxSpec, box: BoxId, state: str) -> dict[str, str]:
    """What finds the box again."""
    return {**spec.labels, STATE: state, BOX: box}


def params_of(
    spec: BoxSpec, labels: dict[str, str], image: str, snapshot: str, fetching: str
) -> CreateSandboxFromImageParams | CreateSandboxFromSnapshotParams:
    """A sandbox for this spec.

    Args:
        image: From the configuration: an image, `snapshot:NAME`, or empty for the service's own.
        snapshot: With what set-up installed; empty: none.
        fetching: A host name that is open until the code is there; empty: none.
    """
    from daytona import CreateSandboxFromImageParams, CreateSandboxFromSnapshotParams, Resources

    ttl_min = math.ceil(spec.ttl_s / 60) + _TTL_SLACK_MIN
    domains = ",".join(dict.fromkeys([*spec.network, *([fetching] if fetching else [])]))
    limits = spec.limits
    named = snapshot or (image.removeprefix(SNAPSHOT) if image.startswith(SNAPSHOT) else "")
    params = CreateSandboxFromSnapshotParams(
        snapshot=named or None,
        labels=labels,
        ttl_minutes=ttl_min,
        auto_stop_interval=ttl_min + _STOP_SLACK_MIN,
        auto_delete_interval=_DELETE_AFTER_STOP_MIN,
        network_block_all=not domains,
        domain_allow_list=domains or None,
    )
    if named or not image:
        return params
    size = Resources(
        cpu=math.ceil(limits.cpus),
        memory=math.ceil(limits.memory_mb / 1024),
        disk=math.ceil(limits.disk_mb / 1024) + _IMAGE_GB,
    )
    return CreateSandboxFromImageParams(image=image, resources=size, **params.model_dump(exclude_none=True))


def make(
    client: Daytona,
    params: CreateSandboxFromImageParams | CreateSandboxFromSnapshotParams,
    labels: dict[str, str],
) -> Sandbox:
    """Make the sandbox, once however often the answer gets lost.

    Raises:
        DaytonaError: The service refused.
    """
    from daytona import DaytonaError

    def once() -> Sandbox:
        try:
            return client.create(params, timeout=_CREATE_S)
        except DaytonaError as err:
            found = find(client, labels) if _may_be_made(err) else None
            if found is None:
                raise
            found.wait_for_sandbox_start(_CREATE_S)
            return found

    return patiently(once)


def close_network(sandbox: Sandbox, spec: BoxSpec) -> None:
    """Take away what only fetching the code needed."""
    domains = ",".join(spec.network)
    with told(f"the network of sandbox {sandbox.id}"):
        if domains:
            patiently(lambda: sandbox.update_network_settings(domain_allow_list=domains))
        else:
            patiently(lambda: sandbox.update_network_settings(network_block_all=True))


def find(client: Daytona, labels: dict[str, str]) -> Sandbox | None:
    """The sandbox of one box, if the service has it."""
    from daytona import ListSandboxesQuery

    query: ListSandboxesQuery = ListSandboxesQuery(labels={name: labels[name] for name in (STATE, BOX)})
    return next(iter(patiently(lambda: [box for box in client.list(query) if is_there(box)])), None)


def is_there(sandbox: Sandbox) -> bool:
    """Whether it is none that the service is already removing."""
    from daytona import SandboxState

    return sandbox.state not in (SandboxState.DESTROYED, SandboxState.DESTROYING)


def _may_be_made(err: DaytonaError) -> bool:
    from daytona import DaytonaTimeoutError

    return is_passing(err) or isinstance(err, DaytonaTimeoutError)
