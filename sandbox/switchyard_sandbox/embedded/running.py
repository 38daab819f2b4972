"""Runs one command of a box, in a child of the box's supervisor: its processes, output and exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import time

from switchyard_sandbox.embedded import kernel
from switchyard_sandbox.embedded.bounds import Bounds
from switchyard_sandbox.embedded.job import BEGUN, ENTRY, EXIT, Job, Plan
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.embedded.messages import receive
from switchyard_sandbox.embedded.procfs import descendants
from switchyard_sandbox.embedded.pseudoterminal import Pty
from switchyard_sandbox.embedded.records import write_process, write_whole
from switchyard_sandbox.embedded.start import Started, start
from switchyard_sandbox.embedded.streams import Streams
from switchyard_sandbox.embedded.waking import Wake
from switchyard_sandbox.embedded.watching import Watch

_TICK_S = 0.2
_PATIENCE_S = 20.0
_NO_PROGRAM = "bwrap: execvp "
"""Everything was set up, but there is no such program: to be answered as a shell would."""


def run(plan: Plan, connection: socket.socket) -> None:
    """Do what a request asks, and leave the command's end in exit.json; every way out leaves one.

    An empty request is a question whether the box stands.
    """
    text, descriptors = receive(connection)
    if not text:
        connection.sendall(BEGUN)
        return
    job = Job.load(text)
    os.chdir(job.folder)
    write_process()
    pty = Pty(job.terminal, plan.uid) if job.terminal else None
    socket.send_fds(connection, [BEGUN], [pty.master] if pty else [])
    with hold(f"{plan.place}/{ENTRY}", shared=True):
        _carry_out(job, descriptors[0], plan, pty, connection if pty else None)


def _carry_out(job: Job, stdin_fd: int, plan: Plan, pty: Pty | None, client: socket.socket | None) -> None:
    """Run a command in the current folder, and leave its end in exit.json; every way out leaves one.

    Args:
        client: Whose end is the command's end too.
    """
    began = time.monotonic()
    try:
        end = _supervise(job, stdin_fd, plan, pty, client)
    except OSError as err:
        end = {"error": str(err)}
    end["duration_s"] = time.monotonic() - began
    write_whole(EXIT, json.dumps(end))


def _supervise(job: Job, stdin_fd: int, plan: Plan, pty: Pty | None, client: socket.socket | None) -> dict[str, object]:
    """Start the command, and stay until nothing of it is left."""
    wake = Wake(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    kernel.adopt_orphans()
    bounds = Bounds(job, plan.groups)
    watch = Watch(job.tree, job.watch)
    started = start(job, plan, stdin_fd, pty)
    enders = [wake.descriptor, *([client.fileno()] if client else [])]
    streams = Streams(started, job.output_bytes, enders)
    try:
        limit = _watch(job, started, streams, bounds)
    finally:
        _end_all(started)
    streams.drain()
    seen = {"opened": watch.close(), "unseen": watch.unseen}
    return _outcome(started, streams, bounds, limit) | seen


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
            return "timeout"
        if job.stall_s is not None and now - streams.last_output > job.stall_s:
            return "stall"
        crossed = bounds.crossed(now)
        if crossed:
            # Looking takes time: a command that has ended meanwhile was not ended by us.
            return "" if started.has_ended() else crossed


def _end_all(started: Started) -> None:
    """Kill every process of the command and wait until the last is gone.

    The box's first process takes its whole process namespace with it, and as the adopter of orphans we can wait for it.
    """
    for pid in (started.init_pid, started.pid):
        if pid:
            _kill(pid)
    give_up = time.monotonic() + _PATIENCE_S
    while (buried := started.bury()) is not None and time.monotonic() < give_up:
        if not buried:
            if not started.init_pid:
                # Without a process namespace every descendant is looked for; those without a parent are ours by now.
                for descendant in descendants(os.getpid()):
                    _kill(descendant)
            time.sleep(0.001)


def _outcome(started: Started, streams: Streams, bounds: Bounds, limit: str) -> dict[str, object]:
    code = started.exit_code()
    if not limit and code != 0:
        # Asked first: out of memory, bubblewrap is killed with the rest, and then tells no exit code either.
        limit = bounds.told()
    if not limit and not started.set_up_done():
        said = streams.complaint()
        if not said.startswith(_NO_PROGRAM):
            return {"error": said or "bubblewrap ended before the command started"}
        code = 127 if said.endswith("No such file or directory") else 126
    return {"code": code, "limit": limit, "truncated": streams.truncated}


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
