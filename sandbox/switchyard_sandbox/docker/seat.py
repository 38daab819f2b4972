"""The supervisor's end of a terminal: bytes between the command and the one who sits at it, and nothing kept.

Whoever leaves the seat, or dies, ends the command.
"""

from __future__ import annotations

import os
import select
import socket
import time

from switchyard_sandbox.docker.task import SOCKET

_PIECE = 1 << 16
_FIRST_BYTES = 4096
_SIT_DOWN_S = 30.0


def listen() -> socket.socket:
    """Where somebody may sit down, in the current folder; only our own user may enter that."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    listener.listen(1)
    listener.settimeout(_SIT_DOWN_S)
    return listener


class Seat:
    """A terminal's two ends, used like a command's `Stream`. Neither is read while the other takes nothing."""

    def __init__(self, listener: socket.socket, connection: socket.socket, rest: bytes, wake_fd: int) -> None:
        with listener:
            self._command, (self._person, _) = connection, listener.accept()
        for end in (self._command, self._person):
            end.setblocking(False)
        self._waiting = {self._command: b"", self._person: rest}
        """What each end is still to be given."""
        self._wake_fd = wake_fd
        self.first = rest
        self.truncated = False
        self.woken = False
        self._is_silent = False
        self.last_output = time.monotonic()

    @property
    def ended(self) -> bool:
        """Whether the command says no more, and the person has all that it said or has left."""
        return self._is_silent and (self.woken or not self._waiting[self._person])

    def pump(self, wait_s: float) -> bool:
        """Carry what there is, waiting at most so long for it; whether there was anything."""
        poll = select.poll()
        poll.register(self._wake_fd, select.POLLIN)
        for end, other in ((self._command, self._person), (self._person, self._command)):
            is_over = self._is_silent if end is self._command else self.woken
            events = (0 if self._waiting[other] or is_over else select.POLLIN) | (
                select.POLLOUT if self._waiting[end] else 0
            )
            if events:
                poll.register(end, events)
        ready = dict(poll.poll(wait_s * 1000))
        self.woken = self.woken or self._wake_fd in ready
        for end, other in ((self._command, self._person), (self._person, self._command)):
            events = ready.get(end.fileno(), 0)
            if events & select.POLLOUT:
                self._give(end)
            if events & ~select.POLLOUT:
                self._take(end, other)
        return bool(ready)

    def close(self) -> None:
        """Let go of both ends, and of what nobody took."""
        for end in (self._command, self._person):
            end.close()

    def _give(self, end: socket.socket) -> None:
        try:
            self._waiting[end] = self._waiting[end][end.send(self._waiting[end]) :]
        except BlockingIOError:
            return
        except OSError:
            self._waiting[end] = b""
            self._lose(end)

    def _take(self, end: socket.socket, other: socket.socket) -> None:
        try:
            data = end.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose(end)
        self._waiting[other] += data
        if end is self._command:
            self.last_output = time.monotonic()
            self.first = (self.first + data)[:_FIRST_BYTES]

    def _lose(self, end: socket.socket) -> None:
        if end is self._command:
            self._is_silent = True
        else:
            self.woken = True


def connect(folder: str) -> socket.socket:
    """Sit down at the terminal of a command's folder."""
    person = socket.socket(socket.AF_UNIX)
    # By a descriptor of the folder: an address holds 107 bytes, and a state folder's path may be longer.
    inside = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        person.connect(f"/proc/self/fd/{inside}/{SOCKET}")
    except OSError:
        person.close()
        raise
    finally:
        os.close(inside)
    return person
