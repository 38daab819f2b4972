"""Artifacts: anything large, kept under the hash of its bytes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from switchyard.ledger.errors import ArtifactDamaged, ArtifactMissing
from switchyard.packets import ArtifactRef


class ArtifactStore:
    """A folder of `sha256/<2>/<hex>` files; writing the same bytes twice is one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> ArtifactRef:
        """Write durably, then name it: the file and its folder are on disk when this returns."""
        digest = hashlib.sha256(data).hexdigest()
        target = self._path(digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
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
        """Where a reference's bytes lie."""
        return self._path(reference.removeprefix("sha256:"))

    def _path(self, digest: str) -> Path:
        return self.folder / "sha256" / digest[:2] / digest


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
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
