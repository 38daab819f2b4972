"""Holds a command within its limits: cgroups where there are, and a watch over what no kernel limit covers."""

from __future__ import annotations

import errno
import os
import time

from switchyard_sandbox.embedded import kernel
from switchyard_sandbox.embedded.held import held_bytes
from switchyard_sandbox.embedded.job import Group, Job
from switchyard_sandbox.embedded.procfs import children, descendants, resident_bytes

_DISK_EVERY_S = 0.5
_HIDDEN_BYTES = 1 << 60
_INODE_BYTES = 4096
"""What an empty file counts for, so that a flood of them meets the disk limit too."""


class Groups:
    """The cgroups of one box; a context manager, since they are to be gone afterwards."""

    def __init__(self, groups: list[Group]) -> None:
        self._groups = groups

    def __enter__(self) -> Groups:
        for group in self._groups:
            os.makedirs(group.path, exist_ok=True)  # noqa: PTH103
            for name, value in group.values.items():
                _set(group.path, name, value)
        return self

    def __exit__(self, *_: object) -> None:
        for path in {group.path for group in self._groups}:
            _remove(path)


class Bounds:
    """The limits of a box while one of its commands runs."""

    def __init__(self, job: Job, groups: list[Group]) -> None:
        self._job = job
        # Not at once: a look costs more than many a command.
        self._next_look = time.monotonic() + _DISK_EVERY_S
        self._held_in_memory = 0
        self._groups = [(group, _count(group)) for group in groups if group.limit]
        """What each had counted before the command: other commands of the box count there too."""

    def crossed(self, now: float) -> str:
        """The watched limit that is crossed by now, or nothing."""
        if self._job.memory_bytes:
            resident = resident_bytes(_processes())
            if resident + self._held_in_memory > self._job.memory_bytes:
                return "memory"
        if now < self._next_look:
            return ""
        used = self._used()
        # A large tree takes long to count: never spend more than a tenth of the time on it.
        self._next_look = time.monotonic() + max(_DISK_EVERY_S, 10 * (time.monotonic() - now))
        return "disk" if used > self._job.disk_bytes else ""

    def told(self) -> str:
        """The limit that a failed command met by itself, or nothing."""
        met = next((group.limit for group, before in self._groups if _count(group) > before), "")
        return met or ("disk" if self._used() > self._job.disk_bytes else "")

    def _used(self) -> int:
        on_disk, self._held_in_memory = held_bytes(_processes())
        return on_disk + sum(disk_usage(folder) for folder in self._job.watched)


def _processes() -> list[int]:
    """What runs in the box, by whichever command: below our siblings, which are children of one supervisor."""
    return [pid for sibling in children(os.getppid()) for pid in descendants(sibling)]


def disk_usage(folder: str) -> int:
    """Bytes that a tree takes on disk, at least a block for each file."""
    total, shut = _measure([folder])
    return total + _measure_apart(shut) if shut and os.getuid() != 0 else total


def _measure(waiting: list[str]) -> tuple[int, list[str]]:
    """What these folders take, and those among them and below that can't be looked into."""
    total, shut = 0, []
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    total += max(status.st_blocks * 512, _INODE_BYTES)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except PermissionError:
            shut.append(place)
        except OSError as err:
            # A path that is too long to be looked at hides what lies below: that is no honest use of a disk.
            total += _HIDDEN_BYTES if err.errno == errno.ENAMETOOLONG else 0
    return total, shut


def _measure_apart(shut: list[str]) -> int:
    """What lies below folders of ours whose modes shut us out, though not who writes there: by a child that may look.

    In a user namespace of its own it passes by the modes of its user's files.
    """
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            kernel.enter_private_mounts(os.getuid(), os.getgid(), as_root=False)
            os.write(tell, str(_measure(shut)[0]).encode())
        finally:
            os._exit(0)
    os.close(tell)
    with open(told, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    # Nothing is said where user namespaces can't be had.
    return int(said or 0)


def _set(path: str, name: str, value: str) -> None:
    """Write one setting; a leading question mark means that a kernel without it will do."""
    try:
        with open(f"{path}/{name.lstrip('?')}", "w") as file:
            file.write(value)
    except OSError:
        if not name.startswith("?"):
            raise


def _count(group: Group) -> int:
    try:
        with open(f"{group.path}/{group.events}") as file:
            rows = dict(line.split()[:2] for line in file if len(line.split()) >= 2)
    except OSError:
        return 0
    return int(rows.get(group.counter, "0"))


def _remove(path: str) -> None:
    for _ in range(100):
        try:
            os.rmdir(path)  # noqa: PTH106
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)
        else:
            return
