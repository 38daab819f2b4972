"""Says what the service enforces for its boxes, line by line, and what only a machine of one's own can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from switchyard_sandbox.contract import Enforcement, SandboxError
from switchyard_sandbox.daytona.service import patiently, told

if TYPE_CHECKING:
    from daytona import Daytona

_HERE = 'use `kind = "embedded"` or "docker" where that is needed'


def report(client: Callable[[], Daytona], image: str) -> Sequence[Enforcement]:
    """One line for each thing that a box relies on."""
    try:
        _ask(client())
    except SandboxError as err:
        return [Enforcement("isolation", False, str(err), err.hint)]
    size = "the service, in whole units" if image and not image.startswith("snapshot:") else "as the snapshot says"
    return [
        Enforcement("isolation", True, "a sandbox of Daytona's, on a machine of theirs"),
        Enforcement("uid", True, "the image's user, inside the sandbox"),
        Enforcement("network", True, "none, or the service's allow-list of domains; no line tells of each decision"),
        Enforcement("cpus", True, size),
        Enforcement("memory", True, f"{size}, and a watch every 0.1 s over the command"),
        Enforcement("disk", True, f"{size}, and a watch every 0.5 s over the home and /tmp, and a limit on each file"),
        Enforcement("pids", True, "RLIMIT_NPROC; refused where the image's user is root, unless `allow_degraded`"),
        Enforcement("timeout", True, "a supervisor in the box, a time to live at the service, and this machine"),
        Enforcement("gateway", False, "a box in a cloud can't reach the gateway on this machine", _HERE),
        Enforcement("programs", False, "programs of this machine are not in the box", _HERE),
    ]


def _ask(client: Daytona) -> None:
    """See that the service answers and knows the key."""
    from daytona import ListSandboxesQuery

    with told("Daytona"):
        patiently(lambda: next(iter(client.list(ListSandboxesQuery(limit=1))), None))
