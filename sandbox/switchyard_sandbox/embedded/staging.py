"""Mounts what a box needs where the box's uid can reach it: below one open directory of a private namespace."""

from __future__ import annotations

import os
from collections.abc import Callable

from switchyard_sandbox.embedded import kernel
from switchyard_sandbox.embedded.job import Mount

_CANDIDATES = ("/mnt", "/media", "/srv", "/opt", "/var/tmp", "/tmp", "/home", "/run")  # noqa: S108
_PLAIN = kernel.MS_NOSUID | kernel.MS_NODEV


def choose_stage(sources: list[str]) -> str:
    """A directory to mount over: one that everybody may pass, and that hides none of the sources."""
    for candidate in _CANDIDATES:
        inside = any(os.path.realpath(source).startswith(candidate + "/") for source in sources)
        if not inside and os.path.isdir(candidate) and not os.path.islink(candidate):  # noqa: PTH112, PTH114
            return candidate
    return ""


def build(stage: str, mounts: list[Mount], *, uid: int, gid: int, as_root: bool) -> None:
    """Enter private mounts and make each of these; nothing of it is seen outside, and all of it ends with us."""
    kernel.enter_private_mounts(uid, gid, as_root=as_root)
    kernel.mount("tmpfs", stage, "tmpfs", _PLAIN, "mode=755,size=1m")
    place(mounts)


def join(pid: int, *, as_root: bool) -> None:
    """Enter a copy of another process's mounts, to add some that nobody else sees."""
    if not as_root:
        _enter(pid, "user", kernel.CLONE_NEWUSER)
    _enter(pid, "mnt", kernel.CLONE_NEWNS)
    kernel.unshare(kernel.CLONE_NEWNS)


def place(mounts: list[Mount]) -> None:
    """Make these in their order, and the folders that lead to them."""
    for item in mounts:
        _PLACE[item.kind](item)


def overlay_options(lowers: list[str], upper: str, work: str, *, as_root: bool) -> str:
    """The options of an overlay; without upper it is read-only.

    As root, directories of the lower layer can be renamed (`redirect_dir`); in a user namespace the kernel can't.
    """
    parts = ["lowerdir=" + ":".join(_escaped(lower) for lower in lowers)]
    if upper:
        parts += [f"upperdir={_escaped(upper)}", f"workdir={_escaped(work)}"]
    if as_root:
        return ",".join([*parts, "redirect_dir=on", "metacopy=off", "index=off", "xino=off"])
    return ",".join([*parts, "userxattr", "xino=off"])


def stage_bwrap(bwrap: str, stage: str) -> tuple[list[Mount], str]:
    """Bring a bubblewrap of somebody's environment, with the libraries beside it, where every uid reaches it."""
    if bwrap.startswith("/usr/"):
        return [], bwrap
    package, inner = bwrap.rsplit("/", 2)[0], "/".join(bwrap.rsplit("/", 2)[1:])
    places = [place for place in (package, package + ".libs") if os.path.isdir(place)]  # noqa: PTH112
    mounts = [Mount(kind="bind", target=f"{stage}/bwrap/{name.rpartition('/')[2]}", source=name) for name in places]
    return mounts, f"{stage}/bwrap/{package.rpartition('/')[2]}/{inner}"


def _place_bind(item: Mount) -> None:
    if os.path.isdir(item.source):  # noqa: PTH112
        os.makedirs(item.target, mode=0o755, exist_ok=True)  # noqa: PTH103
    else:
        os.makedirs(os.path.dirname(item.target), mode=0o755, exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(item.target, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o644))
    kernel.mount(item.source, item.target, "", kernel.MS_BIND | kernel.MS_REC)
    kernel.restrict_mounts(item.target, readonly=item.readonly)


def _place_bind_try(item: Mount) -> None:
    if os.path.exists(item.source):  # noqa: PTH110
        _place_bind(item)


def _place_cover(item: Mount) -> None:
    if os.path.isdir(item.target):  # noqa: PTH112
        kernel.mount("tmpfs", item.target, "tmpfs", _PLAIN | kernel.MS_RDONLY, "size=4k,mode=755")


def _place_overlay(item: Mount) -> None:
    os.makedirs(item.target, mode=0o755, exist_ok=True)  # noqa: PTH103
    kernel.mount("overlay", item.target, "overlay", _PLAIN, item.options)


def _place_tmpfs(item: Mount) -> None:
    os.makedirs(item.target, mode=0o755, exist_ok=True)  # noqa: PTH103
    kernel.mount("tmpfs", item.target, "tmpfs", _PLAIN, item.options)
    if item.readonly:
        kernel.restrict_mounts(item.target, readonly=True)


def _place_folder(item: Mount) -> None:
    os.makedirs(item.target, mode=0o755, exist_ok=True)  # noqa: PTH103
    if item.owner >= 0:
        os.chown(item.target, item.owner, item.owner)


def _place_link(item: Mount) -> None:
    os.makedirs(os.path.dirname(item.target), mode=0o755, exist_ok=True)  # noqa: PTH103, PTH120
    os.symlink(item.source, item.target)  # noqa: PTH211


def _enter(pid: int, name: str, kind: int) -> None:
    descriptor = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.setns(descriptor, kind)
    finally:
        os.close(descriptor)


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


_PLACE: dict[str, Callable[[Mount], None]] = {
    "bind": _place_bind,
    "bind-try": _place_bind_try,
    "cover": _place_cover,
    "overlay": _place_overlay,
    "tmpfs": _place_tmpfs,
    "folder": _place_folder,
    "link": _place_link,
}
