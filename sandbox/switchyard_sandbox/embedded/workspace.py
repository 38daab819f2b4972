"""A box's own files: the work tree and the home that commands write to, on top of what boxes share.

Three ways, the cheapest that the machine allows. Root mounts an overlay over the shared checkout. Without root the
kernel can't rename directories of an overlay's lower layer, so the checkout is copied, and only what set-up installed
lies below. Where no overlay can be mounted at all, that is copied too.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import SandboxError
from switchyard_sandbox.embedded import staging
from switchyard_sandbox.embedded.bounds import disk_usage
from switchyard_sandbox.embedded.job import Mount
from switchyard_sandbox.embedded.machine import OverlayKind
from switchyard_sandbox.launch import run

_COPY_S = 1800.0
_STAMPS, _COPIED = "stamps.json", "copied"
_INODES_PER_MB = 256
"""As the disk's watch counts: a file takes a block at least."""


@dataclass(frozen=True)
class Shared:
    """What a box lies on and never writes."""

    checkout: Path
    layer: Path | None
    """What set-up installed, `work` and `home` below it; None: no set-up."""


@dataclass(frozen=True)
class Workspace:
    """The files of one box: below its folder, or in memory below its stage."""

    folder: Path
    shared: Shared
    overlay: OverlayKind | None
    memory: str = ""
    """Where a file system in memory is mounted for what commands write; empty: that lies on disk."""

    @property
    def upper(self) -> Path:
        """What commands wrote in the work tree; without an overlay of root's, the whole tree."""
        return self._place("work")

    @property
    def home(self) -> Path:
        """What commands wrote in the home."""
        return self._place("home")

    @property
    def work_lowers(self) -> list[Path]:
        """The layers below the work tree, topmost first; empty: it is a plain directory."""
        layer = [self.shared.layer / "work"] if self.shared.layer and self.overlay else []
        return [*layer, self.shared.checkout] if self.overlay == "root" else layer

    @property
    def home_lowers(self) -> list[Path]:
        """The layers below the home."""
        return [self.shared.layer / "home"] if self.shared.layer and self.overlay else []

    def prepare(self, uid: int | None, *, keep_owner: bool = True) -> None:
        """Make the directories, and the copies where copies are needed."""
        if not self.memory:
            self.make_places(uid)
        if self.overlay == "root":
            return
        copy_tree(self.shared.checkout, self.upper, keep_owner=keep_owner)
        if self.overlay is None and self.shared.layer:
            copy_tree(self.shared.layer / "work", self.upper)
            copy_tree(self.shared.layer / "home", self.home)
        self.remember()

    def make_places(self, uid: int | None) -> None:
        """Make the empty directories that commands will write to."""
        for place in self._places():
            place.mkdir(mode=0o755)
            place.chmod(0o755)
            if uid is not None:
                os.chown(place, uid, uid)

    def remember(self) -> None:
        """Write down how the copied files look and what they take, before any command may change them."""
        (self.folder / _STAMPS).write_text(json.dumps(take_stamps(self.upper)))
        (self.folder / _COPIED).write_text(str(disk_usage(str(self.upper))))

    def stamps(self) -> dict[str, list[int]]:
        """How the files of a copied work tree looked before the first command; empty for an overlay of root's."""
        if self.overlay == "root":
            return {}
        found: dict[str, list[int]] = json.loads((self.folder / _STAMPS).read_text())
        return found

    def copied_bytes(self) -> int:
        """What the box took before its first command, which no limit counts."""
        return 0 if self.overlay == "root" else int((self.folder / _COPIED).read_text())

    def mounts(self, work: str, home: str, uid: int | None, size_mb: int) -> list[Mount]:
        """The work tree and the home, mounted there."""
        return [
            *(self._in_memory(uid, size_mb) if self.memory else []),
            self._mount(work, self.upper, self.work_lowers, "work"),
            self._mount(home, self.home, self.home_lowers, "home"),
        ]

    def before(self, target: str) -> Mount:
        """The layers of the work tree as commands found them, to look at."""
        if len(self.work_lowers) == 1:
            return Mount(kind="bind", target=target, source=str(self.work_lowers[0]), readonly=True)
        return Mount(kind="overlay", target=target, options=self._options(self.work_lowers))

    def _in_memory(self, uid: int | None, size_mb: int) -> list[Mount]:
        options = f"size={size_mb}m,nr_inodes={size_mb * _INODES_PER_MB},mode=755"
        owner = -1 if uid is None else uid
        folders = [Mount(kind="folder", target=str(place), owner=owner) for place in self._places()]
        return [Mount(kind="tmpfs", target=self.memory, options=options), *folders]

    def _mount(self, target: str, upper: Path, lowers: list[Path], name: str) -> Mount:
        if not lowers:
            return Mount(kind="bind", target=target, source=str(upper))
        options = self._options(lowers, str(upper), str(self._place(f"overlay-{name}")))
        return Mount(kind="overlay", target=target, options=options)

    def _options(self, lowers: list[Path], upper: str = "", work: str = "") -> str:
        plain = [str(lower) for lower in lowers]
        return staging.overlay_options(plain, upper, work, as_root=self.overlay == "root")

    def _places(self) -> list[Path]:
        aside = [
            f"overlay-{name}" for name, lowers in (("work", self.work_lowers), ("home", self.home_lowers)) if lowers
        ]
        return [self._place(name) for name in ("work", "home", *aside)]

    def _place(self, name: str) -> Path:
        return (Path(self.memory) if self.memory else self.folder) / name


def copy_tree(source: Path, target: Path, *, keep_owner: bool = True) -> None:
    """Copy what is in a directory into another, sharing blocks where the file system can.

    Raises:
        SandboxError: It could not be copied.
    """
    kept = "mode,timestamps,links" + (",ownership" if keep_owner else "")
    argv = ("cp", "-R", "--no-dereference", f"--preserve={kept}", "--reflink=auto", "--", f"{source}/.", str(target))
    result = run(argv, cwd=Path("/"), timeout_s=_COPY_S)
    if result.code:
        said = result.stderr.decode("utf-8", "replace").strip()
        raise SandboxError(f"{source} could not be copied to {target}: {said}", hint="check the free space there")


def take_stamps(tree: Path) -> dict[str, list[int]]:
    """What tells an untouched file: inode, change time, size and mode. No command in a box can forge that time."""
    found: dict[str, list[int]] = {}
    for folder, _, files, descriptor in os.fwalk(tree):
        inner = os.path.relpath(folder, tree)
        if inner == ".git" or inner.startswith(".git/"):
            continue
        for name in files:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            path = name if inner == "." else f"{inner}/{name}"
            found[path] = [status.st_ino, status.st_ctime_ns, status.st_size, status.st_mode]
    return found
