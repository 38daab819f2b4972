"""The cache saves work and never changes a result, whatever state it is in."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from switchyard_context.cache import BlobCache, BlobRow
from switchyard_context.facts import Definition, FileFacts, Import, pack_facts

from .conftest import Project

FILES = {"a.py": "import b\ndef f(): pass\n", "b.py": "class C:\n    def m(self): pass\n", "c.ts": "import './d'\n"}
FACTS = FileFacts((Import(1, "m", (("a", "b"),), "type", False),), (Definition("C.m", "method", 1, 2, 3),), "odd")


def test_what_is_stored_is_loaded_alike(tmp_path: Path) -> None:
    rows = {"k": BlobRow(pack_facts(FACTS), b"terms"), "empty": BlobRow(pack_facts(FileFacts()), b"")}
    BlobCache(tmp_path).store(rows.items())
    cache = BlobCache(tmp_path)
    assert cache.facts(["k", "empty", "unknown"]) == {"k": FACTS, "empty": FileFacts()}
    assert dict(cache.terms(["k", "empty", "unknown"])) == {"k": b"terms", "empty": b""}
    assert cache.known(["k", "unknown"]) == {"k"}


def test_what_does_not_last_is_known_to_this_process_alone(tmp_path: Path) -> None:
    cache = BlobCache(tmp_path)
    cache.store([("k", BlobRow(pack_facts(FACTS), b""))], for_good=False)
    assert cache.facts(["k"]) == {"k": FACTS}
    assert BlobCache(tmp_path).facts(["k"]) == {}


def test_a_second_revision_costs_only_what_changed(project: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    project.commit(FILES).graph("HEAD", cache)
    project.commit({"b.py": "x = 1\n"}).graph("HEAD", cache)
    with sqlite3.connect(cache / "blobs-3.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (len(FILES) + 1,)
    connection.close()


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _fill_with_noise(file: Path) -> None:
    file.write_bytes(b"noise" * 1000)


def _flip_a_row(file: Path) -> None:
    connection = sqlite3.connect(file)
    with connection:
        row = b"\0\0\0\0" + b'[[[1,"c",[],0,1]],[],"",[],""]'
        connection.execute("UPDATE blobs SET facts = ?", (row,))
    connection.close()


def _become_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [_cut, _fill_with_noise, _flip_a_row, _become_a_folder])
def test_a_damaged_cache_costs_time_and_not_a_result(
    project: Project, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    cache = tmp_path / "cache"
    truth = project.commit(FILES).graph("HEAD", cache).as_json()
    damage(cache / "blobs-3.sqlite")
    shutil.rmtree(cache / "trees")
    assert project.graph("HEAD", cache).as_json() == truth
    assert project.graph("HEAD", cache).as_json() == truth


def test_a_damaged_cache_is_built_anew(project: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    project.commit(FILES).graph("HEAD", cache)
    _fill_with_noise(cache / "blobs-3.sqlite")
    assert [facts.problem for facts in project.graph("HEAD", cache).facts.values()] == [""] * len(FILES)
    connection = sqlite3.connect(cache / "blobs-3.sqlite")
    assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (len(FILES),)
    connection.close()


def test_a_place_that_cannot_be_written_is_done_without(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert project.commit(FILES).graph("HEAD", tmp_path / "file" / "cache").edges()


def test_many_at_once_share_one_cache(project: Project, tmp_path: Path) -> None:
    project.commit(FILES)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: project.graph("HEAD", tmp_path / "cache").as_json(), range(8)))
    assert all(graph == found[0] for graph in found)
