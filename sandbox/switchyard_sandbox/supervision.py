"""Reaches the supervisors of boxes, and hands them commands."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

from switchyard_sandbox.contract import BoxLost, SandboxError
from switchyard_sandbox.embedded.job import BEGUN, LOG, PLAN, PROCESS, SOCKET, Job, Plan
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.embedded.messages import send, take
from switchyard_sandbox.processes import Process
from switchyard_sandbox.spawning import SPAWNER

_TAIL_CHARACTERS = 2000
_MOST_BYTES = 4096
_TRIES = 3


def begin_in(box: Path, job: Job, stdin: bytes) -> Process:
    """Have a box's supervisor begin a command.

    Raises:
        BoxLost: The box was destroyed, or its files were lost.
        SandboxError: The box could not be set up.
    """
    connection, _ = hand_over(box, job, stdin)
    connection.close()
    try:
        return Process(Path(job.folder))
    except FileNotFoundError as err:
        raise lost(box) from err


def hand_over(box: Path, job: Job | None, stdin: bytes = b"") -> tuple[socket.socket, list[int]]:
    """The same for whoever needs the connection, and the descriptors that came with the answer.

    Args:
        job: None asks for nothing but that the box stands.
    """
    descriptor = os.memfd_create("stdin", os.MFD_CLOEXEC)
    try:
        view = memoryview(stdin)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        return _ask(box, job.dump() if job else "", [descriptor], Path(job.folder) / PROCESS if job else None)
    except FileNotFoundError as err:
        raise lost(box) from err
    finally:
        os.close(descriptor)


def stand(box: Path) -> int:
    """See that a box's mounts stand; the pid of who holds them."""
    connection, _ = hand_over(box, None)
    connection.close()
    process = Process(box)
    with closing(process):
        return process.pid


def lost(folder: Path) -> SandboxError:
    """What to say of a box, or of a command, whose process can't be found."""
    places = (folder, folder.parent.parent)
    if not folder.exists():
        return BoxLost(f"the box of {folder} was destroyed while a command ran", hint="create another")
    if any(Plan.load((place / PLAN).read_text()).once for place in places if (place / PLAN).exists()):
        return BoxLost(f"the supervisor of {folder} was killed, and the box's files with it", hint="create another")
    logs = (place / LOG for place in places)
    said = " ".join(log.read_text(errors="replace")[-_TAIL_CHARACTERS:].strip() for log in logs if log.exists())
    return SandboxError(f"the supervisor of {folder} was killed {said}".strip(), hint="look for a full disk or memory")


def _ask(box: Path, text: str, descriptors: list[int], begun: Path | None) -> tuple[socket.socket, list[int]]:
    for _ in range(_TRIES):
        connection = _connect(box)
        if connection is not None and (answer := _answered(connection, text, descriptors, begun)):
            return answer
        # One at a time: of two supervisors of a box, one would refuse.
        with hold(str(box / PLAN)):
            connection = _connect(box) or SPAWNER.supervise(box)
            if answer := _answered(connection, text, descriptors, begun):
                return answer
    raise lost(box)


def _answered(
    connection: socket.socket, text: str, given: list[int], begun: Path | None
) -> tuple[socket.socket, list[int]] | None:
    """What a supervisor answers; None where it died before it began anything."""
    try:
        send(connection, text, given)
        answer, descriptors = take(connection, _MOST_BYTES)
    except (BrokenPipeError, ConnectionResetError):
        answer, descriptors = b"", []
    except BaseException:
        connection.close()
        raise
    if answer == BEGUN:
        return connection, descriptors
    connection.close()
    if not answer and not (begun and begun.exists()):
        return None
    said = answer.decode(errors="replace")
    raise SandboxError(f"the box could not be set up: {said or 'killed'}", hint="run `switchyard sandbox probe`")


def _connect(box: Path) -> socket.socket | None:
    """A connection to a box's supervisor; None: it has none that lives."""
    # By a descriptor of the folder: an address holds 107 bytes, and a state folder's path may be longer.
    folder = os.open(box, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{SOCKET}")
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    finally:
        os.close(folder)
    return connection
