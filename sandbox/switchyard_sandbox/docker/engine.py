"""The engine's interface as far as a command's supervisor needs it.

The SDK, which the driver uses, takes 0.15 s to import: too much for a process that every command waits for.
"""

from __future__ import annotations

import json
import socket
import struct

_ANSWER_S = 120.0
_HEAD_BYTES = 16 << 10
_PIECE = 1 << 16
_FRAME = struct.Struct(">B3xI")


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

    def execute(self, container: str, request: dict[str, object]) -> tuple[str, socket.socket, bytes]:
        """Start a program in a container: its name, the connection to it, and what has come of that already.

        Without a terminal, what comes is to be taken apart by `split_frames`.

        Raises:
            EngineError: The engine is gone, or refused.
        """
        made = self.ask("POST", f"/containers/{container}/exec", request)
        assert isinstance(made, dict)
        how = {"Detach": False, "Tty": request.get("Tty", False)}
        return str(made["Id"]), *self._open_stream(f"/exec/{made['Id']}/start", how)

    def resize(self, name: str, rows: int, columns: int) -> None:
        """Give a program's terminal a size.

        Raises:
            EngineError: The engine is gone, or the program has ended.
        """
        self.ask("POST", f"/exec/{name}/resize?h={rows}&w={columns}")

    def look_at(self, name: str) -> dict[str, object]:
        """How a program that was started stands: `Running`, `Pid` (0: it could not be started), `ExitCode`.

        Raises:
            EngineError: The engine or the container is gone.
        """
        answer = self.ask("GET", f"/exec/{name}/json")
        assert isinstance(answer, dict)
        return answer

    def _open_stream(self, place: str, body: object) -> tuple[socket.socket, bytes]:
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


def split_frames(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The pieces of output in what came on a connection, each with its stream (1 or 2), and what is not yet whole."""
    pieces, position = [], 0
    while len(data) - position >= _FRAME.size:
        number, length = _FRAME.unpack_from(data, position)
        end = position + _FRAME.size + length
        if len(data) < end:
            break
        pieces.append((number, data[position + _FRAME.size : end]))
        position = end
    return pieces, data[position:]


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
