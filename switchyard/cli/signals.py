"""Signals that end us, as exceptions: what was made is cleared away on their way out."""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

TERMINATED = 143
"""The exit code of a command that SIGTERM ended, where it speaks as a shell does: 128 + 15."""


class Terminated(KeyboardInterrupt):
    """SIGTERM; an interrupt to all who don't ask."""


def take_sigterm() -> None:
    """Let SIGTERM raise `Terminated` from here on."""
    signal.signal(signal.SIGTERM, raise_terminated)


def raise_terminated(number: int, frame: FrameType | None) -> NoReturn:
    """A handler of signals that end us."""
    raise Terminated
