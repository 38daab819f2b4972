"""What set-up commands install, kept as a snapshot of the service that any number of boxes start from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from switchyard_sandbox.contract import BoxId, BoxSpec, Driver
from switchyard_sandbox.daytona.service import patiently, told
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.layers import run_commands, spec_of_setup

if TYPE_CHECKING:
    from daytona import Daytona

_FORMAT = 1
_SNAPSHOT_S = 900.0


class Keeper(Driver, Protocol):
    """A driver that can make a snapshot of a box."""

    def keep(self, box: BoxId, name: str, timeout_s: float) -> None:
        """Make a snapshot of an idle box."""


def ensure_snapshot(state: Path, client: Daytona, image: str, spec: BoxSpec, driver: Keeper) -> str:
    """The snapshot of a spec's set-up commands; they run when no earlier box ran them on the same anchor.

    The anchor's commit is part of the name, and with it every lock file; what an attempt changes in a lock file never
    runs with set-up's network open.

    Raises:
        SetUpFailed: A command failed; nothing is kept.
    """
    name = f"switchyard-{_key(image, spec)}"
    if _exists(client, name):
        return name
    locks = state / "layers"
    locks.mkdir(parents=True, exist_ok=True)
    with hold(str(locks / f"{name}.lock")):
        if not _exists(client, name):
            _build(spec, driver, name)
    return name


def _build(spec: BoxSpec, driver: Keeper, name: str) -> None:
    own = spec_of_setup(spec)
    box = driver.create(replace(own, ttl_s=own.ttl_s + _SNAPSHOT_S))
    try:
        run_commands(driver, box, spec.setup)
        driver.keep(box, name, _SNAPSHOT_S)
    finally:
        driver.destroy(box)


def _exists(client: Daytona, name: str) -> bool:
    from daytona import DaytonaNotFoundError

    with told("the list of snapshots"):
        try:
            patiently(lambda: client.snapshot.get(name))
        except DaytonaNotFoundError:
            return False
    return True


def _key(image: str, spec: BoxSpec) -> str:
    parts = {
        "format": _FORMAT,
        "image": image,
        "anchor": spec.code.anchor,
        "commands": spec.setup.commands,
        "network": sorted(spec.setup.network),
        "env": dict(sorted(spec.env.items())),
        "limits": asdict(spec.limits),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
