"""Mounts what a box needs where the box's uid can reach it: below one open directory of a private namespace."""

from __future__ import annotations

import os

from switchyard_sandbox.embedded import kernel
from switchyard_sandbox.embedded.job import Mount

_CANDIDATES = ("/mnt", "/media", "/srv", "/opt", "/var/tmp", "/tmp", "/home", "/run")  # noqa: S108


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
    kernel.mount("tmpfs", stage, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,size=1m")
    for item in mounts:
        is_file = bool(item.source) and not os.path.isdir(item.source)  # noqa: PTH112
        if is_file:
            os.close(os.open(item.target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
        else:
            os.makedirs(item.target, mode=0o755, exist_ok=True)  # noqa: PTH103
        if item.overlay:
            kernel.mount("overlay", item.target, "overlay", kernel.MS_NOSUID | kernel.MS_NODEV, item.overlay)
        else:
            kernel.mount(item.source, item.target, "", kernel.MS_BIND)


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
    mounts = [Mount(target=f"{stage}/bwrap/{place.rpartition('/')[2]}", source=place) for place in places]
    return mounts, f"{stage}/bwrap/{package.rpartition('/')[2]}/{inner}"


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
