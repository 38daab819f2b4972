"""What this process knows of checks on trees: tasks that start from one commit share the runs of its checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from switchyard.packets import CheckResult

Key = tuple[str, str]
"""A tree, and the digest of what it is checked with."""


class KnownResults:
    """Threads share it; who asks for a result that another is at work on waits for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[Key, Lock] = {}
        self._results: dict[Key, CheckResult] = {}

    @contextmanager
    def asked(self, key: Key) -> Iterator[CheckResult | None]:
        """What is known; where that is nothing, the `with` is the one in which it is found out."""
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            yield self._results.get(key)

    def tell(self, key: Key, result: CheckResult) -> None:
        """Remember a result."""
        self._results[key] = result
