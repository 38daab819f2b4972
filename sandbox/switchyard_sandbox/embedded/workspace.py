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


@dataclass(frozen=True)
class Shared:
    """What a box lies on and never writes."""

    checkout: Path
    layer: Path | None
    """What set-up installed, `work` and `home` below it; None: no set-up."""

    def dump(self) -> str:
        """As JSON."""
        return json.dumps([str(self.checkout), str(self.layer) if self.layer else None])

    @classmethod
    def load(cls, text: str) -> Shared:
        """From JSON."""
        checkout, layer = json.loads(text)
        return cls(Path(checkout), Path(layer) if layer else None)


@dataclass(frozen=True)
class Workspace:
    """The files of one box, below its folder."""

    folder: Path
    shared: Shared
    overlay: OverlayKind | None

    @property
    def upper(self) -> Path:
        """What commands wrote in the work tree; without an overlay of root's, the whole tree."""
        return self.folder / "work"

    @property
    def home(self) -> Path:
        """What commands wrote in the home."""
        return self.folder / "home"

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
        for place in (self.upper, self.home, self._aside("work"), self._aside("home")):
            place.mkdir(mode=0o755)
            place.chmod(0o755)
            if uid is not None:
                os.chown(place, uid, uid)
        if self.overlay != "root":
            copy_tree(self.shared.checkout, self.upper, keep_owner=keep_owner)
        if self.overlay is None and self.shared.layer:
            copy_tree(self.shared.layer / "work", self.upper)
            copy_tree(self.shared.layer / "home", self.home)
        if self.overlay != "root":
            (self.folder / "stamps.json").write_text(json.dumps(take_stamps(self.upper)))
        (self.folder / "copied").write_text(str(disk_usage(str(self.upper)) if self.overlay != "root" else 0))

    def stamps(self) -> dict[str, list[int]]:
        """How the files of a copied work tree looked before the first command; empty for an overlay of root's."""
        kept = self.folder / "stamps.json"
        found: dict[str, list[int]] = json.loads(kept.read_text()) if kept.exists() else {}
        return found

    def copied_bytes(self) -> int:
        """What the box took before its first command, which no limit counts."""
        return int((self.folder / "copied").read_text())

    def mounts(self, stage: str) -> list[Mount]:
        """The work tree and the home, mounted below `stage`."""
        return [
            self._mount(f"{stage}/work", self.upper, self.work_lowers, "work"),
            self._mount(f"{stage}/home", self.home, self.home_lowers, "home"),
        ]

    def view(self, stage: str, *, pristine: bool) -> Mount:
        """The work tree to look at: as commands left it, or (`pristine`) the layers as they found them."""
        lowers = [*([] if pristine else [self.upper]), *self.work_lowers]
        target = f"{stage}/{'before' if pristine else 'after'}"
        if len(lowers) == 1:
            return Mount(target=target, source=str(lowers[0]))
        return Mount(target=target, overlay=self._options(lowers))

    def _mount(self, target: str, upper: Path, lowers: list[Path], name: str) -> Mount:
        if not lowers:
            return Mount(target=target, source=str(upper))
        return Mount(target=target, overlay=self._options(lowers, str(upper), str(self._aside(name))))

    def _options(self, lowers: list[Path], upper: str = "", work: str = "") -> str:
        plain = [str(lower) for lower in lowers]
        return staging.overlay_options(plain, upper, work, as_root=self.overlay == "root")

    def _aside(self, name: str) -> Path:
        return self.folder / f"overlay-{name}"


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
