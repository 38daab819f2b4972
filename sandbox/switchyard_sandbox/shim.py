"""The supervisor of one command in a box: owns its mounts, processes, output and exit code; outlives whoever asked.

Run as `python -I -S shim.py FOLDER`, it does what FOLDER/job.json says. Whoever asked may die: nothing here reads from
or writes to it, only to files of the folder.
"""

from __future__ import annotations

import sys
import types

if __name__ == "__main__":
    # The package's face would import every driver; a bare stand-in keeps the start of a command cheap.
    _bare = types.ModuleType("switchyard_sandbox")
    _bare.__path__ = [__file__.rpartition("/")[0]]
    sys.modules["switchyard_sandbox"] = _bare

import json
import os
import signal
import time

from switchyard_sandbox.embedded import kernel, staging
from switchyard_sandbox.embedded.bounds import Bounds
from switchyard_sandbox.embedded.job import EXIT, JOB, PROCESS, Job
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.embedded.procfs import descendants, start_time
from switchyard_sandbox.embedded.start import Started, start
from switchyard_sandbox.embedded.streams import Streams
from switchyard_sandbox.embedded.watching import Watch

_TICK_S = 0.2
_PATIENCE_S = 20.0
_NO_PROGRAM = "bwrap: execvp "
"""Everything was set up, but there is no such program: to be answered as a shell would."""


def main(folder: str) -> None:
    """Run the folder's job and leave its end in exit.json; every way out leaves one."""
    os.chdir(folder)
    write_whole(PROCESS, json.dumps({"pid": os.getpid(), "start": start_time(os.getpid())}))
    with open(JOB) as file:
        job = Job.load(file.read())
    began = time.monotonic()
    try:
        end = supervise(job)
    except OSError as err:
        end = {"error": str(err)}
    end["duration_s"] = time.monotonic() - began
    write_whole(EXIT, json.dumps(end))


def supervise(job: Job) -> dict[str, object]:
    """Make the mounts, start the command, and stay until nothing of it is left."""
    wake_fd = _wake_on_signals()
    kernel.adopt_orphans()
    with hold(job.lock):
        bounds = Bounds(job)
        if job.own_namespace:
            staging.build(job.stage, job.mounts, uid=os.getuid(), gid=os.getgid(), as_root=job.uid is not None)
        with bounds:
            watch = Watch(job.tree, job.watch)
            started = start(job)
            streams = Streams(started, job.output_bytes, wake_fd)
            try:
                limit = _watch(job, started, streams, bounds)
            finally:
                end_all(started)
            streams.drain()
            seen = {"opened": watch.close(), "unseen": watch.unseen}
            return _outcome(job, started, streams, bounds, limit) | seen


def _watch(job: Job, started: Started, streams: Streams, bounds: Bounds) -> str:
    """Pump output until the command has ended or a limit ends it; returns that limit's name or nothing."""
    deadline = time.monotonic() + job.timeout_s
    while True:
        streams.pump(_TICK_S)
        if streams.woken:
            return "cancelled"
        now = time.monotonic()
        if started.has_ended():
            return ""
        if now > deadline:
            return job.timeout_limit
        if job.stall_s is not None and now - streams.last_output > job.stall_s:
            return "stall"
        crossed = bounds.crossed(now)
        if crossed:
            # Looking takes time: a command that has ended meanwhile was not ended by us.
            return "" if started.has_ended() else crossed


def end_all(started: Started) -> None:
    """Kill every process of the box and wait until the last is gone.

    The box's first process takes its whole process namespace with it, and as the adopter of orphans we can wait for it.
    """
    for pid in (started.init_pid, started.pid):
        if pid:
            _kill(pid)
    give_up = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == started.pid and started.status is None:
            started.status = status
        if pid == 0:
            if not started.init_pid:
                # Without a process namespace every descendant is looked for; those without a parent are ours by now.
                for descendant in descendants(os.getpid()):
                    _kill(descendant)
            time.sleep(0.001)


def _outcome(job: Job, started: Started, streams: Streams, bounds: Bounds, limit: str) -> dict[str, object]:
    code = started.exit_code()
    if not limit and not started.set_up_done():
        said = streams.complaint()
        if not said.startswith(_NO_PROGRAM):
            return {"error": said or "bubblewrap ended before the command started"}
        code = 127 if said.endswith("No such file or directory") else 126
    if not limit and code != 0:
        limit = bounds.told()
    return {"code": code, "limit": limit, "truncated": streams.truncated}


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _wake_on_signals() -> int:
    """Turn SIGTERM into a byte on a pipe that the pump watches."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    signal.set_wakeup_fd(write_fd)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return read_fd


def write_whole(path: str, text: str) -> None:
    """Write a file that is either absent or complete."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)  # noqa: PTH105


if __name__ == "__main__":
    main(sys.argv[1])
