"""A person's terminal joined to one in a box: every key goes in, all that is said comes out, and sizes follow."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from switchyard.cli.signals import Terminated, raise_terminated

if TYPE_CHECKING:
    from switchyard_sandbox import Finished, Terminal, TerminalSize

_LOOK_EVERY_S = 0.02
_PIECE = 1 << 16


def size_of(descriptor: int) -> TerminalSize:
    """The size of the terminal behind a descriptor; one that says nothing has 24 rows of 80."""
    from switchyard_sandbox import TerminalSize

    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, b"\0" * 8))
    return TerminalSize(rows, columns) if rows and columns else TerminalSize()


def converse(terminal: Terminal, keys: int, screen: int) -> int:
    """Join the two until the command in the box ends; the person's terminal is then as before, whatever happened.

    Args:
        keys: The descriptor that is read from, a terminal.
        screen: The descriptor that is written to, a terminal.

    Returns:
        The command's exit code, 128 + signal, or 124 where a limit ended it.

    Raises:
        Terminated: The person's terminal is gone.
    """
    with _raw(keys), _watched() as told:
        while (said := terminal.receive(_LOOK_EVERY_S)) != b"":
            if said:
                _write_all(screen, said)
            if told:
                told.clear()
                terminal.resize(size_of(screen))
            if select.select([keys], [], [], 0)[0]:
                # Nothing to read, or no terminal any more: a person who is gone types nothing.
                if not (typed := os.read(keys, _PIECE)):
                    raise Terminated
                terminal.send(typed)
        return _exit_code(terminal.finish())


@contextmanager
def _raw(keys: int) -> Iterator[None]:
    """Let every key through, Ctrl-C too: it is meant for the command in the box."""
    before = termios.tcgetattr(keys)
    try:
        # What was typed ahead is not thrown away.
        tty.setraw(keys, termios.TCSADRAIN)
        yield
    finally:
        # A window that was closed has nothing left to restore.
        with suppress(termios.error):
            termios.tcsetattr(keys, termios.TCSADRAIN, before)


@contextmanager
def _watched() -> Iterator[list[int]]:
    """Changes of the window's size, to be noticed between two looks; a window that is closed ends all as SIGTERM would.

    Nothing is done in the handler: it may have interrupted the very call that it would make.
    """
    told: list[int] = []
    previous = signal.getsignal(signal.SIGWINCH), signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGWINCH, lambda number, frame: told.append(number))
    signal.signal(signal.SIGHUP, raise_terminated)
    try:
        yield told
    finally:
        signal.signal(signal.SIGWINCH, previous[0])
        signal.signal(signal.SIGHUP, previous[1])


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _exit_code(finished: Finished) -> int:
    if finished.limit:
        return 124
    return 128 + finished.signal if finished.signal else int(finished.exit_code or 0)
