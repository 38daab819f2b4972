"""The system-call filter of containers, as a list of what is allowed."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from switchyard_sandbox.docker.seccomp import profile
from switchyard_sandbox.embedded.seccomp import REFUSED, TIOCLINUX, TIOCSTI

_RULES = json.loads(profile("x86_64"))["syscalls"]


def is_allowed(name: str, *arguments: int) -> bool:
    """What the rules say of a call, as the engine reads them."""
    for rule in _RULES:
        if name in rule["names"] and rule["action"] == "SCMP_ACT_ALLOW":
            tests = rule.get("args", [])
            if all(arguments[test["index"]] & test["value"] == test["valueTwo"] for test in tests):
                return True
    return False


def test_what_a_box_of_this_machine_may_not_call_is_not_allowed_either() -> None:
    assert [name for name in (*REFUSED, "clone3") if is_allowed(name)] == []


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_every_request_to_a_device_is_allowed_but_typing_into_a_terminal(request: int, upper: int) -> None:
    assert is_allowed("ioctl", 0, upper << 32 | request) == (request not in (TIOCSTI, TIOCLINUX))


@given(st.integers(0, 2**32 - 1))
def test_typing_into_a_terminal_is_refused_whatever_stands_above(upper: int) -> None:
    assert not is_allowed("ioctl", 0, upper << 32 | TIOCSTI)
    assert not is_allowed("ioctl", 0, upper << 32 | TIOCLINUX)


def test_threads_and_children_are_allowed_and_namespaces_are_not() -> None:
    assert is_allowed("clone", 0x3D0F00)
    assert is_allowed("clone", 0x01200011)
    for space in (0x80, 0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert not is_allowed("clone", space | 17)
