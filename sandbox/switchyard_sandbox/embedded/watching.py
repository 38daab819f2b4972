"""Which files of the work tree a command opens, told by the kernel (inotify) while the box stands."""

from __future__ import annotations

import ctypes
import os
import struct

_IN_OPEN, _IN_DONT_FOLLOW, _IN_ONESHOT = 0x20, 0x02000000, 0x80000000
_EVENT = struct.Struct("iIII")
_BUFFER = 1 << 20

_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    """Files that are watched until each was opened once: so the queue never overflows, whatever the command does.

    The files are watched where the shim sees them. A box sees the same inodes, for its tree is that mount bound again.
    """

    def __init__(self, tree: str, paths: list[str]) -> None:
        """Begin to watch; call it while nothing of the box runs, or a link could change underneath."""
        self.unseen = ""
        """Why nothing can be told; empty: it can."""
        self._paths: dict[int, list[str]] = {}
        self._descriptor = -1
        if not paths:
            return
        try:
            self._descriptor = _check(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify_init1")
            for path in paths:
                self._add(os.path.realpath(tree), path)
        except OSError as err:
            self.unseen = f"this machine can't watch files: {err}"

    def close(self) -> list[str]:
        """Stop watching; the files that were opened."""
        if self._descriptor < 0:
            return []
        found: set[int] = set()
        try:
            while True:
                found.update(_descriptors(os.read(self._descriptor, _BUFFER)))
        except BlockingIOError:
            return sorted(path for number in found for path in self._paths.get(number, []))
        finally:
            os.close(self._descriptor)

    def _add(self, tree: str, path: str) -> None:
        place = f"{tree}/{path}"
        # A link on the way could lead to a file of the host; one that is gone can't be read.
        if os.path.realpath(place) != place or not os.path.isfile(place):  # noqa: PTH113
            return
        mask = ctypes.c_uint32(_IN_OPEN | _IN_DONT_FOLLOW | _IN_ONESHOT)
        number = _check(_libc.inotify_add_watch(self._descriptor, os.fsencode(place), mask), f"watch {path}")
        self._paths.setdefault(number, []).append(path)


def _descriptors(data: bytes) -> list[int]:
    found, position = [], 0
    while position < len(data):
        number, mask, _, length = _EVENT.unpack_from(data, position)
        if mask & _IN_OPEN:
            found.append(number)
        position += _EVENT.size + length
    return found


def _check(result: int, call: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}")
    return result
