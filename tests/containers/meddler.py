"""An engine behind which something happens at a moment of the test's choice."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sandbox.boxes import DOCKER
from switchyard_sandbox.docker.driver import DockerDriver


class Meddler:
    """The engine behind a socket of its own, where something happens before a certain question is answered."""

    def __init__(self, place: Path, asked: bytes, happens: Callable[[], object], *, after_bytes: int = 0) -> None:
        """Begin with nothing.

        Args:
            asked: A pattern of the question's first bytes.
            after_bytes: How much of the answer is passed on before it happens.
        """
        self.place, self.was_asked = place, threading.Event()
        self._asked, self._happens, self._after_bytes = re.compile(asked), happens, after_bytes
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Meddler:
        self._listener.bind(str(self.place))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def driver(self, state: Path) -> DockerDriver:
        """A driver that asks this engine."""
        return DockerDriver(state, image="switchyard-test", base_url=f"unix://{self.place}")

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                asking, _ = self._listener.accept()
                threading.Thread(target=self._carry_both, args=(asking,), daemon=True).start()

    def _carry_both(self, asking: socket.socket) -> None:
        concerns_us = threading.Event()
        with asking, socket.socket(socket.AF_UNIX) as answering:
            answering.connect(DOCKER.removeprefix("unix://"))
            back = threading.Thread(target=self._answer, args=(answering, asking, concerns_us), daemon=True)
            back.start()
            with suppress(OSError):
                while piece := asking.recv(1 << 16):
                    if self._asked.match(piece):
                        concerns_us.set()
                    answering.sendall(piece)
                answering.shutdown(socket.SHUT_WR)
            back.join()

    def _answer(self, answering: socket.socket, asking: socket.socket, concerns_us: threading.Event) -> None:
        passed = 0
        with suppress(OSError):
            while piece := answering.recv(1 << 16):
                if concerns_us.is_set() and passed >= self._after_bytes and not self.was_asked.is_set():
                    self.was_asked.set()
                    self._happens()
                passed += len(piece)
                asking.sendall(piece)
            asking.shutdown(socket.SHUT_WR)
