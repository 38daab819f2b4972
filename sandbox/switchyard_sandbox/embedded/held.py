"""Files without a name that processes hold: no walk of a tree finds them, and they take room all the same."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

_GONE = " (deleted)"
_IN_MEMORY = ("/memfd:", "/dev/zero", "/SYSV", "/dev/shm/", "/tmp/", "/run/")  # noqa: S108
_BLOCK = 512


def held_bytes(pids: list[int]) -> tuple[int, int]:
    """What they hold on disk and in memory, each file counted once.

    A file that is mapped but no longer open counts for what is mapped. One that is on its way through a socket is
    seen by nobody.
    """
    disk: dict[tuple[int, int], int] = {}
    memory: dict[tuple[int, int], int] = {}
    for pid in pids:
        for name, file, size in (*_open(pid), *_mapped(pid)):
            kept = memory if name.startswith(_IN_MEMORY) else disk
            kept[file] = max(kept.get(file, 0), size)
    return sum(disk.values()), sum(memory.values())


def _open(pid: int) -> Iterator[tuple[str, tuple[int, int], int]]:
    """Name, device and inode, and size."""
    folder = f"/proc/{pid}/fd"
    for descriptor in _listed(folder):
        try:
            name = os.readlink(f"{folder}/{descriptor}")  # noqa: PTH115
            if not name.endswith(_GONE):
                continue
            status = os.stat(f"{folder}/{descriptor}")  # noqa: PTH116
        except OSError:
            # It was closed while we looked.
            continue
        if stat.S_ISREG(status.st_mode):
            yield name, (status.st_dev, status.st_ino), status.st_blocks * _BLOCK


def _mapped(pid: int) -> Iterator[tuple[str, tuple[int, int], int]]:
    spans: dict[tuple[int, int], int] = {}
    names: dict[tuple[int, int], str] = {}
    try:
        with open(f"/proc/{pid}/maps", errors="surrogateescape") as file:
            for line in file:
                if _GONE not in line:
                    continue
                span, _, _, device, inode, name = line.split(maxsplit=5)
                major, _, minor = device.partition(":")
                which = (os.makedev(int(major, 16), int(minor, 16)), int(inode))
                begin, _, end = span.partition("-")
                spans[which] = spans.get(which, 0) + int(end, 16) - int(begin, 16)
                names[which] = name
    except OSError:
        return
    yield from ((names[which], which, size) for which, size in spans.items())


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []
