"""Ends what is left of a command in a container: every process of the command's group, however it was detached.

And a box's container as a whole, for those on the host who outlive the box's maker.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode

from switchyard_sandbox.docker.disk import processes
from switchyard_sandbox.docker.engine import Engine, EngineError
from switchyard_sandbox.docker.task import ENGINE, FIRST_GROUP, KEEPER

GONE = (404, 409)
"""What the engine answers about a container that is gone, or about to be."""
_BOX_NAME = len("box-") + 16
_PATIENCE_S = 10.0
_ROUNDS = 100
_ROOM = 64
"""Processes beyond the box's limit, so that one that has used it up can still be ended."""

# Built-in words of a shell alone: stopped first, a process can't start others while the list is read.
_END = """
for signal in STOP KILL; do
    again=1 rounds=0
    while [ "$again" ] && [ "$rounds" -lt 100 ]; do
        again= rounds=$((rounds + 1))
        for place in /proc/[0-9]*; do
            group= state=
            while read -r name value rest; do
                case $name in State:) state=$value ;; Gid:) group=$value; break ;; esac
            done 2>/dev/null < "$place/status"
            [ "$group" = "$1" ] || [ "$1" = all ] || continue
            [ "$group" != "$2" ] || continue
            case $signal$state in KILLZ | STOPZ | STOPT | KILLX | STOPX) continue ;; esac
            kill -$signal "${place#/proc/}" 2>/dev/null && again=1
        done
    done
done
"""


def end_group(engine: Engine, container: str, *, init_pid: int, uid: int, group: int | None, pids: int) -> bool:
    """Kill every process of a group and see that none is left; where that fails, the container is killed.

    Args:
        group: None: whatever commands left.
        pids: The box's limit, which holds again afterwards.

    Returns:
        Whether the container still stands.
    """
    give_up = time.monotonic() + _PATIENCE_S
    try:
        while remaining(engine, container, init_pid, group):
            if time.monotonic() > give_up:
                engine.ask("POST", f"/containers/{container}/kill")
                return False
            if not _kill_from_here(init_pid, group):
                _kill_inside(engine, container, uid, group, pids)
    except (FileNotFoundError, ProcessLookupError):
        # Its first process is gone, and so is everything in it.
        return False
    except EngineError as err:
        # Gone or stopped: likewise.
        if err.status not in GONE:
            engine.ask("POST", f"/containers/{container}/kill")
        return False
    return True


def container_of(box: str) -> str:
    """The name of a box's container, by the box's folder, wherever that lies now."""
    return f"switchyard-{os.path.basename(box)[:_BOX_NAME]}"  # noqa: PTH119


def remove_container(box: str) -> None:
    """Remove the container of a box, by the box's folder; one that is gone or was never asked for is no error.

    Raises:
        EngineError: The engine is gone, or refused.
    """
    try:
        with open(f"{box}/{ENGINE}") as file:
            engine = Engine(file.read())
    except FileNotFoundError:
        return
    try:
        engine.ask("DELETE", f"/containers/{container_of(box)}?force=1&v=1")
    except EngineError as err:
        if err.status not in GONE:
            raise
    forget_engine(box)


def forget_engine(box: str) -> None:
    """Note that a box has no container any more."""
    with suppress(FileNotFoundError):
        os.unlink(f"{box}/{ENGINE}")  # noqa: PTH108


def remaining(engine: Engine, container: str, init_pid: int, group: int | None) -> list[int]:
    """The processes of a group, as the engine's machine sees them."""
    query = urlencode({"ps_args": "-eo pid,gid,stat"})
    answer = engine.ask("GET", f"/containers/{container}/top?{query}")
    assert isinstance(answer, dict)
    found = [(int(pid), int(held)) for pid, held, state in answer["Processes"] if state[0] != "Z"]
    if group is not None:
        wanted = _outside(init_pid, group)
        return [pid for pid, held in found if held == wanted]
    keeper = _outside(init_pid, KEEPER)
    return [pid for pid, held in found if held != keeper]


def _kill_inside(engine: Engine, container: str, uid: int, group: int | None, pids: int) -> None:
    engine.ask("POST", f"/containers/{container}/update", {"PidsLimit": pids + _ROOM})
    try:
        named = "all" if group is None else str(group)
        request = {
            "User": f"{uid}:{FIRST_GROUP}",
            "WorkingDir": "/",
            "AttachStdout": True,
            "Cmd": ["/bin/sh", "-c", _END, "sh", named, str(FIRST_GROUP)],
        }
        _, connection, _ = engine.execute(container, request)
        with connection:
            connection.settimeout(_PATIENCE_S)
            while connection.recv(1 << 12):
                pass
    except TimeoutError:
        # Whoever asked looks again at what is left.
        return
    except EngineError as err:
        # Where there is no room for one more process, likewise.
        if err.status in GONE:
            raise
    finally:
        engine.ask("POST", f"/containers/{container}/update", {"PidsLimit": pids})


def _kill_from_here(init_pid: int, group: int | None) -> bool:
    """Kill as root of this machine, who needs no room in the box; whether its processes could be seen at all."""
    if os.getuid() != 0 or not processes(init_pid):
        return False
    held = _outside(init_pid, KEEPER if group is None else group)
    home = _place(init_pid)

    def is_wanted(pid: int) -> bool:
        return _place(pid) == home and (_group(pid) == held) == (group is not None)

    # Stopped first, a process can't start others while the list is read.
    for number, done in ((signal.SIGSTOP, "TtZX"), (signal.SIGKILL, "ZX")):
        for _ in range(_ROUNDS):
            alive = [pid for pid in processes(init_pid) if _send(pid, number, done, is_wanted)]
            if not alive:
                break
    return True


def _send(pid: int, number: int, done: str, is_wanted: Callable[[int], bool]) -> bool:
    """Send a process a signal unless it is none of ours or that far already; whether it was sent."""
    with suppress(OSError):
        # Looked at through what can't become another process meanwhile.
        handle = os.pidfd_open(pid)
        try:
            if is_wanted(pid) and _status(pid, "State")[0] not in done:
                signal.pidfd_send_signal(handle, number)
                return True
        finally:
            os.close(handle)
    return False


def _place(pid: int) -> str:
    """The cgroups of a process."""
    with open(f"/proc/{pid}/cgroup") as file:
        return file.read()


def _group(pid: int) -> int:
    return int(_status(pid, "Gid").split()[0])


def _status(pid: int, name: str) -> str:
    with open(f"/proc/{pid}/status") as file:
        return next(line.partition(":")[2].strip() for line in file if line.startswith(f"{name}:"))


def _outside(init_pid: int, group: int) -> int:
    """A group of the container as this machine numbers it, where the engine maps users."""
    with open(f"/proc/{init_pid}/gid_map") as file:
        for line in file:
            inside, outside, length = (int(word) for word in line.split())
            if inside <= group < inside + length:
                return outside + group - inside
    return group
