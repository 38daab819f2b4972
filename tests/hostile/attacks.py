"""What the hostile tests share: code that runs in a box, and a look at what is left of it on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.boxes import DRIVERS, Ground
from switchyard_sandbox import BoxId, Command

ISOLATING = tuple(kind for kind in DRIVERS if kind != "none")
"""The drivers that the catalogue holds for."""
MARK = f"4343.{os.getpid()}"
"""A sleep of just that length is ours: every worker has its own."""

CALL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    ctypes.set_errno(0)
    answer = libc.syscall(*[ctypes.c_long(one) if isinstance(one, int) else one for one in arguments])
    return answer, ctypes.get_errno()
"""
"""Begins a program that makes system calls by their numbers: `call(number, …)` answers result and errno."""


_ORCHESTRATOR = """
import fcntl, os, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from sandbox.boxes import DRIVERS
from switchyard_sandbox import BoxSpec, CodeIn, Command
driver = DRIVERS[{kind!r}](Path({state!r}))
code = CodeIn(Path({repository!r}), {commit!r}, {commit!r})
box = driver.create(BoxSpec(labels={{'task': 'lost'}}, code=code, allow_degraded=True))
command = Command(('sh', '-c', {script!r}))
{act}
"""


def orchestrator(ground: Ground, script: str, act: str) -> str:
    """A program for a process of its own: it makes a box, and does what `act` says with a command that is a script."""
    return _ORCHESTRATOR.format(
        tests=str(Path(__file__).parents[1]),
        kind=ground.driver.kind,
        state=str(ground.state),
        repository=str(ground.repository),
        commit=ground.commit({"a": "a\n"}),
        script=script,
        act=act,
    )


def python(ground: Ground, box: BoxId, code: str, *, timeout_s: float = 60.0) -> str:
    """Run Python in a box; what it printed."""
    finished = ground.driver.execute(box, Command(("python3", "-"), stdin=code.encode(), timeout_s=timeout_s))
    assert finished.ok, finished
    return finished.stdout.decode()


def sleepers() -> list[int]:
    """The processes of this machine that sleep for the mark's length."""
    wanted = b"sleep\0" + MARK.encode() + b"\0"
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes() == wanted:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def can_hold(ground: Ground, limit: str) -> bool:
    """Whether the driver says that this machine enforces a limit; what it does not say it holds as best it can."""
    return next(line.enforced for line in ground.driver.probe() if line.name == limit)
