"""One orchestrator, and one landing, at a time: locks on the state folder that die with their holders."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from switchyard.errors import WorkFailed


class OrchestratorRunning(WorkFailed):
    """Another process is running this repository's factory; `pid` is its process id, or 0 where it is unknown."""

    kind = "orchestrator_running"

    def __init__(self, state: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{who} is already running the factory in {state}",
            hint="watch it with `switchyard status`, or wait for its end",
        )
        self.pid = pid


class LandingRunning(WorkFailed):
    """Another process is landing in this repository; `pid` is its process id, or 0 where it is unknown."""

    kind = "landing_running"

    def __init__(self, state: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{who} is already landing pull requests in {state}", hint="wait for its end, then land again")
        self.pid = pid


@contextmanager
def orchestrator_lock(state: Path) -> Iterator[None]:
    """Hold the state folder's lock.

    Raises:
        OrchestratorRunning: Another live process holds it.
    """
    with _held(state / "lock", lambda pid: OrchestratorRunning(state, pid)):
        yield


@contextmanager
def landing_lock(state: Path) -> Iterator[None]:
    """Hold the lock of what lands; a run may go on beside it.

    Raises:
        LandingRunning: Another live process holds it.
    """
    with _held(state / "landing.lock", lambda pid: LandingRunning(state, pid)):
        yield


@contextmanager
def _held(lock: Path, refusal: Callable[[int], WorkFailed]) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise refusal(_holder(descriptor)) from err
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> int:
    text = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else 0
