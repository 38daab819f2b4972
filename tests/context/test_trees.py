"""Kept states of trees save work and never change a result, whatever happens to their files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Project
from .test_deltas import TREE, seen

Damage = Callable[[Path], None]


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:7])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0" * 8)


def _flip_in_the_header(file: Path) -> None:
    _flip(file, 60)


def _flip_in_a_section(file: Path) -> None:
    # The last byte that is no padding.
    _flip(file, len(file.read_bytes().rstrip(b"\0")) - 1)


def _be_of_another_version(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"switchyard-sections-1", b"switchyard-sections-0", 1))


def _swap_with_noise(file: Path) -> None:
    file.write_bytes(b"noise" * 5000)


def _become_a_folder(file: Path) -> None:
    file.unlink()
    (file / "in the way").mkdir(parents=True)


def _flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 4
    file.write_bytes(content)


DAMAGES = (
    _cut, _cut_short, _empty, _lengthen, _flip_in_the_header, _flip_in_a_section, _be_of_another_version,
    _swap_with_noise, _become_a_folder,
)  # fmt: skip


@pytest.mark.parametrize("kind", ["state", "terms"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_told_and_costs_no_result(
    project: Project, tmp_path: Path, damage: Damage, kind: str
) -> None:
    cache = tmp_path / "cache"
    truth = seen(project.write(TREE).codebase(cache=cache))
    for file in (cache / "trees").glob(f"{kind}-*"):
        damage(file)
    found = project.codebase(cache=cache)
    assert seen(found) == truth
    assert "can't be used and is built anew" in " ".join(found.warnings)


@pytest.mark.parametrize("kind", ["state", "terms"])
def test_what_was_damaged_is_whole_the_next_time(project: Project, tmp_path: Path, kind: str) -> None:
    cache = tmp_path / "cache"
    truth = seen(project.write(TREE).codebase(cache=cache))
    for file in (cache / "trees").glob(f"{kind}-*"):
        _cut(file)
    for _ in range(2):
        assert seen(project.codebase(cache=cache)) == truth
    last = project.codebase(cache=cache)
    assert (seen(last), last.warnings) == (truth, [])


def test_a_delta_from_a_damaged_state_is_a_fresh_look(project: Project, tmp_path: Path) -> None:
    project.write(TREE).codebase(cache=tmp_path)
    for file in (tmp_path / "trees").glob("state-*"):
        _flip_in_a_section(file)
    project.write({"app.py": "import test_app\n"})
    assert seen(project.codebase(cache=tmp_path)) == seen(project.codebase())


def test_states_without_rows_still_answer(project: Project, tmp_path: Path) -> None:
    truth = seen(project.write(TREE).codebase(cache=tmp_path))
    for file in tmp_path.glob("*.sqlite"):
        file.unlink()
    assert seen(project.codebase(cache=tmp_path)) == truth


def test_where_nothing_can_be_kept_the_result_is_the_same(project: Project, tmp_path: Path) -> None:
    (tmp_path / "trees").write_text("in the way")
    found = project.write(TREE).codebase(cache=tmp_path)
    assert seen(found) == seen(project.codebase())
    assert "can't be written" in " ".join(found.warnings)


def test_only_the_last_states_are_kept(project: Project, tmp_path: Path) -> None:
    for number in range(16):
        project.write({"a.py": f"x = {number}\n"}).codebase(cache=tmp_path)
    assert len(list((tmp_path / "trees").glob("state-*"))) == 12


_LOOK = """
import json, sys
from pathlib import Path
from switchyard_context import open_codebase, open_source
codebase = open_codebase(open_source(Path(sys.argv[1])), Path(sys.argv[2]))
found = codebase.terms.postings("word", "low")
print(json.dumps([codebase.graph.as_json(), found.files.tolist(), found.counts.tolist()]))
"""


def test_processes_that_start_at_once_find_the_same(project: Project, tmp_path: Path) -> None:
    project.write({**TREE, **{f"many/m{number}.py": "from pkg import low\n" for number in range(60)}})
    argv = (sys.executable, "-c", _LOOK, str(project.root), str(tmp_path / "cache"))
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    found = [json.loads(process.communicate()[0]) for process in running]
    assert len(found[0][0]["edges"]) > 60
    assert found == [found[0]] * 4
