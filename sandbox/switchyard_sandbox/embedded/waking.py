"""Signals as bytes of a pipe, so that one poll waits for them and for everything else."""

from __future__ import annotations

import os
import signal


class Wake:
    """Signals that arrive from now on."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self.descriptor, self._writer = os.pipe()
        """Readable when a signal has come."""
        for end in (self.descriptor, self._writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def signals(self) -> set[int]:
        """Those that have come since the last call."""
        try:
            return set(os.read(self.descriptor, 4096))
        except BlockingIOError:
            return set()

    def close(self) -> None:
        """Listen no more."""
        signal.set_wakeup_fd(-1)
        for end in (self.descriptor, self._writer):
            os.close(end)
