"""The engine's interface as far as a command's supervisor needs it.

The SDK, which the driver uses, takes 0.15 s to import: too much for a process that every command waits for.
"""

from __future__ import annotations

import json
import socket

_ANSWER_S = 120.0
_HEAD_BYTES = 16 << 10
_PIECE = 1 << 16


class EngineError(OSError):
    """The engine could not be asked, or refused."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Engine:
    """An engine behind a unix socket of this machine. Each question takes a connection of its own."""

    def __init__(self, path: str) -> None:
        self._path = path

    def ask(self, method: str, place: str, body: object = None) -> object:
        """One question, and its JSON answer; None where there is none.

        Raises:
            EngineError: The engine is gone, or refused.
        """
        with self._send(method, place, body, upgrade=False) as connection:
            head, rest = _read_head(connection)
            pieces = [rest]
            while piece := connection.recv(_PIECE):
                pieces.append(piece)
        content = b"".join(pieces)
        _check(head, content)
        return json.loads(content) if content.strip() else None

    def open_stream(self, place: str, body: object) -> tuple[socket.socket, bytes]:
        """Ask for a connection that goes on as a stream of bytes; it, and what has come of it already.

        Raises:
            EngineError: The engine is gone, or refused.
        """
        connection = self._send("POST", place, body, upgrade=True)
        try:
            head, rest = _read_head(connection)
            _check(head, rest)
        except OSError:
            connection.close()
            raise
        connection.settimeout(None)
        return connection, rest

    def _send(self, method: str, place: str, body: object, *, upgrade: bool) -> socket.socket:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [
            # Version 1.0: the answer ends with the connection and is not cut into chunks.
            f"{method} {place} HTTP/{'1.1' if upgrade else '1.0'}",
            "Host: docker",
            f"Connection: {'Upgrade' if upgrade else 'close'}",
            *(["Upgrade: tcp"] if upgrade else []),
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        ]
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_ANSWER_S)
            connection.connect(self._path)
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        except OSError as err:
            connection.close()
            raise EngineError(f"the Docker engine at {self._path} can't be reached: {err}") from err
        return connection


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(_PIECE)
        if not piece or len(data) > _HEAD_BYTES:
            raise EngineError(f"the Docker engine gave no answer but {data[:100]!r}")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _check(head: bytes, content: bytes) -> None:
    status = int(head.split(b" ", 2)[1])
    if status >= 400:
        try:
            said = str(json.loads(content)["message"])
        except (ValueError, KeyError, TypeError):
            said = content.decode("utf-8", "replace").strip()
        raise EngineError(f"the Docker engine refused ({status}): {said}", status)
