"""A command's output: pipes drained without end into one capped file of frames, in the order of arrival."""

from __future__ import annotations

import os
import select
import time

from switchyard_sandbox.embedded.start import Started
from switchyard_sandbox.frames import Frames

_PIECE = 1 << 16
_COMPLAINT_BYTES = 4096


class Streams:
    """The two streams of one command."""

    def __init__(self, started: Started, cap_bytes: int, enders: list[int]) -> None:
        """Begin to listen.

        Args:
            enders: Descriptors that say, by anything that happens on them, that the command is to end.
        """
        self._frames = Frames(cap_bytes)
        self._numbers = {
            descriptor: number
            for number, descriptor in ((1, started.stdout_fd), (2, started.stderr_fd))
            if descriptor >= 0
        }
        self._enders = enders
        self._poll = select.poll()
        for descriptor in (*self._numbers, *enders, started.end_fd):
            self._poll.register(descriptor, select.POLLIN)
        self._first_error = b""
        self.woken = False
        self.last_output = time.monotonic()

    @property
    def truncated(self) -> bool:
        """Whether output was dropped."""
        return self._frames.truncated

    def pump(self, wait_s: float) -> None:
        """Move what has arrived, waiting at most so long for something to happen."""
        for descriptor, _ in self._poll.poll(wait_s * 1000):
            if descriptor in self._numbers:
                self._move(descriptor)
            elif descriptor in self._enders:
                self.woken = True

    def drain(self) -> None:
        """Read the rest; call it when no process can write any more."""
        for descriptor in list(self._numbers):
            while descriptor in self._numbers:
                self._move(descriptor)
        self._frames.close()

    def complaint(self) -> str:
        """The first thing said on stderr: where the command never started, that was bubblewrap."""
        return self._first_error.decode("utf-8", "replace").strip()

    def _move(self, descriptor: int) -> None:
        data = os.read(descriptor, _PIECE)
        if not data:
            self._poll.unregister(descriptor)
            os.close(descriptor)
            del self._numbers[descriptor]
            return
        self.last_output = time.monotonic()
        number = self._numbers[descriptor]
        if number == 2 and len(self._first_error) < _COMPLAINT_BYTES:
            self._first_error += data[:_COMPLAINT_BYTES]
        self._frames.keep(number, data)
