"""Reads whom a TLS connection is for from its first message, without taking part in it.

Source: RFC 8446, section 4.1.2 (ClientHello); RFC 6066, section 3 (server_name).
"""

from __future__ import annotations

from collections.abc import Callable

_MOST_BYTES = 64 << 10
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


def read_server_name(receive: Callable[[], bytes], data: bytes = b"") -> tuple[bytes, str]:
    """Read until the first message is whole: everything that was read, and the one name in it.

    With an encrypted hello it is the outer name: that is whom the connection goes to.

    Raises:
        ValueError: It is no TLS, or it names nobody, or not once.
    """
    while (message := _message(data)) is None:
        piece = receive()
        if not piece or len(data) > _MOST_BYTES:
            raise ValueError("the connection ended before its first message was whole")
        data += piece
    return data, server_name(message)


def server_name(message: bytes) -> str:
    """The name in a whole ClientHello, without its header.

    Raises:
        ValueError: There is none, or not one.
    """
    rest = _Reader(message)
    rest.take(34)
    rest.vector(1)
    rest.vector(2)
    rest.vector(1)
    extensions = _Reader(rest.vector(2))
    names = []
    while extensions.left:
        kind, body = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            entries = _Reader(_Reader(body).vector(2))
            while entries.left:
                names.append((entries.number(1), entries.vector(2)))
    if len(names) != 1 or names[0][0] != _HOST_NAME:
        raise ValueError(f"it names {len(names)} servers" if names else "it names no server")
    return names[0][1].decode("latin-1")


def _message(data: bytes) -> bytes | None:
    """The first handshake message, put together from its records; None: more must come."""
    message, place = b"", 0
    while True:
        if data[place : place + 1] not in (b"", bytes([_HANDSHAKE])) or data[place + 1 : place + 2] not in (b"", b"\3"):
            raise ValueError("it does not begin with a TLS handshake")
        length = int.from_bytes(data[place + 3 : place + 5], "big")
        if len(data) < place + 5 + length or len(data) < place + 5:
            return None
        message += data[place + 5 : place + 5 + length]
        place += 5 + length
        if message[:1] not in (b"", bytes([_CLIENT_HELLO])):
            raise ValueError("it does not begin with a ClientHello")
        if len(message) >= 4 and len(message) >= 4 + (whole := int.from_bytes(message[1:4], "big")):
            return message[4 : 4 + whole]


class _Reader:
    """Takes a message apart from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def left(self) -> int:
        return len(self._data)

    def take(self, count: int) -> bytes:
        if count > len(self._data):
            raise ValueError("its first message is cut short")
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))
