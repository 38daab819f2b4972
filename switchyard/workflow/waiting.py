"""What the forge is waited for: told by the thread that waits, heard by the one that writes it down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from switchyard_merge.forge.contract import Waiting

SHORTEST_S = 2.0
"""Shorter waits are no news."""


class Waits:
    """Waits that nobody was told of yet. Threads may share it."""

    def __init__(self) -> None:
        self._told = SimpleQueue[Waiting]()
        self._hear: Callable[[Waiting], None] = self._told.put

    def note(self, waiting: Waiting) -> None:
        """Tell that the forge is waited for from now on."""
        if waiting.seconds >= SHORTEST_S:
            self._hear(waiting)

    def take(self) -> list[Waiting]:
        """What was told since the last time."""
        return [self._told.get() for _ in range(self._told.qsize())]

    @contextmanager
    def heard_by(self, hear: Callable[[Waiting], None]) -> Iterator[None]:
        """Pass waits on at once, while there is no ledger yet to write them into."""
        self._hear = hear
        try:
            yield
        finally:
            self._hear = self._told.put
