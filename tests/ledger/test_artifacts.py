"""An artifact is there whole or not at all, under the hash of its bytes, whoever else writes it."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from switchyard.ledger import ArtifactDamaged, ArtifactMissing, ArtifactStore

PUTTER = """
import sys
from pathlib import Path
from switchyard.ledger import ArtifactStore
store = ArtifactStore(Path(sys.argv[1]))
for number in range(100):
    store.put(b"%d " % number * 10_000)
"""


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "not yet" / "artifacts")


@pytest.mark.parametrize("data", [b"", b"text\n", bytes(range(256)) * 5000])
def test_what_was_put_comes_back_under_its_hash(store: ArtifactStore, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    assert store.put(data) == f"sha256:{digest}"
    assert store.get(f"sha256:{digest}") == data
    assert store.path(f"sha256:{digest}") == store.folder / "sha256" / digest[:2] / digest


def test_the_same_bytes_twice_are_one_file_written_once(store: ArtifactStore) -> None:
    path = store.path(store.put(b"same"))
    written = path.stat()
    store.put(b"same")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_a_missing_artifact_is_named_with_its_place(store: ArtifactStore) -> None:
    reference = store.put(b"gone")
    store.path(reference).unlink()
    with pytest.raises(ArtifactMissing, match=reference) as caught:
        store.get(reference)
    assert str(store.folder) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("torn", [b"", b"whol", b"whole and more"])
def test_a_torn_artifact_is_never_handed_out(store: ArtifactStore, torn: bytes) -> None:
    reference = store.put(b"whole")
    store.path(reference).write_bytes(torn)
    with pytest.raises(ArtifactDamaged, match=reference):
        store.get(reference)


def test_putting_the_bytes_again_mends_a_torn_artifact(store: ArtifactStore) -> None:
    reference = store.put(b"whole")
    store.path(reference).write_bytes(b"whol")
    assert store.put(b"whole") == reference
    assert store.get(reference) == b"whole"


@pytest.mark.parametrize(
    "reference", ["", "sha256:", "sha256:ab", "../../etc/passwd", "sha256:../../../x", "md5:" + "0" * 64]
)
def test_what_is_no_reference_reads_no_file(store: ArtifactStore, reference: str) -> None:
    (store.folder.parent).mkdir()
    (store.folder.parent / "x").write_text("secret")
    with pytest.raises(ArtifactMissing, match="names no artifact"):
        store.get(reference)


def test_processes_that_put_the_same_bytes_at_once_leave_whole_files_and_no_litter(store: ArtifactStore) -> None:
    putters = [subprocess.Popen([sys.executable, "-c", PUTTER, str(store.folder)]) for _ in range(3)]
    assert [putter.wait(120) for putter in putters] == [0, 0, 0]
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    assert len(files) == 100
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in files)


def test_bytes_are_on_disk_before_the_name_and_the_name_before_the_reference(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, Path]] = []
    target = store.path("sha256:" + hashlib.sha256(b"data").hexdigest())
    sync = os.fsync

    def watch(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        state = "named" if target.exists() else "unnamed"
        seen.append((f"{'folder' if is_folder else 'file'} {state}", Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    store.put(b"data")
    top = store.folder.parent.parent
    assert [what for what, _ in seen] == ["folder unnamed"] * 4 + ["file unnamed", "folder named"]
    made = [top, store.folder.parent, store.folder, store.folder / "sha256"]
    assert [path for what, path in seen if what.startswith("folder")] == [*made, target.parent]


def test_a_disk_that_is_full_leaves_nothing_behind(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(b"first")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        store.put(b"first but other")
    assert [path.name for path in store.folder.rglob("*") if path.is_file()] == [hashlib.sha256(b"first").hexdigest()]
