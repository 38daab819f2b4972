"""A command's output in one file: frames in the order of arrival, capped by stream; without heavy imports."""

from __future__ import annotations

import os
import struct

from switchyard_sandbox.embedded.job import OUTPUT

HEADER = struct.Struct("<BI")
"""Before each piece of output: 1 for stdout, 2 for stderr, and its length."""


class Frames:
    """The output file of the command whose folder is the current one; made with the first output, which many lack."""

    def __init__(self, cap_bytes: int) -> None:
        self._left = {1: cap_bytes, 2: cap_bytes}
        self._file = -1
        self.truncated = False
        """Whether something was dropped: beyond the cap of its stream, or for want of room on the host's disk."""

    def keep(self, number: int, data: bytes) -> None:
        """Write a piece of a stream, as far as its cap reaches."""
        kept = data[: self._left[number]]
        self._left[number] -= len(kept)
        self.truncated = self.truncated or len(kept) < len(data)
        if not kept:
            return
        try:
            if self._file < 0:
                self._file = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            _write_all(self._file, HEADER.pack(number, len(kept)) + kept)
        except OSError:
            # The host's disk is full: the command goes on, its output is lost and `truncated` says so.
            self.truncated = True
            self._left = {1: 0, 2: 0}

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
