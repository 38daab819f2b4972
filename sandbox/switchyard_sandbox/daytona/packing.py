"""Runs in a box: packs what differs of its work tree into one file, in a form that the host reads without trust.

Records, one after another: a line of JSON (path, kind, size, executable) and as many bytes. What is untouched is named
only, and only where git tracks it; of set-up's own files nothing is told.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import BinaryIO, TypedDict

from switchyard_sandbox.daytona.layout import STAMPS, Stamp, stamp
from switchyard_sandbox.embedded.locking import hold

FILE, LINK, SPECIAL, SAME, FOLDER = "file", "link", "special", "same", "folder"
LARGE, UNREADABLE = "large", "unreadable"
"""Both without content: more than the host takes, and what no path reaches."""
_PIECE = 1 << 20
_DEEPEST = 203
"""A little deeper than the host looks, so that it sees that there is more."""


class Pack(TypedDict):
    """What the host asks for. Paths are the box's."""

    base: str
    work: str
    target: str
    lock: str
    """Held by running commands."""
    largest: int
    """Bytes of a file beyond which its content stays."""
    most: int
    """Bytes beyond which that holds for every file: one with holes takes more in a pack than on a disk."""


def pack_tree(asked: Pack) -> dict[str, int]:
    """Write the pack; returns its size in bytes."""
    stamps: dict[str, Stamp] = json.loads(Path(asked["base"], STAMPS).read_text())
    with hold(asked["lock"]), open(asked["target"], "wb") as target:
        _pack_folders(asked, target, stamps)
        return {"size": target.tell()}


def _pack_folders(asked: Pack, target: BinaryIO, stamps: dict[str, Stamp]) -> None:
    """Every folder, without recursion: no depth shall stop it."""
    waiting = [(os.fsencode(asked["work"]), b"")]
    while waiting:
        place, inner = waiting.pop()
        try:
            os.chmod(place, os.lstat(place).st_mode | 0o700)  # noqa: PTH101
            with os.scandir(place) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            _record(target, inner.rstrip(b"/"), UNREADABLE)
            continue
        for entry in found:
            path = inner + entry.name
            if path == b".git":
                continue
            if not entry.is_dir(follow_symlinks=False):
                _pack_entry(entry, path, target, stamps, asked)
            else:
                _record(target, path, FOLDER)
                if entry.name != b".git" and path.count(b"/") < _DEEPEST:
                    waiting.append((entry.path, path + b"/"))


def _pack_entry(
    entry: os.DirEntry[bytes], path: bytes, target: BinaryIO, stamps: dict[str, Stamp], asked: Pack
) -> None:
    status = entry.stat(follow_symlinks=False)
    *before, tracked = stamps.get(os.fsdecode(path)) or [0]
    is_link = stat.S_ISLNK(status.st_mode)
    if before == stamp(status) and not tracked:
        return
    if is_link:
        _record(target, path, LINK, os.readlink(entry.path))  # noqa: PTH115
    elif before == stamp(status):
        _record(target, path, SAME)
    elif not stat.S_ISREG(status.st_mode):
        _record(target, path, SPECIAL)
    elif status.st_size > asked["largest"] or target.tell() + status.st_size > asked["most"]:
        _record(target, path, LARGE, size=status.st_size)
    else:
        _pack_file(entry, path, target, status)


def _pack_file(entry: os.DirEntry[bytes], path: bytes, target: BinaryIO, status: os.stat_result) -> None:
    os.chmod(entry.path, status.st_mode | stat.S_IRUSR)  # noqa: PTH101
    with open(entry.path, "rb") as given:
        _record(target, path, FILE, size=status.st_size, executable=bool(status.st_mode & stat.S_IXUSR))
        left = status.st_size
        while left and (piece := given.read(min(left, _PIECE))):
            target.write(piece)
            left -= len(piece)
        target.write(bytes(left))


def _record(
    target: BinaryIO, path: bytes, kind: str, content: bytes = b"", *, size: int = 0, executable: bool = False
) -> None:
    head = {"path": os.fsdecode(path), "kind": kind, "size": size or len(content), "executable": executable}
    target.write(json.dumps(head).encode() + b"\n" + content)
