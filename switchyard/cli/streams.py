"""The standard streams where they are not what a program expects: closed by its starter, or without room."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from switchyard.errors import SwitchyardError


class OutputLost(SwitchyardError):
    """What we print can't be written, and whoever asked for it must not take it for complete."""

    kind = "output_lost"


@contextmanager
def reaching(stream: TextIO) -> Iterator[None]:
    """Say what a failed write means.

    Raises:
        OutputLost: The stream takes nothing more; a reader that has gone away stays a BrokenPipeError.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as err:
        hint = "what is missing can be had again by the same command once it leads to a place with room"
        raise OutputLost(f"{stream.name} can't be written to: {err.strerror}", hint=hint) from err


def discard_stdout() -> None:
    """Let what Python still wants to flush at the end go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_closed_streams() -> None:
    """Let a stream that our starter closed lead nowhere: the next file that we open would take its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode))
