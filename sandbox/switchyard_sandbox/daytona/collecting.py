"""Code out of a box: unpacks what it packed into a folder of the host, which then is surveyed like any box's tree.

Everything here was written by whatever ran in the box. Paths are taken apart and held to plain names, links are made
last so that none is ever walked through, and sizes are held to what was promised.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from switchyard_sandbox.contract import Finding, Limits, SandboxError
from switchyard_sandbox.daytona import packing
from switchyard_sandbox.daytona.packing import Pack
from switchyard_sandbox.daytona.remote import Remote
from switchyard_sandbox.surveying import CAP_BYTES

_LONGEST_HEAD = 64 << 10
_MOST_RECORDS = 5_000_000
_PIECE = 1 << 20
_PACK_S = 1800.0
_DEEPEST = 256


@dataclass
class Unpacked:
    """A box's tree on the host: changed files whole, untouched ones by name alone."""

    tree: Path
    untouched: set[str] = field(default_factory=set)
    """These files are as commands found them, and were not made here."""
    findings: list[Finding] = field(default_factory=list)
    _links: dict[str, bytes] = field(default_factory=dict)

    def take(self, head: dict[str, object], pack: BinaryIO) -> None:
        """One record.

        Raises:
            SandboxError: It is none that an honest pack holds.
        """
        path, kind, size = head.get("path"), head.get("kind"), head.get("size")
        if not isinstance(path, str) or not isinstance(size, int) or size < 0 or not _is_plain(path):
            raise _malformed(f"{str(path)[:200]!r} is no path in a tree")
        try:
            self._place(path, str(kind), size, head.get("executable") is True, pack)
        except (OSError, UnicodeError) as err:
            raise _malformed(f"{path[:200]!r} can't be placed: {err}") from err

    def finish(self) -> None:
        """Make the links, once nothing can be written through them any more.

        Raises:
            SandboxError: A name is taken.
        """
        for path, target in self._links.items():
            try:
                (self.tree / path).symlink_to(os.fsdecode(target))
            except (OSError, ValueError) as err:
                raise _malformed(f"the link {path[:200]!r} can't be made: {err}") from err
        for path in self.untouched:
            if os.path.lexists(self.tree / path):
                raise _malformed(f"{path[:200]!r} is there twice, or is a file and a folder")

    def _place(self, path: str, kind: str, size: int, executable: bool, pack: BinaryIO) -> None:
        place = self.tree / path
        if kind != packing.UNREADABLE:
            place.parent.mkdir(parents=True, exist_ok=True)
        match kind:
            case packing.FILE:
                _copy(pack, place, size, 0o755 if executable else 0o644)
            case packing.LINK:
                if size > _LONGEST_HEAD:
                    raise _malformed(f"the link {path[:200]!r} is {size} bytes long")
                self._links[path] = _read(pack, size)
            case packing.SAME:
                self.untouched.add(path)
            case packing.LARGE:
                place.touch(0o644, exist_ok=False)
                os.truncate(place, max(size, CAP_BYTES + 1))
            case packing.SPECIAL:
                os.mkfifo(place)
            case packing.FOLDER:
                place.mkdir(exist_ok=True)
            case packing.UNREADABLE:
                self.findings.append(Finding(path, kind, "its depth or its mode forbids to read it", refused=True))
            case _:
                raise _malformed(f"{kind[:50]!r} is no kind of record")


def unpack(pack: Path, tree: Path) -> Unpacked:
    """Lay a pack out below `tree`, an absent folder.

    Raises:
        SandboxError: The pack is not what an honest box writes; nothing of it may be used.
    """
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    unpacked = Unpacked(tree)
    with pack.open("rb") as records:
        for _ in range(_MOST_RECORDS):
            line = records.readline(_LONGEST_HEAD)
            if not line:
                unpacked.finish()
                return unpacked
            unpacked.take(_head(line), records)
    raise _malformed(f"it has more than {_MOST_RECORDS} records")


def bring_out(remote: Remote, spool: Path, limits: Limits) -> Unpacked:
    """Let the box pack its tree, and unpack it below `spool`.

    Raises:
        SandboxError: The pack can't be had, or is malformed.
    """
    place = remote.place
    request, target = f"{place.base}/pack.json", f"{place.base}/tree.pack"
    asked = Pack(
        base=place.base,
        work=place.work,
        target=target,
        lock=place.lock,
        largest=CAP_BYTES,
        most=(limits.disk_mb << 20) + CAP_BYTES,
    )
    remote.upload({request: json.dumps(asked).encode()})
    remote.ask("pack", request, timeout_s=_PACK_S)
    pack = spool / "tree.pack"
    remote.download(target, pack)
    return unpack(pack, spool / "tree")


def _head(line: bytes) -> dict[str, object]:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise _malformed(f"a record begins with {line[:80]!r}") from err
    if not isinstance(head, dict):
        raise _malformed(f"a record begins with {line[:80]!r}")
    return head


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    plain = "\0" not in path and not any(part in ("", ".", "..") for part in parts) and parts[0] != ".git"
    return plain and len(parts) <= _DEEPEST


def _copy(pack: BinaryIO, place: Path, size: int, mode: int) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as target:
        while size:
            piece = _read(pack, min(size, _PIECE))
            target.write(piece)
            size -= len(piece)
    place.chmod(mode)


def _read(pack: BinaryIO, size: int) -> bytes:
    data = pack.read(size)
    if len(data) != size:
        raise _malformed("it ends in the middle of a record")
    return data


def _malformed(why: str) -> SandboxError:
    return SandboxError(
        f"a box's tree came out malformed: {why}", hint="nothing of it was used; something in the box meddled with it"
    )
