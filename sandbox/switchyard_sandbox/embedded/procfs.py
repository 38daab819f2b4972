"""What /proc tells of processes: identity that survives the reuse of a pid, and descendants with their memory."""

from __future__ import annotations

import os


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


def resident_bytes(root: int) -> int:
    """The memory that a process and all its descendants hold."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            with open(f"/proc/{pid}/statm") as file:
                _, resident, shared, *_ = file.read().split()
            # Shared pages would count once a process.
            total += (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
            for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    waiting += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return total
