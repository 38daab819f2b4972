"""Deletes trees that hostile commands and overlays have left."""

from __future__ import annotations

import os

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


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
