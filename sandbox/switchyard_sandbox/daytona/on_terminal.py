"""Runs in a box, on a terminal in a shell's place: the command in its foreground, under the same supervision."""

from __future__ import annotations

import os
import select
import signal
import sys

from switchyard_sandbox.daytona.supervising import TICK_S, Bounds, become, end_all, supervise
from switchyard_sandbox.daytona.task import Task
from switchyard_sandbox.embedded.start import Started
from switchyard_sandbox.embedded.waking import Wake


def main(folder: str) -> None:
    """Do what the folder's task says, on our own terminal."""
    os.chdir(folder)
    supervise(_run)


def _run(task: Task, wake: Wake) -> dict[str, object]:
    os.close(os.open(task.cwd, os.O_RDONLY | os.O_DIRECTORY))
    # Whoever moves another group to the foreground is in the background itself, and is stopped for it otherwise.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.write(sys.stdout.fileno(), task.mark.encode() + b"\n")
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(sys.stdin.fileno(), os.getpid())
        become(task)
    started = Started(pid, -1, -1)
    bounds, limit = Bounds(task), ""
    poll = select.poll()
    for descriptor in (wake.descriptor, started.end_fd):
        poll.register(descriptor, select.POLLIN)
    try:
        while not limit and not started.has_ended():
            woken = any(descriptor == wake.descriptor for descriptor, _ in poll.poll(TICK_S * 1000))
            limit = "cancelled" if woken else bounds.crossed(float("inf"))
    finally:
        end_all(started)
    return {"code": started.exit_code(), "limit": limit or bounds.told(started), "truncated": False}
