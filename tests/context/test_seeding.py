"""A seed makes a cold cache answer as a warm one does, and tells of its own tree alone."""

from __future__ import annotations

from pathlib import Path

from switchyard_context import Request, lay_seed, open_codebase, open_source, select, write_seed
from switchyard_context.codebase import Codebase

from .conftest import Project

FILES = {"app.py": "import lib\n\n\ndef main():\n    lib.visible()\n", "lib.py": "def visible():\n    return 1\n"}
"""A tree of two files that know each other."""


def seeded(project: Project, seed: Path, cache: Path) -> Codebase:
    host = project.root.parent / "host"
    source = open_source(project.root, "HEAD")
    seed.mkdir()
    write_seed(open_codebase(source, host), seed)
    lay_seed(seed, cache)
    return open_codebase(open_source(project.root, "HEAD"), cache)


def answers(codebase: Codebase) -> object:
    return select(codebase, Request(text="make main visible", seeds=["app.py"])).as_json()


def test_a_seeded_cache_knows_the_tree_without_parsing_it(project: Project, tmp_path: Path) -> None:
    project.commit(FILES)
    found = seeded(project, tmp_path / "seed", tmp_path / "cache")
    assert found.store.load(found.source, found.key) is not None
    assert found.store.load_terms(found.key) is not None
    assert answers(found) == answers(open_codebase(found.source))


def test_a_seeded_cache_reads_no_file_of_a_tree_that_did_not_change(project: Project, tmp_path: Path) -> None:
    project.commit(FILES)
    seeded(project, tmp_path / "seed", tmp_path / "cache")
    kept = open_codebase(open_source(project.root), tmp_path / "cache")
    for path in FILES:
        (project.root / path).unlink()
    assert [item.name for item in kept.graph.facts["lib.py"].definitions] == ["visible"]
    assert [item.imported for item in kept.graph.imports_of("app.py")] == ["lib.py"]


def test_a_seeded_cache_answers_right_after_an_edit(project: Project, tmp_path: Path) -> None:
    project.commit(FILES)
    seeded(project, tmp_path / "seed", tmp_path / "cache")
    project.write({"app.py": "import new\n", "new.py": "def visible():\n    pass\n"})
    source = open_source(project.root)
    assert answers(open_codebase(source, tmp_path / "cache")) == answers(open_codebase(source))


def test_a_seed_tells_nothing_of_other_trees(project: Project, tmp_path: Path) -> None:
    project.commit(FILES)
    host = project.root.parent / "host"
    project.write({"private.py": "def hush_secret():\n    pass\n"})
    secret = open_codebase(open_source(project.root), host)
    assert len(secret.terms.postings("word", "hush").files) or len(
        secret.terms.postings("defined", "hush_secret").files
    )
    seed = tmp_path / "seed"
    seeded(project, seed, tmp_path / "cache")
    held = b"".join(file.read_bytes() for file in seed.rglob("*") if file.is_file())
    assert b"lib.py" in held
    assert b"private" not in held
    kept = open_codebase(open_source(project.root, "HEAD"), tmp_path / "cache")
    assert sum(int(kept.terms.lengths(field).shape[0]) for field in ("word",)) == len(FILES)


def test_what_a_seeded_cache_learns_stays_out_of_the_seed(project: Project, tmp_path: Path) -> None:
    project.commit(FILES)
    seed, cache = tmp_path / "seed", tmp_path / "cache"
    seeded(project, seed, cache)
    before = {file.name: file.read_bytes() for file in seed.rglob("*") if file.is_file()}
    for number in range(15):
        project.write({f"more{number}.py": f"import lib\nX = {number}\n"})
        _ = open_codebase(open_source(project.root), cache).terms
    assert {file.name: file.read_bytes() for file in seed.rglob("*") if file.is_file()} == before


def test_a_cache_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "seed" / "trees").mkdir(parents=True)
    (tmp_path / "seed" / "trees" / "state-x").write_text("x")
    (tmp_path / "cache").mkdir()
    lay_seed(tmp_path / "seed", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_seed_that_is_gone_costs_time_alone(project: Project, tmp_path: Path) -> None:
    project.commit(FILES)
    lay_seed(tmp_path / "nowhere", tmp_path / "cache")
    source = open_source(project.root, "HEAD")
    assert answers(open_codebase(source, tmp_path / "cache")) == answers(open_codebase(source))
