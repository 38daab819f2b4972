"""Clears up after killed processes, and keeps what a run rests on alive: at once, and again and again beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from switchyard_sandbox import Driver, SandboxError

from switchyard.workflow.outside import Gateway

REAP_EVERY_S = 30.0
REVIVE_EVERY_S = 2.0
_PATIENCE_S = 5.0


@contextmanager
def watched(drivers: Sequence[Driver], gateway: Gateway | None) -> Iterator[None]:
    """Reap the boxes of these drivers beside the work of a `with`, and start a gateway again that was killed."""
    with repeating(lambda: [reap_patiently(driver) for driver in drivers], REAP_EVERY_S):
        if gateway is None:
            yield
            return
        with repeating(gateway.revive, REVIVE_EVERY_S):
            yield


@contextmanager
def repeating(act: Callable[[], object], every_s: float) -> Iterator[None]:
    """Do something beside the work of a `with`, at once and then every so many seconds."""
    ended = threading.Event()

    def work() -> None:
        while True:
            act()
            if ended.wait(every_s):
                return

    thread = threading.Thread(target=work, name="repeating", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_PATIENCE_S)


def reap_patiently(driver: Driver) -> str:
    """Reap once; why it could not be done, or nothing.

    An engine that is down keeps no run from going on: what is an orphan now is one the next time, too.
    """
    try:
        driver.reap()
    except (SandboxError, OSError) as err:
        return str(err)
    return ""
