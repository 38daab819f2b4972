"""A command on a terminal of its own in a container, as the one who sits at it holds it."""

from __future__ import annotations

import select
import shutil
from pathlib import Path

from switchyard_sandbox.contract import Finished, SandboxError, TerminalSize
from switchyard_sandbox.docker import seat
from switchyard_sandbox.docker.engine import Engine, EngineError
from switchyard_sandbox.docker.task import NAME
from switchyard_sandbox.execution import Supervisor, follow

_PIECE = 1 << 16
_STOP_S = 15.0


class DockerTerminal:
    """The seat at one terminal; leaving it ends the command."""

    def __init__(self, folder: Path, supervisor: Supervisor, engine: str) -> None:
        """Sit down.

        Raises:
            SandboxError: The command's supervisor has ended already.
        """
        self._folder, self._supervisor, self._engine = folder, supervisor, Engine(engine)
        self._is_open = True
        try:
            self._seat = seat.connect(str(folder))
        except OSError as err:
            raise SandboxError(f"the terminal of {folder} can't be reached: {err}", hint="look into its log") from err

    def send(self, data: bytes) -> None:
        """Type this."""
        try:
            self._seat.sendall(data)
        except OSError:
            # The command has ended: what is typed then is lost.
            return

    def resize(self, size: TerminalSize) -> None:
        """Give the terminal another size; a command that has ended has none."""
        try:
            self._engine.resize((self._folder / NAME).read_text(), size.rows, size.columns)
        except (EngineError, FileNotFoundError):
            return

    def receive(self, timeout_s: float) -> bytes | None:
        """What was said."""
        ready, _, _ = select.select([self._seat], [], [], max(0.0, timeout_s))
        if not ready:
            return None
        try:
            return self._seat.recv(_PIECE)
        except ConnectionError:
            return b""

    def finish(self) -> Finished:
        """Wait for the end."""
        return follow(self._folder, None)

    def close(self) -> None:
        """End the command and everything it started."""
        if not self._is_open:
            return
        self._is_open = False
        self._seat.close()
        self._supervisor.stop(_STOP_S)
        self._supervisor.close()
        shutil.rmtree(self._folder, ignore_errors=True)
