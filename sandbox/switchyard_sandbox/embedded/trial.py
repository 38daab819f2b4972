"""A program of its own that tries what boxes need, as a box would: exit code 0 says that it works."""

from __future__ import annotations

import os
import sys
import types

if __name__ == "__main__":
    _bare = types.ModuleType("switchyard_sandbox")
    _bare.__path__ = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]  # noqa: PTH100, PTH120
    sys.modules["switchyard_sandbox"] = _bare

from switchyard_sandbox.embedded import kernel, staging

ON_DISK_ALONE = 3
"""The exit code that says: an overlay can be mounted, but not over memory."""


def try_overlay(folder: str) -> None:
    """Mount lower and upper of `folder` on its `merged`; as root, rename a directory of the lower."""
    as_root = os.getuid() == 0
    kernel.enter_private_mounts(os.getuid(), os.getgid(), as_root=as_root)
    options = staging.overlay_options([f"{folder}/lower"], f"{folder}/upper", f"{folder}/work", as_root=as_root)
    kernel.mount("overlay", f"{folder}/merged", "overlay", 0, options)
    if as_root:
        os.rename(f"{folder}/merged/inner", f"{folder}/merged/renamed")  # noqa: PTH104


def try_overlay_in_memory(folder: str) -> None:
    """The same as root, everything of it in memory; mounts are private by now."""
    if os.getuid() != 0:
        raise PermissionError("an overlay over memory takes root")
    stage = staging.choose_stage([folder, "/usr"])
    kernel.mount("tmpfs", stage, "tmpfs", 0, "size=1m")
    for name in ("lower/inner", "upper", "work", "merged"):
        os.makedirs(f"{stage}/{name}")  # noqa: PTH103
    options = staging.overlay_options([f"{stage}/lower"], f"{stage}/upper", f"{stage}/work", as_root=True)
    kernel.mount("overlay", f"{stage}/merged", "overlay", 0, options)
    os.rename(f"{stage}/merged/inner", f"{stage}/merged/renamed")  # noqa: PTH104


def try_bwrap(bwrap: str, uid: str, arguments: list[str]) -> None:
    """Start bubblewrap under the uid that boxes get (empty: ours), never as root."""
    if uid:
        stage = staging.choose_stage([bwrap, "/usr"])
        mounts, bwrap = staging.stage_bwrap(bwrap, stage)
        staging.build(stage, mounts, uid=0, gid=0, as_root=True)
        os.setgroups([])
        os.setresgid(int(uid), int(uid), int(uid))
        os.setresuid(int(uid), int(uid), int(uid))
    kernel.forgo_privileges()
    os.execve(bwrap, ["bwrap", *arguments], {})  # noqa: S606


if __name__ == "__main__":
    if sys.argv[1] == "overlay":
        try_overlay(sys.argv[2])
        try:
            try_overlay_in_memory(sys.argv[2])
        except OSError:
            sys.exit(ON_DISK_ALONE)
    else:
        try_bwrap(sys.argv[2], sys.argv[3], sys.argv[4:])
