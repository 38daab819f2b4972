"""Unpacks an archive that a box may have shaped to its liking: nothing of it leads out of the folder or blocks us.

Directories and files are made as they come, symbolic links last, so that nothing is ever written through one. What is
as it was before the first command is not made at all: whoever surveys the tree is told its name.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from switchyard_sandbox.contract import SandboxError
from switchyard_sandbox.surveying import CAP_BYTES, HOLLOW_BYTES

_PIECE = 1 << 20
_DEEPEST = 220
"""Deeper than a survey goes, so that it is the survey that says so."""
_MOST_MEMBERS = 4_000_000
_MOST_BYTES = 64 << 30
"""Of one member that is all data: to skip over more than was ever sent would take the library for ever."""


@dataclass
class Unpacked:
    """What came out, beside the files themselves."""

    untouched: list[str] = field(default_factory=list)
    """Files that are the same as they were, and were not made here."""
    refused: dict[str, str] = field(default_factory=dict)
    """Members that no honest archive of a tree holds, or that this machine can't hold, and why."""


def unpack(
    archive: BinaryIO,
    target: Path,
    pristine: Sequence[Path],
    left_out: Callable[[], Sequence[str]] = list,
    anew: Collection[str] = (),
) -> Unpacked:
    """Write an archive of `.` into an empty folder.

    Args:
        pristine: Folders that the box's tree was copied from, topmost first; files that are still the same are left
            out, and named.
        left_out: Members that an archive can't hold, such as sockets; asked for once it was read.
        anew: Files that are made even if they are the same.

    Raises:
        SandboxError: It is no archive, or names something twice: nobody but an attacker makes such a one.
    """
    unpacker = _Unpacker(target, pristine, frozenset(anew))
    try:
        # Names are bytes there, and stay what they are.
        with tarfile.open(fileobj=archive, mode="r|", encoding="utf-8", errors="surrogateescape") as members:
            for number, member in enumerate(members):
                if number >= _MOST_MEMBERS:
                    raise SandboxError(
                        f"the box holds more than {_MOST_MEMBERS} files", hint="remove what is not needed"
                    )
                if member.size > _MOST_BYTES and not member.issparse():
                    raise SandboxError(f"{member.name!r} holds {member.size} bytes", hint="destroy the box")
                unpacker.take(members, member)
                # The library would keep each of them, to look back.
                members.members = []  # type: ignore[attr-defined]
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as err:
        raise SandboxError(f"what came out of the box is no archive: {err}", hint="is its tar GNU tar?") from err
    unpacker.finish(left_out())
    return unpacker.unpacked


class _Unpacker:
    def __init__(self, target: Path, pristine: Sequence[Path], anew: frozenset[str]) -> None:
        self._target, self._pristine, self._anew = target, pristine, anew
        self._untouched: set[str] = set()
        self._links: dict[str, str] = {}
        self._plain: dict[Path, bool] = {}
        self._hollow_bytes = 0
        self.unpacked = Unpacked()

    def take(self, archive: tarfile.TarFile | None, member: tarfile.TarInfo) -> None:
        path = _inner(member.name)
        if path == "":
            return
        if path is None or member.islnk():
            self.unpacked.refused[member.name] = "a name or a hard link that leads out of its archive"
            return
        if path.count("/") >= _DEEPEST:
            return
        try:
            if path in self._untouched:
                raise FileExistsError(path)
            self._make(archive, member, path)
        except (FileExistsError, NotADirectoryError) as err:
            raise SandboxError(f"what came out of the box names {path!r} twice", hint="destroy the box") from err
        except OSError as err:
            self.unpacked.refused[path] = f"it could not be copied: {err.strerror}"

    def finish(self, left_out: Sequence[str]) -> None:
        """Make what stands for members that were left out, then the links, when nothing is written any more."""
        for name in left_out:
            member = tarfile.TarInfo(name)
            member.type = tarfile.FIFOTYPE
            self.take(None, member)
        for path, target in self._links.items():
            try:
                (self._target / path).symlink_to(target)
            except (FileExistsError, NotADirectoryError) as err:
                raise SandboxError(f"what came out of the box names {path!r} twice", hint="destroy the box") from err
            except OSError as err:
                self.unpacked.refused[path] = f"it could not be copied: {err.strerror}"

    def _make(self, archive: tarfile.TarFile | None, member: tarfile.TarInfo, path: str) -> None:
        place = self._target / path
        if member.isdir():
            place.mkdir()
        elif member.issym():
            self._links[path] = member.linkname
        elif not member.isreg():
            os.mkfifo(place)
        elif self._is_too_large(member):
            # Of its size, as the survey will say; empty, so that it costs nothing.
            with place.open("xb") as file:
                file.truncate(min(max(member.size, CAP_BYTES + 1), CAP_BYTES << 10))
        elif archive is not None:
            self._copy(archive, member, path, place)

    def _is_too_large(self, member: tarfile.TarInfo) -> bool:
        """Whether a file is more than is carried out; holes, which took nothing in the box, add up."""
        # Where the data of a file with holes lies, and how much; it is bytes only while the header is being read.
        spans = cast("list[tuple[int, int]]", member.sparse)
        hollow = member.size - sum(size for _, size in spans) if member.issparse() else 0
        if member.size > CAP_BYTES or (hollow and self._hollow_bytes + hollow > HOLLOW_BYTES):
            return True
        self._hollow_bytes += hollow
        return False

    def _copy(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, place: Path) -> None:
        source = archive.extractfile(member)
        assert source is not None
        original = None if path in self._anew else self._original(path, member)
        content = source.read() if original is not None or member.size <= _PIECE else None
        if original is not None and content == original.read_bytes():
            if os.path.lexists(place):
                raise FileExistsError(path)
            self._untouched.add(path)
            self.unpacked.untouched.append(path)
            return
        with place.open("xb") as file:
            if content is not None:
                file.write(content)
            while content is None and (piece := source.read(_PIECE)):
                file.write(piece)
        place.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
        os.utime(place, (member.mtime, member.mtime))

    def _original(self, path: str, member: tarfile.TarInfo) -> Path | None:
        """The file that the box's was copied from, if it may still be the same."""
        for folder in self._pristine:
            place = folder / path
            try:
                status = place.lstat()
            except OSError:
                continue
            if not self._is_plain(place.parent):
                continue
            same = stat.S_ISREG(status.st_mode) and status.st_size == member.size
            return place if same and (status.st_mode ^ member.mode) & stat.S_IXUSR == 0 else None
        return None

    def _is_plain(self, folder: Path) -> bool:
        """Whether no link leads there: what lies behind one is a file of this machine, and nothing to compare with."""
        if folder not in self._plain:
            self._plain[folder] = folder.resolve() == folder
        return self._plain[folder]


def _inner(name: str) -> str | None:
    """A member's path in the tree; empty: the tree itself; None: it is none."""
    if name in (".", "./"):
        return ""
    path = name.removeprefix("./").rstrip("/")
    leads_out = name.startswith("/") or any(part in ("", ".", "..") or "\0" in part for part in path.split("/"))
    return None if leads_out else path
