"""A listening socket inside a box's network namespace, answered by the proxy outside: the box has no other way out."""

from __future__ import annotations

import fcntl
import os
import socket
import threading

from switchyard_sandbox.egress import AllowList, Proxy
from switchyard_sandbox.embedded import kernel
from switchyard_sandbox.embedded.job import PROXY_PORT, Job

_NS_GET_USERNS = 0xB701


def serve(job: Job, init_pid: int) -> None:
    """Let the box reach the proxy at its own loopback; the proxy ends with this process."""
    listener = _listen_inside(init_pid, as_root=job.uid is not None)
    proxy = Proxy(AllowList(job.network, job.internal), job.audit)
    threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()


def _listen_inside(init_pid: int, *, as_root: bool) -> socket.socket:
    """Have a short-lived child enter the namespaces and hand back a socket, which stays in the one it was made in."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _hand_back(theirs, init_pid, as_root=as_root)
    theirs.close()
    with ours:
        told, descriptors, _, _ = socket.recv_fds(ours, 1024, 1)
    os.waitpid(pid, 0)
    if not descriptors:
        raise OSError(f"no proxy could be set up for the box: {told.decode(errors='replace')}")
    return socket.socket(fileno=descriptors[0])


def _hand_back(channel: socket.socket, init_pid: int, *, as_root: bool) -> None:
    try:
        space = os.open(f"/proc/{init_pid}/ns/net", os.O_RDONLY)
        if not as_root:
            # Not the user namespace of the box's processes: theirs lies below the one that owns the network.
            kernel.setns(fcntl.ioctl(space, _NS_GET_USERNS), kernel.CLONE_NEWUSER)
        kernel.setns(space, kernel.CLONE_NEWNET)
        listener = socket.create_server(("127.0.0.1", PROXY_PORT), backlog=64)
        socket.send_fds(channel, [b"ready"], [listener.fileno()])
    except OSError as err:
        channel.send(str(err).encode())
    finally:
        os._exit(0)
