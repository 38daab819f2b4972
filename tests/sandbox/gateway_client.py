"""Talks to a gateway's socket as a box's supervisor does."""

from __future__ import annotations

import http.client
import os
import socket
from contextlib import closing, suppress

from switchyard_sandbox.gateway import GatewayHandle

KEYS = {name: f"sk-real-{name}-0123456789" for name in ("anthropic", "openai", "gemini", "other", "nowhere")}
PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/responses",
    "gemini": "/v1beta/models/gemini-x:generateContent",
    "other": "/any/thing",
}


class Connection(http.client.HTTPConnection):
    """To the gateway's socket, as a box's supervisor makes it."""

    def __init__(self, gateway: GatewayHandle) -> None:
        super().__init__("127.0.0.1", timeout=10)
        self._path = gateway.socket

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        folder = os.open(self._path.parent, os.O_PATH)
        self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
        os.close(folder)


def ask(
    gateway: GatewayHandle, path: str, headers: dict[str, str], body: bytes = b"{}", method: str = "POST"
) -> tuple[int, bytes]:
    with closing(Connection(gateway)) as connection:
        connection.request(method, path, body=body, headers=headers)
        with connection.getresponse() as response:
            return response.status, response.read()


def say_raw(gateway: GatewayHandle, text: bytes, *, to_end: bool = False) -> bytes:
    """Send just these bytes; the first line of what comes back, or all of it."""
    connection = Connection(gateway)
    connection.connect()
    with connection.sock as client:
        client.sendall(text)
        said = client.recv(4096)
        with suppress(ConnectionResetError):
            while to_end and (more := client.recv(4096)):
                said += more
    return said if to_end else said.partition(b"\r\n")[0]
