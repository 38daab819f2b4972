"""The supervisor of one command in a container: owns its connection, output and exit code; outlives whoever asked.

Run as `python -I -S supervise.py FOLDER`, it does what FOLDER/job.json says, as `shim.py` does for a box of this
machine: the same files tell of its process, its output and its end.
"""

from __future__ import annotations

import sys
import types

if __name__ == "__main__":
    # The package's face would import every driver; a bare stand-in keeps the start of a command cheap.
    _bare = types.ModuleType("switchyard_sandbox")
    _bare.__path__ = [__file__.rpartition("/")[0].rpartition("/")[0]]
    sys.modules["switchyard_sandbox"] = _bare

import json
import os
import signal
import socket
import time

from switchyard_sandbox.docker import told
from switchyard_sandbox.docker.disk import Disk
from switchyard_sandbox.docker.ending import end_group, remove_container
from switchyard_sandbox.docker.engine import Engine, EngineError
from switchyard_sandbox.docker.seat import Seat, listen
from switchyard_sandbox.docker.stream import Stream
from switchyard_sandbox.docker.task import NAME, NO_FOLDER, STDIN, TASK, Task
from switchyard_sandbox.embedded.job import AUDIT, EXIT
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.embedded.ownership import Patience
from switchyard_sandbox.embedded.records import write_process, write_whole
from switchyard_sandbox.embedded.waking import Wake
from switchyard_sandbox.embedded.watching import Watch
from switchyard_sandbox.removal import remove_tree, throw_away

_TICK_S = 0.2
_LOOK_EVERY_S = 1.0
_DRAIN_S = 30.0
_SIGNALS = range(129, 160)


def main(folder: str) -> None:
    """Run the folder's task and leave its end in exit.json; every way out leaves one, or no box."""
    os.chdir(folder)
    wake = Wake(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    with open(TASK) as file:
        task = Task.load(file.read())
    listener = None if task.terminal is None else listen()
    write_process()
    patience = Patience(task.box)
    began = time.monotonic()
    try:
        with hold(task.lock, shared=True):
            end = supervise(task, wake.descriptor, listener, patience)
    except OSError as err:
        end = {"error": str(err)}
    end["duration_s"] = time.monotonic() - began
    write_whole(EXIT, json.dumps(end))
    if patience.is_over():
        destroy(task)


def destroy(task: Task) -> None:
    """Remove the box, which nobody wants any more: its folder out of sight, its container, its files."""
    place = throw_away(task.box)
    if not place:
        return
    os.chdir("/")
    remove_container(place)
    remove_tree(place)


def supervise(task: Task, wake_fd: int, listener: socket.socket | None, patience: Patience) -> dict[str, object]:
    """Start the command, and stay until nothing of it is left."""
    engine = Engine(task.engine)
    if task.network or task.gateway:
        # Imported here: most commands have no way out, and all wait for their supervisor.
        from switchyard_sandbox.embedded.network import open_ways

        open_ways(task.network, task.internal, task.gateway, AUDIT, task.init_pid, as_root=True)
    watch = Watch(task.tree, task.opens) if task.tree else None
    request = task.exec_request(stdin=task.terminal is not None or os.path.getsize(STDIN) > 0)  # noqa: PTH202
    name, connection, rest = engine.execute(task.container, request)
    stream: Stream | Seat
    if task.terminal is None or listener is None:
        stream = Stream(connection, rest, task.output_bytes, wake_fd)
    else:
        engine.resize(name, *task.terminal)
        write_whole(NAME, name)
        stream = Seat(listener, connection, rest, wake_fd)
    limit = ""
    try:
        limit = stay(task, engine, name, stream, patience)
    finally:
        stands = end_group(
            engine, task.container, init_pid=task.init_pid, uid=task.uid, group=task.group, pids=task.pids
        )
        if stands:
            _drain(engine, name, stream)
        stream.close()
    if not stands and not limit:
        return {"error": "its container has ended"}
    return _outcome(task, engine, name, stream, limit) | _seen(task, watch)


def stay(task: Task, engine: Engine, name: str, stream: Stream | Seat, patience: Patience) -> str:
    """Move output until the command has ended or a limit ends it; returns that limit's name or nothing."""
    began = looked = time.monotonic()
    disk = Disk(task)
    while True:
        moved = stream.pump(_TICK_S)
        if stream.woken or patience.is_over():
            return "cancelled"
        now = time.monotonic()
        if not moved or stream.ended or now - looked > _LOOK_EVERY_S:
            looked = now
            if not engine.look_at(name)["Running"]:
                return ""
            if stream.ended:
                # Its streams are closed and it goes on: without this pause the look would be a busy loop.
                time.sleep(0.01)
        if now - began > task.timeout_s:
            return "timeout"
        if disk.is_crossed(now):
            return "disk"
        if task.stall_s is not None and now - stream.last_output > task.stall_s:
            return "stall"


def _drain(engine: Engine, name: str, stream: Stream | Seat) -> None:
    """Take what the engine still holds; nobody can write any more."""
    give_up = time.monotonic() + _DRAIN_S
    while not stream.ended and time.monotonic() < give_up:
        stream.pump(_TICK_S)
    while engine.look_at(name)["Running"] and time.monotonic() < give_up:
        time.sleep(0.01)


def _outcome(task: Task, engine: Engine, name: str, stream: Stream | Seat, limit: str) -> dict[str, object]:
    try:
        state = engine.look_at(name)
    except EngineError:
        # Only a container that had to be killed as a whole is gone by now.
        state = {"Pid": 1, "ExitCode": 137}
    said = stream.first.decode("utf-8", "replace").strip()
    code = state["ExitCode"]
    if not limit and not state["Pid"]:
        return {"error": said or "the engine could not start it"}
    if not limit and code == NO_FOLDER and said == task.mark:
        return {"error": f"there is no folder {task.cwd}"}
    code = 137 if code is None else int(str(code))
    if not limit and code != 0:
        limit = told.crossed(engine, task)
    return {
        "code": 128 - code if code in _SIGNALS else code,
        "limit": limit,
        "truncated": stream.truncated,
    }


def _seen(task: Task, watch: Watch | None) -> dict[str, object]:
    if watch is None:
        return {"opened": [], "unseen": "this machine does not see the files of the box" if task.opens else ""}
    return {"opened": watch.close(), "unseen": watch.unseen}


if __name__ == "__main__":
    main(sys.argv[1])
