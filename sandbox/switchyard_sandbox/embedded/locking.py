"""File locks that end with their holder, however it ends."""

from __future__ import annotations

import fcntl
import os


class hold:  # noqa: N801
    """Hold a lock file for the length of a `with`, alone or with others who share it; waits for it."""

    def __init__(self, path: str, *, shared: bool = False) -> None:
        self._path = path
        self._kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, self._kind)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def is_held(path: str) -> bool:
    """Whether somebody holds the lock now."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
