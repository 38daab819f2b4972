"""Forks supervisors of boxes: a small process that is warm, of one thread, and ends with whoever started it.

Run as `python -I -S spawner.py` with a socket as its input. To start Python anew for each box would take longer than
all the rest, and who asks has threads, so must not fork itself. What is forked here lives on by itself.
"""

from __future__ import annotations

import sys
import types

if __name__ == "__main__":
    # The package's face would import every driver; a bare stand-in keeps the start cheap.
    _bare = types.ModuleType("switchyard_sandbox")
    _bare.__path__ = [__file__.rpartition("/")[0]]
    sys.modules["switchyard_sandbox"] = _bare

import gc
import os
import resource
import signal
import socket

from switchyard_sandbox.embedded import seccomp
from switchyard_sandbox.embedded.messages import LOOK_AFTER, REMOVE, SUPERVISE, take
from switchyard_sandbox.leaving import see_out
from switchyard_sandbox.removal import remove_tree
from switchyard_sandbox.shim import supervise

_MOST_BYTES = 8192
_BACKGROUND_NICE = 19


def main() -> None:
    """Fork for each request until nobody can send one any more, and see to what is left then."""
    # Whatever else our starter had open and inheritable is no box's business.
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    channel = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), 0)
    os.chdir("/")
    os.umask(0o022)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    seccomp.program()
    # A collection would write to every page that all children share.
    gc.disable()
    gc.freeze()
    user, places = os.getppid(), set[tuple[str, str]]()
    while True:
        request, descriptors = take(channel, _MOST_BYTES)
        if not request:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            see_out(user, places)
            return
        if request.startswith(LOOK_AFTER):
            kind, _, state = os.fsdecode(request.removeprefix(LOOK_AFTER)).partition(" ")
            places.add((kind, state))
            continue
        if os.fork() == 0:
            channel.close()
            _become(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _become(request: bytes, descriptors: list[int]) -> None:
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if request.startswith(SUPERVISE):
            gc.enable()
            supervise(os.fsdecode(request.removeprefix(SUPERVISE)), socket.socket(fileno=descriptors[0]))
        else:
            os.nice(_BACKGROUND_NICE)
            remove_tree(os.fsdecode(request.removeprefix(REMOVE)))
    except FileNotFoundError:
        # The box was destroyed before its supervisor stood.
        return
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
