"""Requests over sockets: to the spawner a word and a path, to a supervisor a length, a text, and descriptors."""

from __future__ import annotations

import socket
import struct

SUPERVISE, REMOVE = b"supervise ", b"remove "
"""What the spawner does with a folder; to supervise comes with the first connection to answer."""
LOOK_AFTER = b"look after "
"""What it does with a kind of boxes and a state folder, parted by a space: it sees to them when we are gone."""

_LENGTH = struct.Struct("<Q")
_DESCRIPTOR = struct.Struct("i")
_MOST_BYTES = 64 << 20
_MOST_DESCRIPTORS = 4


def send(channel: socket.socket, text: str, descriptors: list[int]) -> None:
    """Send a request whole."""
    data = text.encode()
    socket.send_fds(channel, [_LENGTH.pack(len(data))], descriptors)
    if data:
        # Sending nothing would still fail once the other side has answered and gone.
        channel.sendall(data)


def take(channel: socket.socket, most_bytes: int) -> tuple[bytes, list[int]]:
    """What comes next, and the descriptors with it, which no program that we become inherits."""
    # Not socket.recv_fds: it drops its flags, so the descriptors would be inherited.
    space = socket.CMSG_LEN(_MOST_DESCRIPTORS * _DESCRIPTOR.size)
    data, ancillary, _, _ = channel.recvmsg(most_bytes, space, socket.MSG_CMSG_CLOEXEC)
    return data, [number for _, _, raw in ancillary for (number,) in _DESCRIPTOR.iter_unpack(raw)]


def receive(channel: socket.socket) -> tuple[str, list[int]]:
    """The request that comes, or an empty one where the other side said nothing.

    Raises:
        OSError: It is too large, or was cut short.
    """
    head, descriptors = take(channel, _LENGTH.size)
    while 0 < len(head) < _LENGTH.size and (piece := channel.recv(_LENGTH.size - len(head))):
        head += piece
    if not head:
        return "", descriptors
    size = _LENGTH.unpack(head)[0]
    if size > _MOST_BYTES:
        raise OSError(f"a request of {size} bytes is too large")
    data = bytearray()
    while len(data) < size:
        piece = channel.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise OSError(f"a request of {size} bytes ended after {len(data)}")
        data += piece
    return data.decode(), descriptors
