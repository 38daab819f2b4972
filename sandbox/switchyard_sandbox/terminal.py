"""A terminal in a box as its driver holds it: the master, and the connection whose end is the command's."""

from __future__ import annotations

import errno
import os
import select
import shutil
import socket
from pathlib import Path

from switchyard_sandbox.contract import Finished, SandboxError, TerminalSize
from switchyard_sandbox.embedded.job import Job
from switchyard_sandbox.embedded.pseudoterminal import set_size
from switchyard_sandbox.execution import follow
from switchyard_sandbox.processes import Process
from switchyard_sandbox.supervision import hand_over, lost

_PIECE = 1 << 16
_STOP_S = 5.0


def begin_terminal(box: Path, job: Job) -> PtyTerminal:
    """Have a box's supervisor begin a command on a terminal.

    Raises:
        BoxLost: The box was destroyed, or its files were lost.
        SandboxError: The box could not be set up.
    """
    connection, descriptors = hand_over(box, job)
    if not descriptors:
        connection.close()
        raise SandboxError(f"the supervisor of {box} gave no terminal", hint="is the limit on open files reached?")
    return PtyTerminal(Path(job.folder), descriptors[0], connection)


class PtyTerminal:
    """`Terminal` on a pseudoterminal of this machine."""

    def __init__(self, folder: Path, master: int, connection: socket.socket) -> None:
        self._folder, self._master, self._connection = folder, master, connection
        self._finished: Finished | None = None
        self._poll = select.poll()
        self._poll.register(master, select.POLLIN)

    def send(self, data: bytes) -> None:
        """Type this."""
        view = memoryview(data)
        while view and self._master >= 0:
            try:
                view = view[os.write(self._master, view) :]
            except OSError as err:
                if err.errno != errno.EIO:
                    raise
                return

    def resize(self, size: TerminalSize) -> None:
        """Give the terminal another size."""
        if self._master >= 0:
            set_size(self._master, size.rows, size.columns)

    def receive(self, timeout_s: float) -> bytes | None:
        """What was said; empty at the end, None where nothing was said in time."""
        if self._master < 0:
            return b""
        if not self._poll.poll(timeout_s * 1000):
            return None
        try:
            return os.read(self._master, _PIECE)
        except OSError as err:
            # No process holds the other end any more.
            if err.errno != errno.EIO:
                raise
            return b""

    def finish(self) -> Finished:
        """Wait for the end."""
        if self._finished is None:
            self._finished = follow(self._folder, None, capture=False)
        return self._finished

    def close(self) -> None:
        """End the command and everything it started."""
        if self._master < 0:
            return
        self._connection.close()
        os.close(self._master)
        self._master = -1
        try:
            supervisor = Process(self._folder)
        except FileNotFoundError as err:
            if self._folder.exists():
                raise lost(self._folder) from err
            return
        # It ends by itself, since it sees the connection's end; but not whoever waits for a lock.
        if not supervisor.wait(_STOP_S):
            supervisor.stop(_STOP_S)
        supervisor.close()
        shutil.rmtree(self._folder, ignore_errors=True)
