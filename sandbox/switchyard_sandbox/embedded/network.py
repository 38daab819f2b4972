"""Listening sockets inside a box's network namespace, answered outside: the box has no other way out.

One leads to the proxy, for the host names that are allowed; one to the gateway, for the model endpoints.
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from switchyard_sandbox.egress import AllowList, Proxy, relay
from switchyard_sandbox.embedded import kernel
from switchyard_sandbox.embedded.job import GATEWAY_PORT, PROXY_PORT

_NS_GET_USERNS = 0xB701
_SILENCE_S = 1800.0
"""A model may think for long; the gateway's own limit is shorter."""
_MOST_CONNECTIONS = 128


def open_ways(
    network: list[str], internal: list[str], gateway: str, audit: str, init_pid: int, *, as_root: bool
) -> None:
    """Answer what a process's network namespace may reach: the proxy for these names, and the gateway's socket.

    Raises:
        OSError: The namespace can't be entered.
    """
    ways: dict[int, Callable[[socket.socket], None]] = {}
    if network:
        ways[PROXY_PORT] = Proxy(AllowList(network, internal), audit).serve
    if gateway:
        ways[GATEWAY_PORT] = Relay(gateway).serve
    listeners = _listen_inside(init_pid, list(ways), as_root=as_root)
    for listener, answer in zip(listeners, ways.values(), strict=True):
        threading.Thread(target=answer, args=(listener,), daemon=True).start()


def serve_gateway(path: str) -> str:
    """Let a command that shares the host's network reach the gateway; its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=Relay(path).serve, args=(listener,), daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class Relay:
    """Carries connections to a unix socket of the host."""

    def __init__(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        # By a descriptor of the folder: an address holds 107 bytes, and a state folder's path may be longer.
        self._address = f"/proc/self/fd/{os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)}/{name}"
        self._slots = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    def serve(self, listener: socket.socket) -> None:
        """Accept until the process ends."""
        while True:
            client, _ = listener.accept()
            self._slots.acquire()
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            # A side that goes away ends the connection; there is nobody to tell.
            with client, socket.socket(socket.AF_UNIX) as gateway, suppress(OSError):
                gateway.connect(self._address)
                relay(client, gateway, _SILENCE_S)
        finally:
            self._slots.release()


def _listen_inside(init_pid: int, ports: list[int], *, as_root: bool) -> list[socket.socket]:
    """Have a short-lived child enter the namespaces and hand back sockets, which stay in the one they were made in."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _hand_back(theirs, init_pid, ports, as_root=as_root)
    theirs.close()
    with ours:
        told, descriptors, _, _ = socket.recv_fds(ours, 1024, len(ports))
    os.waitpid(pid, 0)
    if len(descriptors) != len(ports):
        raise OSError(f"no way out could be set up for the box: {told.decode(errors='replace')}")
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def _hand_back(channel: socket.socket, init_pid: int, ports: list[int], *, as_root: bool) -> None:
    try:
        space = os.open(f"/proc/{init_pid}/ns/net", os.O_RDONLY)
        if not as_root:
            # Not the user namespace of the box's processes: theirs lies below the one that owns the network.
            kernel.setns(fcntl.ioctl(space, _NS_GET_USERNS), kernel.CLONE_NEWUSER)
        kernel.setns(space, kernel.CLONE_NEWNET)
        # Commands at once in one namespace each answer there; nobody but our own user can join them.
        listeners = [socket.create_server(("127.0.0.1", port), backlog=64, reuse_port=True) for port in ports]
        socket.send_fds(channel, [b"ready"], [listener.fileno() for listener in listeners])
    except OSError as err:
        channel.send(str(err).encode())
    finally:
        os._exit(0)
