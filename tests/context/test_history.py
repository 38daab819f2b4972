"""The past of a tree: what its newest ancestors touched, under the names that the files have now."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from switchyard_context.history import PastCommit

from tests.context.conftest import Project

FILES = {"app/rates.py": "def rate() -> int:\n    return 1\n", "app/other.py": "x = 1\n"}


@pytest.fixture
def past(project: Project) -> Project:
    """Three commits: add two files, change one, rename it."""
    project.commit(FILES)
    project.write({"app/rates.py": "def rate() -> int:\n    return 2\n"})
    project.git("commit", "-qam", "Round the exchange rates")
    project.git("mv", "app/rates.py", "app/prices.py")
    project.git("commit", "-qm", "Call them prices")
    return project


def messages(project: Project, revision: str | None = None, cache: Path | None = None) -> list[str]:
    return [commit.message.strip() for commit in project.codebase(revision, cache).history]


def test_history_is_newest_first_and_includes_the_revision_itself(past: Project) -> None:
    assert messages(past) == ["Call them prices", "Round the exchange rates", "Change"]


def test_a_revision_knows_nothing_of_what_came_later(past: Project) -> None:
    assert messages(past, "HEAD~1") == ["Round the exchange rates", "Change"]


def test_a_renamed_file_keeps_its_past_under_its_present_name(past: Project) -> None:
    assert past.codebase().history[1].paths == ("app/prices.py",)
    assert past.codebase("HEAD~1").history[0].paths == ("app/rates.py",)


def test_merges_are_left_out(past: Project) -> None:
    past.git("checkout", "-qb", "side", "HEAD~1")
    past.write({"app/other.py": "x = 2\n"}).git("commit", "-qam", "On the side")
    past.git("merge", "-q", "--no-edit", "-")
    assert sorted(messages(past)) == ["Call them prices", "Change", "On the side", "Round the exchange rates"]


def test_a_tree_without_a_commit_has_no_history(project: Project) -> None:
    assert project.write(FILES).codebase().history == []


def test_a_dirty_worktree_has_the_history_of_its_head(past: Project) -> None:
    past.write({"app/other.py": "x = 3\n"})
    assert messages(past)[0] == "Call them prices"


def test_a_bare_repository_has_the_same_history(past: Project, tmp_path: Path) -> None:
    past.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    assert messages(Project(tmp_path / "bare")) == messages(past)


def shown(commit: PastCommit) -> tuple[object, ...]:
    return commit.sha, commit.timestamp, commit.message, commit.paths, commit.words.tolist()


def test_the_cache_gives_the_same_history_again_and_for_a_child_commit(past: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cold = past.codebase(None, cache).history
    warm = past.codebase(None, cache).history
    assert [shown(commit) for commit in warm] == [shown(commit) for commit in cold]
    past.commit({"app/third.py": "y = 1\n"})
    assert [commit.sha for commit in past.codebase(None, cache).history][1:] == [commit.sha for commit in cold]


def test_a_message_with_a_nul_is_the_same_from_the_cache(past: Project, tmp_path: Path) -> None:
    commit = past.git("cat-file", "commit", "HEAD").replace("Call them prices", "Call\0them")
    file = tmp_path / "commit"
    file.write_text(commit)
    head = past.git("hash-object", "-w", "-t", "commit", "--literally", str(file))
    cold = past.codebase(head, tmp_path / "cache").history
    warm = past.codebase(head, tmp_path / "cache").history
    assert [shown(commit) for commit in warm] == [shown(commit) for commit in cold]


def test_a_damaged_value_for_a_head_is_made_anew(past: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    expected = [shown(commit) for commit in past.codebase(None, cache).history]
    with closing(sqlite3.connect(cache / "history-1.sqlite")) as connection, connection:
        ((head, value),) = connection.execute("SELECT head, value FROM heads").fetchall()
        connection.execute("UPDATE heads SET value = ? WHERE head = ?", (value.replace(b"app", b"opp"), head))
    assert [shown(commit) for commit in past.codebase(None, cache).history] == expected


def test_a_damaged_cache_is_rebuilt(past: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    expected = messages(past, None, cache)
    for file in cache.glob("history*"):
        file.write_bytes(b"not a database, but long enough to be one" * 50)
    assert messages(past, None, cache) == expected
    assert messages(past, None, cache) == expected


def test_a_commit_that_touches_hundreds_of_files_names_none(project: Project) -> None:
    project.commit({f"m{number}.py": "" for number in range(301)})
    assert project.codebase().history[0].paths == ()
