"""Runs in a box: stays with one command from its start until nothing that it started is left.

It needs nobody: its limits hold although whoever asked is dead. Output goes to a capped file of frames, the end to
exit.json, both as every driver's do.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from switchyard_sandbox.daytona.task import STDIN, TASK, Task
from switchyard_sandbox.embedded.bounds import disk_usage
from switchyard_sandbox.embedded.held import held_bytes
from switchyard_sandbox.embedded.job import EXIT
from switchyard_sandbox.embedded.kernel import adopt_orphans
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.embedded.procfs import descendants, resident_bytes
from switchyard_sandbox.embedded.records import write_process, write_whole
from switchyard_sandbox.embedded.start import Started
from switchyard_sandbox.embedded.streams import Streams
from switchyard_sandbox.embedded.waking import Wake
from switchyard_sandbox.embedded.watching import Watch

TICK_S = 0.1
_DISK_EVERY_S = 0.5
_PATIENCE_S = 20.0
_NO_PROGRAM, _NO_PERMISSION = 127, 126


def main(folder: str) -> None:
    """Do what the folder's task says, and leave its end there; every way out leaves one."""
    os.chdir(folder)
    supervise(_run)


def supervise(run: Callable[[Task, Wake], dict[str, object]]) -> None:
    """Read the current folder's task, run it, and note how it ended."""
    wake = Wake(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    adopt_orphans()
    write_process()
    with open(TASK) as file:
        task = Task.load(file.read())
    began = time.monotonic()
    try:
        with hold(task.lock, shared=True):
            watch = Watch(task.tree, task.watch)
            end = run(task, wake) | {"opened": watch.close(), "unseen": watch.unseen}
    except OSError as err:
        end = {"error": str(err)}
    end["duration_s"] = time.monotonic() - began
    write_whole(EXIT, json.dumps(end))


def _run(task: Task, wake: Wake) -> dict[str, object]:
    """A command on pipes."""
    # A missing folder is the caller's fault, not the command's: found out before there is a command.
    os.close(os.open(task.cwd, os.O_RDONLY | os.O_DIRECTORY))
    started = _start(task)
    streams = Streams(started, task.output_bytes, [wake.descriptor])
    bounds = Bounds(task)
    limit = ""
    try:
        while not limit and not started.has_ended():
            streams.pump(TICK_S)
            limit = "cancelled" if streams.woken else bounds.crossed(streams.last_output)
        if limit and limit != "cancelled" and started.has_ended():
            # Looking takes time: a command that has ended meanwhile was not ended by us.
            limit = ""
    finally:
        end_all(started)
    streams.drain()
    return {"code": started.exit_code(), "limit": limit or bounds.told(started), "truncated": streams.truncated}


def _start(task: Task) -> Started:
    stdout, stderr = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for number, descriptor in enumerate((os.open(STDIN, os.O_RDONLY), stdout[1], stderr[1])):
            os.dup2(descriptor, number)
        become(task)
    os.close(stdout[1])
    os.close(stderr[1])
    return Started(pid, stdout[0], stderr[0])


def become(task: Task) -> NoReturn:
    """Turn into the command, in a process that was forked for it."""
    code = _NO_PROGRAM
    try:
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTTOU):
            signal.signal(number, signal.SIG_DFL)
        _limit_self(task)
        os.chdir(task.cwd)
        os.execvpe(task.argv[0], task.argv, task.env)  # noqa: S606
    except FileNotFoundError as err:
        os.write(2, f"{task.argv[0]}: {err.strerror}\n".encode("utf-8", "surrogateescape"))
    except OSError as err:
        code = _NO_PERMISSION
        os.write(2, f"{task.argv[0]}: {err.strerror}\n".encode("utf-8", "surrogateescape"))
    finally:
        os._exit(code)


def _limit_self(task: Task) -> None:
    """Put the kernel's own limits on the process that will be the command."""
    values: Mapping[int, int] = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: task.disk_bytes,
        resource.RLIMIT_NPROC: task.pids,
    }
    for kind, value in values.items():
        hard = resource.getrlimit(kind)[1]
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


class Bounds:
    """The limits of one command that are watched."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._deadline = time.monotonic() + task.timeout_s
        self._next_look = 0.0
        self._held_in_memory = 0

    def crossed(self, last_output: float) -> str:
        """The limit that is crossed by now, or nothing."""
        now, task = time.monotonic(), self._task
        if now > self._deadline:
            return "timeout"
        if task.stall_s is not None and now - last_output > task.stall_s:
            return "stall"
        if resident_bytes(descendants(os.getpid())) + self._held_in_memory > task.memory_bytes:
            return "memory"
        if now < self._next_look:
            return ""
        used = self._used()
        # A large tree takes long to count: never spend more than a tenth of the time on it.
        self._next_look = time.monotonic() + max(_DISK_EVERY_S, 10 * (time.monotonic() - now))
        return "disk" if used > task.disk_bytes else ""

    def told(self, started: Started) -> str:
        """The limit that a failed command met by itself, or nothing."""
        return "disk" if started.exit_code() != 0 and self._used() > self._task.disk_bytes else ""

    def _used(self) -> int:
        on_disk, self._held_in_memory = held_bytes(descendants(os.getpid()))
        return on_disk + sum(disk_usage(folder) for folder in self._task.measured)


def end_all(started: Started) -> None:
    """Kill every descendant and wait until the last is gone; those whose parents ended are our children by now."""
    give_up = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up:
        for pid in descendants(os.getpid()):
            _kill(pid)
        buried = started.bury()
        if buried is None:
            return
        if not buried:
            time.sleep(0.001)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # One that changed its user is not ours to kill; its parent's end makes no difference to that.
        return
