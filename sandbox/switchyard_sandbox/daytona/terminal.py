"""A terminal of the service's in a box, whose shell has given way to a command of ours."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard_sandbox.contract import Command, Finished, SandboxError, TerminalSize
from switchyard_sandbox.daytona.commands import Commands
from switchyard_sandbox.daytona.following import spool_in
from switchyard_sandbox.daytona.service import told
from switchyard_sandbox.embedded.job import EXIT
from switchyard_sandbox.execution import Output, finished

if TYPE_CHECKING:
    from daytona.handle.pty_handle import PtyHandle

_OPEN_S = 30.0
_LOOK_EVERY_S = 1.0
_MOST_WAITING = 256


def open_terminal(commands: Commands, command: Command, size: TerminalSize) -> CloudTerminal:
    """Start a command on a terminal.

    Raises:
        SandboxError: The service opens none, or its shell does not give way.
    """
    from daytona import PtySize

    # A line that no command can have said by chance.
    mark, remote = secrets.token_hex(16), commands.remote
    folder = commands.prepare(command, mark=mark)
    try:
        with told(f"a terminal in sandbox {remote.sandbox.id}"):
            handle = remote.sandbox.process.create_pty_session(
                f"switchyard-{secrets.token_hex(8)}", pty_size=PtySize(size.rows, size.columns)
            )
    except BaseException:
        commands.forget(folder, ended=False)
        raise
    terminal = CloudTerminal(commands, folder, handle)
    try:
        terminal.send(f" exec {remote.place.inside('terminal', commands.place(folder))}\n".encode())
        terminal.skip_to(mark.encode() + b"\r\n", _OPEN_S)
    except BaseException:
        terminal.close()
        raise
    return terminal


class CloudTerminal:
    """A command on a terminal in the cloud."""

    def __init__(self, commands: Commands, folder: Path, handle: PtyHandle) -> None:
        self._commands, self._folder, self._handle = commands, folder, handle
        self._said: queue.Queue[bytes] = queue.Queue(_MOST_WAITING)
        self._rest = b""
        self._is_over = self._is_closed = False
        threading.Thread(target=self._listen, daemon=True, name=f"terminal {folder.name}").start()

    def send(self, data: bytes) -> None:
        """Type this."""
        if self._handle.is_connected():
            with told("the terminal"):
                self._handle.send_input(data)

    def resize(self, size: TerminalSize) -> None:
        """Give the terminal another size."""
        from daytona import PtySize

        if self._handle.is_connected():
            with told("the terminal"):
                self._handle.resize(PtySize(size.rows, size.columns))

    def receive(self, timeout_s: float) -> bytes | None:
        """What was said."""
        if self._rest:
            said, self._rest = self._rest, b""
            return said
        if self._is_over:
            return b""
        try:
            said = self._said.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self._is_over = not said
        return said

    def finish(self) -> Finished:
        """Wait for the end."""
        while not self._is_over:
            self.receive(_LOOK_EVERY_S)
        remote = self._commands.remote
        with spool_in(self._folder) as spool:
            remote.download(f"{self._commands.place(self._folder)}/{EXIT}", spool / EXIT)
            return finished(spool, Output(spool / "none", None))

    def close(self) -> None:
        """End the command and everything it started."""
        if self._is_closed:
            return
        self._is_closed = True
        self._handle.disconnect()
        self._commands.forget(self._folder, ended=False)

    def skip_to(self, mark: bytes, timeout_s: float) -> None:
        """Leave out what the shell said before the command took its place.

        Raises:
            SandboxError: That did not happen in time.
        """
        give_up, said = time.monotonic() + timeout_s, b""
        while mark not in said:
            piece = self.receive(_LOOK_EVERY_S)
            if piece == b"" or time.monotonic() > give_up:
                raise SandboxError(f"the terminal did not start: {said[-500:]!r}", hint="does the image have a shell?")
            said += piece or b""
        self._rest = said.partition(mark)[2]

    def _listen(self) -> None:
        for data in self._handle:
            if data:
                self._said.put(data)
        self._said.put(b"")
