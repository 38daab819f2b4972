"""The system calls that a box has no use for and an attacker has: a BPF program, assembled without any library.

Refused calls answer EPERM; clone3 answers ENOSYS, since its flags lie in memory that a filter can't read and every libc
then falls back to clone.
"""

from __future__ import annotations

import functools
import os
import struct

_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _JUMP_EQ, _JUMP_GE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH = 0, 4
NEW_NAMESPACES = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. Others are code that few tested; some, as AF_VSOCK, know no namespaces."""
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000

# name: (x86_64, aarch64); None where the architecture has no such call.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "unshare": (272, 97),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "memfd_secret": (447, 447),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "fanotify_init": (300, 262),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "modify_ldt": (154, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "create_module": (174, None),
    "get_kernel_syms": (177, None),
    "query_module": (178, None),
    "_sysctl": (156, None),
}
_CLONE, _CLONE3, _IOCTL, _SOCKET, _SOCKETPAIR = (56, 220), (435, 435), (16, 29), (41, 198), (53, 199)


def is_supported(machine: str = os.uname().machine) -> bool:
    """Whether there is a filter for this processor."""
    return machine in _ARCHITECTURES


@functools.cache
def program(machine: str = os.uname().machine) -> bytes:
    """The filter as bubblewrap takes it: an array of sock_filter."""
    column = list(_ARCHITECTURES).index(machine)
    numbers = [pair[column] for pair in REFUSED.values()]
    lines = [
        _statement(_LOAD, _ARCH),
        _jump(_JUMP_EQ, _ARCHITECTURES[machine], 1, 0),
        _statement(_RETURN, _KILL),
        _statement(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        lines += [_jump(_JUMP_GE, _X32, 0, 1), _statement(_RETURN, _ERRNO | _ENOSYS)]
    for number in numbers:
        if number is not None:
            lines += [_jump(_JUMP_EQ, number, 0, 1), _statement(_RETURN, _ERRNO | _EPERM)]
    lines += [_jump(_JUMP_EQ, _CLONE3[column], 0, 1), _statement(_RETURN, _ERRNO | _ENOSYS)]
    lines += _when_argument(_CLONE[column], 0, [(_JUMP_SET, NEW_NAMESPACES)])
    lines += _when_argument(_IOCTL[column], 1, [(_JUMP_EQ, TIOCSTI), (_JUMP_EQ, TIOCLINUX)])
    for call in (_SOCKET, _SOCKETPAIR):
        lines += _only_when_argument(call[column], 0, FAMILIES)
    return b"".join([*lines, _statement(_RETURN, _ALLOW)])


def _when_argument(number: int, position: int, tests: list[tuple[int, int]]) -> list[bytes]:
    """Refuse a call when the lower half of an argument passes one of the tests, else go on with the number loaded."""
    body = [_statement(_LOAD, 16 + 8 * position)]
    for code, value in tests:
        body += [_jump(code, value, 0, 1), _statement(_RETURN, _ERRNO | _EPERM)]
    body.append(_statement(_RETURN, _ALLOW))
    return [_jump(_JUMP_EQ, number, 0, len(body)), *body]


def _only_when_argument(number: int, position: int, values: tuple[int, ...]) -> list[bytes]:
    """Refuse a call unless the lower half of an argument is one of the values."""
    body = [_statement(_LOAD, 16 + 8 * position)]
    for value in values:
        body += [_jump(_JUMP_EQ, value, 0, 1), _statement(_RETURN, _ALLOW)]
    body.append(_statement(_RETURN, _ERRNO | _EPERM))
    return [_jump(_JUMP_EQ, number, 0, len(body)), *body]


def _statement(code: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, 0, 0, value)


def _jump(code: int, value: int, when_true: int, when_false: int) -> bytes:
    return struct.pack("<HBBI", code, when_true, when_false, value)
