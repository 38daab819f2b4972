"""One command's connection to the engine: output into one capped file of frames, input out of a file."""

from __future__ import annotations

import os
import select
import socket
import struct
import time

from switchyard_sandbox.docker.engine import split_frames
from switchyard_sandbox.docker.task import STDIN
from switchyard_sandbox.embedded.job import OUTPUT

_HEADER = struct.Struct("<BI")
"""Before each piece, for those who follow the command: its stream and its length."""
_PIECE = 1 << 16
_FIRST_BYTES = 4096


class Stream:
    """Both directions, from the moment that the command was started."""

    def __init__(self, connection: socket.socket, rest: bytes, cap_bytes: int, wake_fd: int) -> None:
        self._connection = connection
        connection.setblocking(False)
        self._waiting = rest
        self._left = {1: cap_bytes, 2: cap_bytes}
        self._wake_fd = wake_fd
        self._given = open(STDIN, "rb")  # noqa: SIM115
        self._typed = self._given.read(_PIECE)
        self._poll = select.poll()
        self._poll.register(wake_fd, select.POLLIN)
        self._poll.register(connection, select.POLLIN | (select.POLLOUT if self._typed else 0))
        self._file = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.first = b""
        """What was said first, on whichever stream."""
        self.truncated = False
        self.woken = False
        self.ended = False
        self.last_output = time.monotonic()
        self._take()

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
        os.close(self._file)

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
            self._keep(number, data)

    def _keep(self, number: int, data: bytes) -> None:
        if len(self.first) < _FIRST_BYTES:
            self.first += data[:_FIRST_BYTES]
        kept = data[: self._left[number]]
        self._left[number] -= len(kept)
        self.truncated = self.truncated or len(kept) < len(data)
        if kept:
            try:
                _write_all(self._file, _HEADER.pack(number, len(kept)) + kept)
            except OSError:
                # The host's disk is full: the command goes on, its output is lost and `truncated` says so.
                self.truncated = True
                self._left = {1: 0, 2: 0}


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
