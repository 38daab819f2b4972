"""Archives that a hostile box may send instead of its tree (H10): none leads out of the folder, or costs more."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchyard_sandbox import SandboxError
from switchyard_sandbox.docker.unpacking import unpack


@pytest.fixture
def target(tmp_path: Path) -> Path:
    place = tmp_path / "inside" / "target"
    place.mkdir(parents=True)
    return place


def member(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size, made.mode = kind, link, size, 0o644
    return made


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as made:
        for info, content in members:
            info.size = info.size or len(content)
            made.addfile(info, io.BytesIO(content))
    file.seek(0)
    return file


def listing(folder: Path) -> set[str]:
    return {str(place.relative_to(folder)) for place in folder.rglob("*")}


@pytest.mark.parametrize("name", ["../out", "/etc/out", "./a/../../out", "..", "a/./b", "a//b"])
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written(target: Path, name: str) -> None:
    unpacked = unpack(archive((member(name), b"x")), target, [])
    assert list(unpacked.refused) == [name]
    assert listing(target.parent.parent) == {"inside", "inside/target"}


def test_a_hard_link_is_refused_wherever_it_leads(target: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    links = [
        (member(f"l{i}", tarfile.LNKTYPE, link=to), b"") for i, to in enumerate(["../../secret", "/etc/passwd", "a"])
    ]
    unpacked = unpack(archive((member("a"), b"x"), *links), target, [])
    assert sorted(unpacked.refused) == ["l0", "l1", "l2"]
    assert listing(target) == {"a"}


def test_nothing_is_written_through_a_link(target: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for members in (
        [(member("d", tarfile.SYMTYPE, link=str(outside)), b""), (member("d/x"), b"x")],
        [(member("f", tarfile.SYMTYPE, link=str(outside / "y")), b""), (member("f"), b"x")],
    ):
        try:
            unpack(archive(*members), target, [])
        except SandboxError:
            continue
    assert listing(outside) == set()


def test_a_link_is_made_as_it_was_and_not_followed(target: Path) -> None:
    unpack(archive((member("l", tarfile.SYMTYPE, link="/etc/passwd"), b""), (member("a"), b"x")), target, [])
    assert (target / "l").readlink() == Path("/etc/passwd")
    assert (target / "a").read_bytes() == b"x"


def test_a_name_that_comes_twice_ends_it(target: Path) -> None:
    with pytest.raises(SandboxError, match="twice"):
        unpack(archive((member("a"), b"1"), (member("a"), b"2")), target, [])


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_what_is_no_file_is_a_pipe_that_nobody_opens(target: Path, kind: bytes) -> None:
    unpack(archive((member("dev", kind), b"")), target, [])
    assert (target / "dev").is_fifo()


def test_a_file_beyond_the_cap_costs_nothing(target: Path, tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    packed = subprocess.run(["tar", "-cSf", "-", "./huge"], cwd=tmp_path, capture_output=True, check=True).stdout
    unpack(io.BytesIO(packed), target, [])
    status = (target / "huge").stat()
    assert (status.st_size > 100 << 20, status.st_blocks) == (True, 0)


def test_content_that_was_announced_but_can_never_have_been_sent_ends_it(target: Path) -> None:
    with pytest.raises(SandboxError, match="1099511627776 bytes"):
        unpack(io.BytesIO(member("huge", size=1 << 40).tobuf(tarfile.GNU_FORMAT)), target, [])


def test_what_is_no_archive_is_an_error_of_ours(target: Path) -> None:
    with pytest.raises(SandboxError, match="no archive"):
        unpack(io.BytesIO(b"hello" * 1000), target, [])


def test_names_are_bytes(target: Path) -> None:
    unpack(archive((member("caf\udce9 \n"), b"x")), target, [])
    assert [os.fsencode(place.name) for place in target.iterdir()] == [b"caf\xe9 \n"]


def test_what_is_as_it_was_is_named_and_not_copied(target: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for name in ("same", "content", "mode"):
        (before / name).write_text("same")
        (before / name).chmod(0o644)
    changed = member("mode")
    changed.mode = 0o755
    given = archive((member("same"), b"same"), (member("content"), b"SAME"), (changed, b"same"))
    unpacked = unpack(given, target, [before])
    assert unpacked.untouched == ["same"]
    assert not (target / "same").exists()
    assert ((target / "content").read_text(), (target / "mode").read_text()) == ("SAME", "same")


@pytest.mark.parametrize("contents", [(b"same", b"other"), (b"other", b"same"), (b"same", b"same")])
def test_what_is_as_it_was_cannot_come_twice_either(target: Path, tmp_path: Path, contents: tuple[bytes, ...]) -> None:
    (tmp_path / "a").write_text("same")
    (tmp_path / "a").chmod(0o644)
    with pytest.raises(SandboxError, match="twice"):
        unpack(archive(*((member("a"), content) for content in contents)), target, [tmp_path])


def test_no_file_of_this_machine_is_compared_with_through_a_link(target: Path, tmp_path: Path) -> None:
    before, outside = tmp_path / "before", tmp_path / "outside"
    before.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("guess")
    (before / "d").symlink_to(outside)
    unpacked = unpack(archive((member("d", tarfile.DIRTYPE), b""), (member("d/secret"), b"guess")), target, [before])
    assert unpacked.untouched == []


_NAMES = st.text(st.sampled_from("ab./\\ \n-é"), min_size=1, max_size=12)
_KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])


@given(st.lists(st.tuples(_NAMES, _KINDS, _NAMES), max_size=8))
def test_whatever_comes_nothing_outside_changes(members: list[tuple[str, bytes, str]]) -> None:
    with tempfile.TemporaryDirectory(prefix="unpacking-") as temporary:
        folder = Path(temporary)
        target = folder / "one" / "target"
        target.mkdir(parents=True)
        made = archive(*((member(name, kind, link=link), b"") for name, kind, link in members))
        with suppress(SandboxError):
            unpack(made, target, [])
        assert {place for place in listing(folder) if not place.startswith("one/target/")} == {"one", "one/target"}
