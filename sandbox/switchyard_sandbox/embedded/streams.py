"""A command's output: pipes drained without end into one capped file of frames, in the order of arrival."""

from __future__ import annotations

import os
import select
import struct
import time

from switchyard_sandbox.embedded.job import OUTPUT
from switchyard_sandbox.embedded.start import Started

HEADER = struct.Struct("<BI")
"""Before each piece of output: 1 for stdout, 2 for stderr, and its length."""
_PIECE = 1 << 16
_COMPLAINT_BYTES = 4096


class Streams:
    """The two streams of one command."""

    def __init__(self, started: Started, cap_bytes: int, enders: list[int]) -> None:
        """Begin to listen.

        Args:
            enders: Descriptors that say, by anything that happens on them, that the command is to end.
        """
        self._left = {1: cap_bytes, 2: cap_bytes}
        self._numbers = {
            descriptor: number
            for number, descriptor in ((1, started.stdout_fd), (2, started.stderr_fd))
            if descriptor >= 0
        }
        self._enders = enders
        self._poll = select.poll()
        for descriptor in (*self._numbers, *enders, started.end_fd):
            self._poll.register(descriptor, select.POLLIN)
        self._file = -1
        """Made with the first output: many commands have none."""
        self._first_error = b""
        self.truncated = False
        self.woken = False
        self.last_output = time.monotonic()

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
        if self._file >= 0:
            os.close(self._file)

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
        self._keep(self._numbers[descriptor], data)

    def _keep(self, number: int, data: bytes) -> None:
        kept = data[: self._left[number]]
        self._left[number] -= len(kept)
        self.truncated = self.truncated or len(kept) < len(data)
        if number == 2 and len(self._first_error) < _COMPLAINT_BYTES:
            self._first_error += kept[:_COMPLAINT_BYTES]
        if kept:
            try:
                if self._file < 0:
                    self._file = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                _write_all(self._file, HEADER.pack(number, len(kept)) + kept)
            except OSError:
                # The host's disk is full: the command goes on, its output is lost and `truncated` says so.
                self.truncated = True
                self._left = {1: 0, 2: 0}


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
