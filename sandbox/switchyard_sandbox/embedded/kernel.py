"""The kernel calls that Python 3.11 lacks: unshare, setns, mount, mount_setattr and prctl."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4
_KEPT = {8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}
"""What a remount must not lose: statvfs's flag to mount's, for noexec, noatime, nodiratime, relatime."""

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Join the namespace that a descriptor of /proc/<pid>/ns names."""
    _check(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    parts = [os.fsencode(part) if part else None for part in (source, target, kind)]
    _check(_libc.mount(*parts, ctypes.c_ulong(flags), os.fsencode(options)), f"mount {kind or 'bind'} on {target}")


def restrict_mounts(target: str, *, readonly: bool) -> None:
    """Take devices and set-uid bits from a mount and all that is mounted in it, and writing too."""
    flags = _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV | (_MOUNT_ATTR_RDONLY if readonly else 0)
    attributes = struct.pack("=QQQQ", flags, 0, 0, 0)
    call = (ctypes.c_int(_AT_FDCWD), os.fsencode(target), ctypes.c_uint(_AT_RECURSIVE), attributes, len(attributes))
    if _libc.syscall(_MOUNT_SETATTR, *call) == 0:
        return
    if ctypes.get_errno() != errno.ENOSYS:
        raise OSError(ctypes.get_errno(), f"{target} can't be restricted: {os.strerror(ctypes.get_errno())}")
    for place in _mounted_below(target):
        kept = sum(mine for theirs, mine in _KEPT.items() if os.statvfs(place).f_flag & theirs)
        mount("none", place, "", MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | kept | (MS_RDONLY if readonly else 0))


def die_with_parent(parent: int) -> None:
    """From here on, until the next change of user, our parent's end is ours; it may have come already."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose parent ends, so that all of them can be waited for."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def forgo_privileges() -> None:
    """From here on no program gains anything by its set-uid bit or file capabilities."""
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def hide_memory() -> None:
    """From here on no other process of our user may trace us, read our memory or our environment."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")


def enter_private_mounts(uid: int, gid: int, *, as_root: bool) -> None:
    """Get a mount namespace of our own, through a user namespace where we are no root."""
    if as_root:
        unshare(CLONE_NEWNS)
    else:
        unshare(CLONE_NEWUSER | CLONE_NEWNS)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def _mounted_below(target: str) -> list[str]:
    """A mount point and those in it, for kernels before 5.12."""
    with open("/proc/self/mountinfo") as file:
        places = [line.split()[4].encode().decode("unicode_escape") for line in file]
    return [place for place in places if place == target or place.startswith(f"{target}/")]


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
