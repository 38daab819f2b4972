"""Listens to the log of a session's command, line by line, from a thread: a reader can wait, look up, and walk away."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daytona import DaytonaError, Sandbox

_MOST_WAITING = 64
"""Messages; beyond that the service has to wait, so that memory stays flat."""


class _Stopped(Exception):
    """Nobody listens any more."""


class Log:
    """The standard output of one command of a session, from its first line."""

    def __init__(self, sandbox: Sandbox, session: str, command: str) -> None:
        self._sandbox, self._session, self._command = sandbox, session, command
        self._messages: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._rest = ""
        self._stopped = threading.Event()
        self.error: DaytonaError | None = None
        """Why it ended before the command did; None: it did not."""
        self._thread = threading.Thread(target=self._listen, daemon=True, name=f"log of {command}")
        self._thread.start()

    def read(self, timeout_s: float) -> list[str] | None:
        """The lines that have come, waiting at most so long for the first; None: there will be no more."""
        try:
            message = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return []
        if message is None:
            return None
        *lines, self._rest = (self._rest + message).split("\n")
        return lines

    def close(self) -> None:
        """Listen no more."""
        self._stopped.set()

    def wait(self, timeout_s: float) -> None:
        """See the thread end, as it does when its session is deleted."""
        self._thread.join(timeout_s)

    def _listen(self) -> None:
        from daytona import DaytonaError

        process = self._sandbox.process
        try:
            asyncio.run(
                process.get_session_command_logs_async(self._session, self._command, self._take, lambda _: None)
            )
        except DaytonaError as err:
            self.error = err
        self._put(None)

    def _take(self, text: str) -> None:
        if not self._put(text):
            raise _Stopped

    def _put(self, message: str | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._messages.put(message, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False
