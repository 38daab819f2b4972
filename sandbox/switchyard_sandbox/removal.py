"""Throws boxes away, and deletes trees that hostile commands and overlays have left."""

from __future__ import annotations

import os

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def throw_away(box: str) -> str:
    """Move a box's folder out of sight, at once; where it lies now, to be deleted. Empty: it was gone already."""
    boxes, _, name = box.rpartition("/")
    trash = f"{os.path.dirname(boxes)}/trash"  # noqa: PTH120
    os.makedirs(trash, exist_ok=True)  # noqa: PTH103
    place = f"{trash}/{name}-{os.urandom(3).hex()}"
    try:
        os.rename(box, place)  # noqa: PTH104
    except FileNotFoundError:
        return ""
    return place


def remove_tree(folder: str) -> None:
    """Delete a tree whatever its modes and depth.

    rm and chmod walk by descriptors, so neither links nor thousands of levels lead them astray.
    """
    _run("rm", "-rf", "--one-file-system", "--", folder)
    if os.path.lexists(folder):
        _run("chmod", "-R", "u+rwx", "--", folder)
        _run("rm", "-rf", "--one-file-system", "--", folder)


def _run(*argv: str) -> None:
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    os.waitpid(os.posix_spawnp(argv[0], argv, {"PATH": _PATH}, file_actions=nowhere), 0)
