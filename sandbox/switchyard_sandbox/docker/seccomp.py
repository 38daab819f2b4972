"""Our own system-call filter as the engine takes it: what is not on its list is refused, and with it whatever a box of
this machine may not call either.

The engine's default is not enough: before version 26 it let ptrace and io_uring through.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from switchyard_sandbox.embedded.seccomp import FAMILIES, NEW_NAMESPACES, REFUSED, TIOCLINUX, TIOCSTI

_EPERM, _ENOSYS = 1, 38
_LOW = 0xFFFFFFFF
"""The kernel reads these arguments as 32 bits, whatever stands above."""
_NAMES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_ALLOWED = Path(__file__).with_name("syscalls.txt")
"""One name a line, of all processors; a kernel or library that doesn't know one leaves it out."""


def profile(machine: str = os.uname().machine) -> str:
    """The filter as JSON. Another architecture's calls, 32-bit ones included, end their process."""
    rules = [
        {"names": sorted(set(_ALLOWED.read_text().split()) - set(REFUSED)), "action": "SCMP_ACT_ALLOW"},
        # Its flags lie in memory that a filter can't read; every libc then falls back to clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
        _allow(["clone"], 0, NEW_NAMESPACES, 0),
        *(_allow(["ioctl"], 1, mask, value) for mask, value in _all_but(TIOCSTI, TIOCLINUX)),
        *(_allow(["socket", "socketpair"], 0, _LOW, family) for family in FAMILIES),
    ]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": _EPERM,
            "architectures": [_NAMES[machine]],
            "syscalls": rules,
        }
    )


def _allow(names: list[str], argument: int, mask: int, value: int) -> dict[str, object]:
    """Allow calls one of whose arguments has this value under the mask."""
    test = {"index": argument, "op": "SCMP_CMP_MASKED_EQ", "value": mask, "valueTwo": value}
    return {"names": names, "action": "SCMP_ACT_ALLOW", "args": [test]}


def _all_but(one: int, other: int) -> list[tuple[int, int]]:
    """Masks and values of which some fit every 32-bit number but these two: a filter can't say `not`."""
    differing = one ^ other
    common = [1 << bit for bit in range(32) if not differing & 1 << bit]
    found = [(bit, ~one & bit) for bit in common]
    patterns = {0}
    for bit in (1 << bit for bit in range(32) if differing & 1 << bit):
        patterns |= {pattern | bit for pattern in patterns}
    return found + [(differing, pattern) for pattern in sorted(patterns - {one & differing, other & differing})]
