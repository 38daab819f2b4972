"""Handles of processes that are not our children: to wait for, and to end without ever hitting another."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from pathlib import Path

from switchyard_sandbox.embedded.procfs import is_alive
from switchyard_sandbox.embedded.records import read_process


class Process:
    """The process that a folder's record names."""

    def __init__(self, folder: Path) -> None:
        """Get hold of it.

        Raises:
            FileNotFoundError: The folder names none.
        """
        self.pid, start = read_process(str(folder))
        self._handle = _open(self.pid, start)
        self._ended = select.poll()
        if self._handle >= 0:
            self._ended.register(self._handle, select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end at most so long; whether it has ended."""
        return self._handle < 0 or bool(self._ended.poll(timeout_s * 1000))

    def stop(self, patience_s: float) -> bool:
        """Ask it to end, and kill it when it does not in time; whether it had to be killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.wait(0):
                return False
            # It may have ended, and been buried, since we asked.
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)
            if self.wait(patience_s):
                return number == signal.SIGKILL
        return True

    def close(self) -> None:
        """Let go of the handle; a process that still runs goes on."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _open(pid: int, start: int) -> int:
    """A handle of exactly this process; -1: it has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return -1
    if is_alive(pid, start):
        return handle
    os.close(handle)
    return -1
