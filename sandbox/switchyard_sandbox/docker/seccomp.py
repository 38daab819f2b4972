"""Our own system-call filter as the engine takes it: the same refusals as in a box of this machine.

The engine's default is not enough: before version 26 it let ptrace and io_uring through.
"""

from __future__ import annotations

import json
import os

from switchyard_sandbox.embedded.seccomp import FAMILIES, NEW_NAMESPACES, REFUSED, TIOCLINUX, TIOCSTI

_EPERM, _ENOSYS = 1, 38
_LOW = 0xFFFFFFFF
"""The kernel reads these arguments as 32 bits, whatever stands above."""
_NAMES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


def profile(machine: str = os.uname().machine) -> str:
    """The filter as JSON. Another architecture's calls, 32-bit ones included, end their process."""
    flags = [1 << bit for bit in range(32) if NEW_NAMESPACES & 1 << bit]
    families = [family for family in range(max(FAMILIES)) if family not in FAMILIES]
    rules = [
        _refuse(list(REFUSED)),
        # Its flags lie in memory that a filter can't read; every libc then falls back to clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
        *(_refuse(["clone"], (0, "SCMP_CMP_MASKED_EQ", flag, flag)) for flag in flags),
        *(_refuse(["ioctl"], (1, "SCMP_CMP_MASKED_EQ", _LOW, request)) for request in (TIOCSTI, TIOCLINUX)),
        *(_refuse(["socket", "socketpair"], (0, "SCMP_CMP_MASKED_EQ", _LOW, family)) for family in families),
        _refuse(["socket", "socketpair"], (0, "SCMP_CMP_GT", max(FAMILIES), 0)),
    ]
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "architectures": [_NAMES[machine]], "syscalls": rules})


def _refuse(names: list[str], test: tuple[int, str, int, int] | None = None) -> dict[str, object]:
    rule: dict[str, object] = {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": _EPERM}
    if test is not None:
        index, operation, value, second = test
        rule["args"] = [{"index": index, "op": operation, "value": value, "valueTwo": second}]
    return rule
