"""Programs and tools of the host inside a box: mounts at one fixed place, and their commands on PATH."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import HostTool, Program

PLACE = "/opt/switchyard"
"""Where the environment stands in a box that isolates."""

_FOLDER, _LIST = "programs", "programs.json"
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_PACKAGES = f"lib/{_VERSION}/site-packages"
_OWN = ("/home/agent", "/tmp", "/run", "/workspace", "/switchyard", PLACE)  # noqa: S108
"""What belongs to the box: nothing of the host's is mounted over it."""


@dataclass(frozen=True)
class Installation:
    """What a box has of the host's programs."""

    folder: Path
    """The skeleton that stands at PLACE, with a mount point for everything else."""
    inner: tuple[tuple[str, str], ...]
    """(what of the host, where below PLACE)"""
    outer: tuple[str, ...]
    """Files that stand where they stand on the host."""
    covered: tuple[str, ...]
    """Folders below PLACE that are hidden: what else is installed on the host is nobody's business."""


def install(box: Path, programs: Sequence[Program | HostTool]) -> None:
    """Write a box's skeleton and the list of its mounts; without programs nothing."""
    if not programs:
        return
    folder = box / _FOLDER
    home, inner, outer, covered = _interpreter()
    # Two programs may share packages.
    inner = list(dict.fromkeys([*inner, *(mount for program in programs for mount in _mounts(program))]))
    for source, place in inner:
        _make_mount_point(folder / place, is_folder=Path(source).is_dir())
    _write(folder / "pyvenv.cfg", f"home = {home}\ninclude-system-site-packages = false\n")
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "python").symlink_to(f"{home}/{_executable().name}")
    places = {place for _, place in inner}
    for program in programs:
        if isinstance(program, HostTool):
            _link_tool(folder, program, f"{PLACE}/tools/{program.name}")
            continue
        data = f"{PLACE}/data/{program.name}" if f"data/{program.name}" in places else ""
        _write_launcher(folder, program, f"{PLACE}/bin/python", data)
    _open_to_all(folder)
    (box / _LIST).write_text(json.dumps([inner, outer, covered]))


def installation(box: Path) -> Installation | None:
    """What `install` left for a box; None: it has no programs."""
    try:
        inner, outer, covered = json.loads((box / _LIST).read_text())
    except FileNotFoundError:
        return None
    # An installation that is changed while boxes live may break its programs, but no box.
    pairs = tuple((source, place) for source, place in inner if Path(source).exists())
    places = {place for _, place in pairs}
    hidden = [place for place in covered if any(place.startswith(f"{other}/") for other in places)]
    return Installation(box / _FOLDER, pairs, tuple(name for name in outer if Path(name).exists()), tuple(hidden))


def link(box: Path, programs: Sequence[Program | HostTool]) -> None:
    """The same for a box that isolates nothing: the commands alone, on the interpreter as it stands."""
    for program in programs:
        if isinstance(program, HostTool):
            _link_tool(box / _FOLDER, program, str(program.root))
            continue
        data = str(program.data) if program.data is not None and program.data.is_dir() else ""
        _write_launcher(box / _FOLDER, program, sys.executable, data)


def linked_folder(box: Path) -> str:
    """What `link` adds to PATH; empty: nothing."""
    folder = box / _FOLDER / "bin"
    return str(folder) if folder.is_dir() else ""


def _mounts(program: Program | HostTool) -> list[tuple[str, str]]:
    if isinstance(program, HostTool):
        return [(str(program.root), f"tools/{program.name}")]
    found = [(str(package), f"{_PACKAGES}/{package.name}") for package in program.packages]
    if program.data is not None and program.data.is_dir():
        found.append((str(program.data), f"data/{program.name}"))
    return found


def _interpreter() -> tuple[str, list[tuple[str, str]], list[str], list[str]]:
    """The folder of the interpreter as the box sees it, its mounts, and what of it is hidden."""
    executable = _executable()
    if executable.is_relative_to("/usr"):
        return str(executable.parent), [], [], []
    base = Path(sys.base_prefix)
    folders = [name for name in dict.fromkeys(("lib", sys.platlibdir)) if (base / name).is_dir()]
    inner = [(str(executable), f"python/bin/{executable.name}"), *((str(base / n), f"python/{n}") for n in folders)]
    hidden = [f"python/{name}/{_VERSION}/site-packages" for name in folders]
    covered = [place for place in hidden if (base / place.removeprefix("python/")).is_dir()]
    return f"{PLACE}/python/bin", inner, _own_library(base), covered


def _own_library(base: Path) -> list[str]:
    """The interpreter's shared library: some builds look for it at its absolute path alone."""
    names = base.glob(f"lib/lib{_VERSION}.so.*")
    return [str(name) for name in names if not any(name.is_relative_to(own) for own in _OWN)]


def _executable() -> Path:
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _make_mount_point(place: Path, *, is_folder: bool) -> None:
    (place if is_folder else place.parent).mkdir(parents=True, exist_ok=True)
    if not is_folder:
        place.touch()


def _write_launcher(folder: Path, program: Program, python: str, data: str) -> None:
    variable = f"{program.name.upper()}_DATA={shlex.quote(data)} " if data else ""
    # -I: neither the work tree nor a variable can put a module of its own before ours.
    script = f'#!/bin/sh\n{variable}exec {shlex.quote(python)} -I -m {program.module} "$@"\n'
    place = folder / "bin" / program.name
    place.parent.mkdir(parents=True, exist_ok=True)
    _write(place, script)
    place.chmod(0o755)


def _link_tool(folder: Path, tool: HostTool, root: str) -> None:
    place = folder / "bin" / tool.name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(f"{root}/{tool.entry}" if tool.entry else root)


def _write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def _open_to_all(folder: Path) -> None:
    """The box's user is not ours, and our umask may keep others out."""
    for place in (folder, *folder.rglob("*")):
        if not place.is_symlink():
            place.chmod(0o755)
