"""Artifacts: anything large, kept under the hash of its bytes."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from switchyard.ledger.errors import ArtifactDamaged, ArtifactMissing
from switchyard.packets import ArtifactRef

_REFERENCE = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class ArtifactStore:
    """A folder of `sha256/<2>/<hex>` files; writing the same bytes twice is one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> ArtifactRef:
        """Write durably, then name it: the file and its folders are on disk when this returns.

        A file of that name with other bytes in it, as a failing disk leaves it, is replaced.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self._path(digest)
        if not _holds(target, data):
            _make_durably(target.parent)
            _write_durably(target, data)
        return ArtifactRef(f"sha256:{digest}")

    def get(self, reference: str) -> bytes:
        """The bytes of a reference.

        Raises:
            ArtifactMissing: There is no such file.
            ArtifactDamaged: Its bytes do not hash to its name.
        """
        path = self.path(reference)
        try:
            data = path.read_bytes()
        except FileNotFoundError as err:
            raise ArtifactMissing(f"no artifact {reference} at {path}", hint="restore it from a backup") from err
        if hashlib.sha256(data).hexdigest() != path.name:
            raise ArtifactDamaged(f"artifact {reference} at {path} is damaged", hint="restore it from a backup")
        return data

    def path(self, reference: str) -> Path:
        """Where a reference's bytes lie.

        Raises:
            ArtifactMissing: It is no reference at all.
        """
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise ArtifactMissing(f"{reference!r} names no artifact", hint="a reference is sha256: and 64 hex digits")
        return self._path(found[1])

    def _path(self, digest: str) -> Path:
        return self.folder / "sha256" / digest[:2] / digest


def _holds(target: Path, data: bytes) -> bool:
    try:
        return target.read_bytes() == data
    except FileNotFoundError:
        return False


def _make_durably(folder: Path) -> None:
    """Make a folder and those above it; each new one's name is on disk before anything is put into it."""
    if not folder.is_dir():
        _make_durably(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _write_durably(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
