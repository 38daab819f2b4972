"""Removes what killed processes left behind, at once and again and again while a run is under way."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from switchyard_sandbox import Driver, SandboxError

EVERY_S = 30.0
_PATIENCE_S = 5.0


@contextmanager
def reaping(drivers: Sequence[Driver], every_s: float = EVERY_S) -> Iterator[None]:
    """Reap beside the work of a `with`: orphans and what is past its time, of all these drivers."""
    ended = threading.Event()

    def work() -> None:
        while True:
            for driver in drivers:
                reap_patiently(driver)
            if ended.wait(every_s):
                return

    thread = threading.Thread(target=work, name="reaper", daemon=True)
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
