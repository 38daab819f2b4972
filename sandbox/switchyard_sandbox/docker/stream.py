"""One command's connection to the engine: output into one capped file of frames, input out of a file."""

from __future__ import annotations

import select
import socket
import time

from switchyard_sandbox.docker.engine import split_frames
from switchyard_sandbox.docker.task import STDIN
from switchyard_sandbox.frames import Frames

_PIECE = 1 << 16
_FIRST_BYTES = 4096


class Stream:
    """Both directions, from the moment that the command was started."""

    def __init__(self, connection: socket.socket, rest: bytes, cap_bytes: int, wake_fd: int) -> None:
        self._connection = connection
        connection.setblocking(False)
        self._waiting = rest
        self._frames = Frames(cap_bytes)
        self._wake_fd = wake_fd
        self._given = open(STDIN, "rb")  # noqa: SIM115
        self._typed = self._given.read(_PIECE)
        self._poll = select.poll()
        self._poll.register(wake_fd, select.POLLIN)
        self._poll.register(connection, select.POLLIN | (select.POLLOUT if self._typed else 0))
        self.first = b""
        """What was said first, on whichever stream."""
        self.woken = False
        self.ended = False
        self.last_output = time.monotonic()
        self._take()

    @property
    def truncated(self) -> bool:
        """Whether output was dropped."""
        return self._frames.truncated

    def pump(self, wait_s: float) -> bool:
        """Move what can be moved, waiting at most so long for something to happen; whether something did."""
        ready = self._poll.poll(wait_s * 1000)
        for descriptor, events in ready:
            if descriptor == self._wake_fd:
                self.woken = True
                continue
            if events & select.POLLOUT:
                self._give()
            if events & ~select.POLLOUT and not self.ended:
                self._receive()
        return bool(ready)

    def close(self) -> None:
        """Let go of both."""
        self._given.close()
        self._connection.close()
        self._frames.close()

    def _give(self) -> None:
        try:
            self._typed = self._typed[self._connection.send(self._typed) :] or self._given.read(_PIECE)
            if not self._typed:
                self._connection.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            # The command ended without reading it all.
            self._typed = b""
        if not self._typed:
            self._poll.modify(self._connection, select.POLLIN)

    def _receive(self) -> None:
        try:
            data = self._connection.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended = True
            self._poll.unregister(self._connection)
            return
        self.last_output = time.monotonic()
        self._waiting += data
        self._take()

    def _take(self) -> None:
        pieces, self._waiting = split_frames(self._waiting)
        for number, data in pieces:
            if len(self.first) < _FIRST_BYTES:
                self.first += data[:_FIRST_BYTES]
            self._frames.keep(number, data)
