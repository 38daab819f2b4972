"""The supervisor of one box: owns its mounts, groups and commands; outlives whoever asked for them.

It makes the mounts once, listens on a socket in the box's folder, and forks a child for each command. Whoever asked may
die: commands read nothing from it after their request, and write only to files. If the supervisor dies, the kernel ends
all of its commands; the next one to be asked for starts another, and nothing that lies on disk is lost.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import struct
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress

from switchyard_sandbox.embedded import kernel, staging
from switchyard_sandbox.embedded.bounds import Groups
from switchyard_sandbox.embedded.job import LOG, PLAN, PROCESS, SOCKET, Plan
from switchyard_sandbox.embedded.ownership import LOOK_EVERY_S, Patience
from switchyard_sandbox.embedded.procfs import await_unmounted, descendants
from switchyard_sandbox.embedded.records import write_process
from switchyard_sandbox.embedded.running import run
from switchyard_sandbox.embedded.waking import Wake
from switchyard_sandbox.removal import remove_tree, throw_away

_BACKLOG = 128
_GRACE_S = 5.0
_PATIENCE_S = 20.0
_UNMOUNTED_S = 20.0
_PEER = struct.Struct("iII")


class BoxIsLost(Exception):
    """There is nothing to supervise, and who asked finds that out by itself."""


def supervise(place: str, first: socket.socket) -> None:
    """Keep the box at `place` until it is told to end, is destroyed, its time is over, or nobody owns it any more.

    Args:
        first: A connection with the first request, to be answered like those that come later.
    """
    os.chdir(place)
    wake = Wake(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    kernel.adopt_orphans()
    try:
        plan = _claim()
        with Groups(plan.groups):
            if plan.stage:
                staging.build(plan.stage, plan.mounts, uid=os.getuid(), gid=os.getgid(), as_root=plan.uid is not None)
            supervisor = Supervisor(plan, wake)
            supervisor.serve(first)
        if supervisor.thrown_away:
            os.chdir("/")
            remove_tree(supervisor.thrown_away)
    except BoxIsLost:
        return
    except OSError as err:
        first.sendall(str(err).encode())
    except Exception:
        with open(LOG, "a") as log:
            traceback.print_exc(file=log)
        raise


class Supervisor:
    """A box whose mounts stand."""

    def __init__(self, plan: Plan, wake: Wake) -> None:
        self._plan, self._wake = plan, wake
        self._commands: set[int] = set()
        self._listener = _listen()
        self._patience = Patience(plan.place)
        self.thrown_away = ""
        """Where the box lies now that nobody wanted any more; empty: it is not ours to delete."""

    def serve(self, first: socket.socket) -> None:
        """Answer requests to the end, and leave nothing running."""
        self._take(first)
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._wake.descriptor, select.POLLIN)
        while not self._is_over():
            wait_s = min(LOOK_EVERY_S, max(0.0, self._plan.ends + _GRACE_S - time.time()))
            ready = {descriptor for descriptor, _ in poll.poll(wait_s * 1000 + 1)}
            if self._wake.descriptor in ready and self._wake.signals() - {signal.SIGCHLD}:
                break
            self._bury()
            if self._listener.fileno() in ready:
                self._take(self._listener.accept()[0])
        self._listener.close()
        self._end()

    def _is_over(self) -> bool:
        # Commands end first, by their own limits, and can tell of it.
        is_late = time.time() >= self._plan.ends + _GRACE_S
        return is_late or _is_elsewhere(self._plan.place) or self._is_given_up()

    def _is_given_up(self) -> bool:
        """Whether nobody wants the box any more; then it is destroyed, in the order in which its owner would."""
        if not self._patience.is_over():
            return False
        self.thrown_away = throw_away(self._plan.place)
        return True

    def _take(self, connection: socket.socket) -> None:
        """Give a request to a child of its own: nothing that a client or a command does holds up another."""
        with connection:
            if _uid_of_peer(connection) != os.getuid():
                return
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                self._become_command(connection, parent)
            self._commands.add(pid)

    def _become_command(self, connection: socket.socket, parent: int) -> None:
        try:
            kernel.die_with_parent(parent)
            self._listener.close()
            self._wake.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run(self._plan, connection)
        finally:
            os._exit(0)

    def _bury(self) -> bool:
        """Take leave of children that have ended; whether there are others."""
        try:
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self._commands.discard(pid)
        except ChildProcessError:
            return False
        return True

    def _end(self) -> None:
        """Ask every command to end, and kill what is left; as the adopter of orphans we see the last one go."""
        give_up = time.monotonic() + _PATIENCE_S
        _send(self._commands, signal.SIGTERM)
        while self._bury() and self._commands and time.monotonic() < give_up:
            time.sleep(0.001)
        while self._bury() and time.monotonic() < give_up + _PATIENCE_S:
            _send(descendants(os.getpid()), signal.SIGKILL)
            time.sleep(0.001)


def _claim() -> Plan:
    """Become the only supervisor of the box in the current folder.

    Raises:
        BoxIsLost: It was destroyed, or its files were lost with its last supervisor.
        OSError: There is another.
    """
    lock = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    # Never closed: it is held until the last of our commands is gone too.
    _await_lock(lock)
    with open(PLAN) as file:
        plan = Plan.load(file.read())
    is_first = not os.path.exists(PROCESS)  # noqa: PTH110
    if not is_first and plan.once:
        raise BoxIsLost
    write_process()
    # Written before this look: whoever destroys the box moves it first, and then reads what was written.
    if _is_elsewhere(plan.place):
        raise BoxIsLost
    if not is_first and plan.overlay:
        # Two mounts of one upper directory at once would spoil it.
        await_unmounted(plan.place, _UNMOUNTED_S)
    return plan


def _await_lock(lock: int) -> None:
    give_up = time.monotonic() + _UNMOUNTED_S
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Commands of a killed supervisor take a moment to end.
            if time.monotonic() > give_up:
                raise
            time.sleep(0.005)


def _is_elsewhere(place: str) -> bool:
    """Whether a box's folder is no longer at its place."""
    try:
        return not os.path.samestat(os.stat(place), os.stat("."))  # noqa: PTH116
    except FileNotFoundError:
        return True


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    if os.path.lexists(SOCKET):
        os.unlink(SOCKET)  # noqa: PTH108
    # By a name in the current folder: an address holds 107 bytes, and a state folder's path may be longer.
    listener.bind(SOCKET)
    os.chmod(SOCKET, 0o600)  # noqa: PTH101
    listener.listen(_BACKLOG)
    return listener


def _uid_of_peer(connection: socket.socket) -> int:
    uid: int = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1]
    return uid


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
