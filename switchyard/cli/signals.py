"""Signals that end us, as exceptions: what was made is cleared away on their way out."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

TERMINATED = 143
"""The exit code of a command that SIGTERM ended, where it speaks as a shell does: 128 + 15."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, or a terminal that was closed; an interrupt to all who don't ask."""


def take_signals() -> None:
    """Let SIGTERM and SIGHUP raise `Terminated` from here on; under `nohup`, SIGHUP stays ignored."""
    signal.signal(signal.SIGTERM, raise_terminated)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, raise_terminated)


def raise_terminated(number: int, frame: FrameType | None) -> NoReturn:
    """A handler of signals that end us."""
    raise Terminated
