"""What /proc tells of processes: identity that survives the reuse of a pid, and descendants and their memory."""

from __future__ import annotations

import os
import time


def start_time(pid: int) -> int:
    """When a process started, in ticks since boot; with its pid that names it for good. 0: there is none."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    # A zombie holds its pid and does nothing more.
    return 0 if fields[0] in ("Z", "X") else int(fields[19])


def is_alive(pid: int, start: int) -> bool:
    """Whether exactly this process still runs."""
    return start != 0 and start_time(pid) == start


def children(pid: int) -> list[int]:
    """The processes that a process has started and not yet buried."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        # It ended while we looked.
        return found
    return found


def descendants(root: int) -> list[int]:
    """The children of a process, theirs, and so on."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        started = children(waiting.pop())
        found += started
        waiting += started
    return found


def await_unmounted(box: str, timeout_s: float) -> None:
    """Wait until no process has a mount of a box's files any more.

    Raises:
        OSError: One still has.
    """
    name = box.rpartition("/")[2].encode()
    give_up = time.monotonic() + timeout_s
    while any(name in _mounts(pid) for pid in os.listdir("/proc") if pid.isdecimal()):  # noqa: PTH208
        if time.monotonic() > give_up:
            raise OSError(f"the mounts of {box} were still in use after {timeout_s:g} s")
        time.sleep(0.01)


def _mounts(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/mountinfo", "rb") as file:
            return file.read()
    except OSError:
        # It ended while we looked.
        return b""


def resident_bytes(pids: list[int]) -> int:
    """The memory that these processes hold, without what they share: that would count once a process."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm") as file:
                _, resident, shared, *_ = file.read().split()
        except OSError:
            continue
        total += (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
    return total
