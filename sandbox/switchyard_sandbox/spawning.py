"""Asks for supervisors: holds the process that forks them, one for the life of this one."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

from switchyard_sandbox.contract import SandboxError
from switchyard_sandbox.embedded.messages import LOOK_AFTER, REMOVE, SUPERVISE
from switchyard_sandbox.launch import serve_apart

_PROGRAM = Path(__file__).with_name("spawner.py")
_TRIES = 3


class Spawner:
    """The spawner of this process; started when it is first needed, and again if it was killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel = -1
        """A plain descriptor: it is open as long as we live, and nobody is to close it for us."""
        self._user = 0
        """Who started it: a fork of us must not share it."""

    def look_after(self, kind: str, state: Path) -> None:
        """Start it now, so that it is warm when it is needed; have it remove what we leave there if we are killed."""
        self._ask(LOOK_AFTER + f"{kind} ".encode() + os.fsencode(state), [])

    def supervise(self, box: Path) -> socket.socket:
        """Start a box's supervisor; a connection to it, to be used like one to its socket."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._ask(SUPERVISE + os.fsencode(box), [theirs.fileno()])
        return ours

    def remove(self, folder: Path) -> None:
        """Have a tree deleted, later and whatever becomes of us."""
        self._ask(REMOVE + os.fsencode(folder), [])

    def _ask(self, request: bytes, descriptors: list[int]) -> None:
        with self._lock:
            for _ in range(_TRIES):
                channel = socket.socket(fileno=self._open())
                try:
                    socket.send_fds(channel, [request], descriptors)
                except OSError:
                    self._close()
                else:
                    return
                finally:
                    channel.detach()
        raise SandboxError(f"{_PROGRAM} ends as soon as it is started", hint=f"run `{sys.executable} -I -S {_PROGRAM}`")

    def _open(self) -> int:
        if self._channel < 0 or self._user != os.getpid():
            self._close()
            self._channel = serve_apart((sys.executable, "-I", "-S", str(_PROGRAM)))
            self._user = os.getpid()
        return self._channel

    def _close(self) -> None:
        if self._channel >= 0:
            os.close(self._channel)
        self._channel = -1


SPAWNER = Spawner()
"""One for all drivers of this process, since a warm process is what it is about."""
