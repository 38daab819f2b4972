"""What a source holds: a work tree as it lies there, a revision as it was committed, and nothing from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from switchyard_context import NoRepository, UnknownRevision, open_source
from switchyard_context.parser import read_file

from .conftest import Project


def test_a_work_tree_holds_tracked_and_new_files_but_no_ignored_ones(project: Project) -> None:
    project.commit({"a.py": "1", ".gitignore": "out/\n"})
    project.write({"b.py": "2", "out/c.py": "3"})
    source = project.source()
    assert list(source.blobs) == [".gitignore", "a.py", "b.py"]
    assert source.revision == project.git("rev-parse", "HEAD") + "+dirty"


def test_a_clean_work_tree_carries_the_id_of_head(project: Project) -> None:
    project.commit({"a.py": "1"})
    assert project.source().revision == project.git("rev-parse", "HEAD")


def test_a_deleted_file_is_gone_from_the_work_tree_and_still_in_the_revision(project: Project) -> None:
    project.commit({"a.py": "1", "b.py": "2"})
    (project.root / "a.py").unlink()
    assert list(project.source().blobs) == ["b.py"]
    assert list(project.source("HEAD").blobs) == ["a.py", "b.py"]


def test_the_same_content_has_the_same_id_before_and_after_its_commit(project: Project) -> None:
    project.write({"a.py": "x = 1\n"})
    before = project.source().blobs
    project.commit({})
    assert before == project.source("HEAD").blobs


def test_a_bare_repository_is_read_without_a_checkout(project: Project, tmp_path: Path) -> None:
    project.commit({"pkg/a.py": "x = 1\n"})
    bare = tmp_path / "bare.git"
    project.git("clone", "--quiet", "--bare", ".", str(bare))
    source = open_source(bare)
    assert dict(source.read_many(["pkg/a.py"])) == {"pkg/a.py": b"x = 1\n"}
    assert source.revision == project.git("rev-parse", "HEAD")


def test_a_repository_without_commits_is_its_new_files(project: Project) -> None:
    project.write({"a.py": "1"})
    source = project.source()
    assert (source.revision, list(source.blobs)) == ("", ["a.py"])


def test_links_are_no_files_and_lead_nowhere_outside(project: Project, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("token = 1\n")
    project.write({"a.py": "1"})
    (project.root / "inside.py").symlink_to("a.py")
    (project.root / "outside.py").symlink_to(tmp_path / "secret.py")
    (project.root / "loop.py").symlink_to("loop.py")
    (project.root / "folder").symlink_to(tmp_path)
    for source in (project.source(), project.commit({}).source(), project.source("HEAD")):
        assert list(source.blobs) == ["a.py"]
        assert source.links == {"inside.py": "a.py"}
        assert source.read("outside.py") == b""


def test_a_folder_that_became_a_link_shows_nothing_of_where_it_leads(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keys.py").write_text("SECRET = 1\n")
    project.commit({"pkg/keys.py": "KEY = 0\n", "app.py": "import pkg.keys\n"})
    (project.root / "pkg" / "keys.py").unlink()
    (project.root / "pkg").rmdir()
    (project.root / "pkg").symlink_to(outside)
    source = project.source()
    assert "pkg/keys.py" not in source.blobs
    assert read_file(project.root, "pkg/keys.py") is None
    assert read_file(project.root, "app.py") == b"import pkg.keys\n"


def test_a_submodule_is_not_entered(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    inner = Project(other)
    inner.git("init", "--quiet", ".")
    inner.commit({"inner.py": "1"})
    project.commit({"a.py": "1"})
    project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    project.commit({})
    assert "sub/inner.py" not in project.source().blobs
    assert list(project.source("HEAD").blobs) == [".gitmodules", "a.py"]


def test_an_unknown_revision_and_a_missing_repository_are_named(project: Project, tmp_path: Path) -> None:
    project.commit({})
    with pytest.raises(UnknownRevision, match="nope"):
        project.source("nope")
    with pytest.raises(NoRepository) as caught:
        open_source(tmp_path / "home")
    assert caught.value.hint
