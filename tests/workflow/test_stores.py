"""Work starts from the base as it is now, wherever that lies; what can't be had is told with what there is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from switchyard_git import Repository
from switchyard_git.errors import RemoteUnavailable

from switchyard.config import Config, RepositoryConfig
from switchyard.errors import UsageError
from switchyard.workflow.places import Places
from switchyard.workflow.stores import Base, fetch_base, open_stores, target_of

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, own_home: None) -> Git:
    env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def call(where: Path, *arguments: str) -> str:
        where.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["git", *arguments], cwd=where, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return call


@pytest.fixture
def repo(tmp_path: Path, git: Git) -> Path:
    """A repository with three commits on `main`; its path has a space."""
    folder = tmp_path / "my repo"
    git(folder, "init", "-q", "-b", "main")
    for number in range(3):
        (folder / "file").write_text(f"{number}\n")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", f"commit {number}")
    return folder


def config(**fields: str) -> Config:
    return Config(repository=RepositoryConfig(**fields))


def fetch(repo: Path, state: Path, **fields: str) -> Base:
    mirror, quarantine = open_stores(Places(state))
    base = fetch_base(Repository.open(repo), mirror, config(**fields))
    assert quarantine.has_commit(base.commit), "the factory repository borrows the mirror's objects"
    return base


def test_a_repository_without_a_remote_is_its_own_base_and_target(repo: Path, tmp_path: Path, git: Git) -> None:
    base = fetch(repo, tmp_path / "state")
    assert base == Base("main", git(repo, "rev-parse", "HEAD"), str(repo / ".git"))  # type: ignore[arg-type]


def test_the_worktree_is_neither_read_nor_touched(repo: Path, tmp_path: Path, git: Git) -> None:
    git(repo, "checkout", "-q", "--detach", "HEAD~1")
    (repo / "file").write_text("dirty\n")
    before = git(repo, "status", "--porcelain=v2", "--branch")
    assert fetch(repo, tmp_path / "state").commit == git(repo, "rev-parse", "main")
    assert git(repo, "status", "--porcelain=v2", "--branch") == before


def test_a_remote_goes_before_the_local_branch(repo: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", str(repo), "my clone")
    clone = tmp_path / "my clone"
    (clone / "file").write_text("not pushed\n")
    git(clone, "commit", "-qam", "ahead")
    base = fetch(clone, tmp_path / "state")
    assert base.commit == git(repo, "rev-parse", "main")
    assert base.target == str(repo)
    assert fetch(clone, tmp_path / "other state", remote="").commit == git(clone, "rev-parse", "main")


def test_a_remote_that_moved_is_followed_even_backwards(repo: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", str(repo), "my clone")
    first = fetch(tmp_path / "my clone", tmp_path / "state")
    git(repo, "reset", "-q", "--hard", "HEAD~2")
    assert fetch(tmp_path / "my clone", tmp_path / "state").commit == git(repo, "rev-parse", "main") != first.commit


@pytest.mark.parametrize("from_folder", ["elsewhere", "my clone/sub"])
def test_a_relative_remote_is_relative_to_the_repository(
    repo: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch, from_folder: str
) -> None:
    git(tmp_path, "clone", "-q", str(repo), "my clone")
    git(tmp_path / "my clone", "remote", "set-url", "origin", "../my repo")
    (tmp_path / from_folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / from_folder)
    base = fetch(tmp_path / "my clone", tmp_path / "state")
    assert (base.commit, base.target) == (git(repo, "rev-parse", "main"), str(repo))


@pytest.mark.parametrize(
    "url", ["https://example.org/x.git", "git@example.org:x/y.git", "ssh://h/x", "file:///srv/x.git", "host:x"]
)
def test_an_address_that_is_no_path_is_left_as_it_is(repo: Path, git: Git, url: str) -> None:
    git(repo, "remote", "add", "origin", url)
    assert target_of(Repository.open(repo), config()) == url


def test_a_missing_branch_is_told_with_those_that_exist(repo: Path, tmp_path: Path, git: Git) -> None:
    git(repo, "branch", "trunk")
    with pytest.raises(UsageError, match="no branch 'master'") as caught:
        fetch(repo, tmp_path / "state", base="master")
    assert str(repo) in str(caught.value)
    assert "it has: main, trunk" in caught.value.hint


def test_a_branch_that_is_missing_at_the_remote_names_the_remote(repo: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", str(repo), "my clone")
    git(tmp_path / "my clone", "branch", "local-only")
    with pytest.raises(UsageError, match="remote 'origin'") as caught:
        fetch(tmp_path / "my clone", tmp_path / "state", base="local-only")
    assert "it has: main" in caught.value.hint and "local-only" not in caught.value.hint


@pytest.mark.parametrize("bare", [[], ["--bare"]])
def test_a_repository_without_a_commit_says_so(tmp_path: Path, git: Git, bare: list[str]) -> None:
    git(tmp_path, "init", "-q", *bare, "empty")
    with pytest.raises(UsageError, match="has no commits") as caught:
        fetch(tmp_path / "empty", tmp_path / "state")
    assert "commit something first" in caught.value.hint


def test_a_remote_without_a_commit_says_that_it_has_no_branches(repo: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    git(repo, "remote", "add", "origin", str(tmp_path / "empty.git"))
    with pytest.raises(UsageError) as caught:
        fetch(repo, tmp_path / "state")
    assert "no branches at all" in caught.value.hint


def test_a_remote_that_is_not_there_is_unavailable(repo: Path, tmp_path: Path, git: Git) -> None:
    git(repo, "remote", "add", "origin", str(tmp_path / "nowhere.git"))
    with pytest.raises(RemoteUnavailable, match=r"nowhere\.git") as caught:
        fetch(repo, tmp_path / "state")
    assert caught.value.hint


def test_a_bare_repository_will_do(repo: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    git(tmp_path / "bare.git", "remote", "remove", "origin")
    base = fetch(tmp_path / "bare.git", tmp_path / "state")
    assert (base.commit, base.target) == (git(repo, "rev-parse", "main"), str(tmp_path / "bare.git"))


def test_a_linked_worktree_works_on_the_same_branches(repo: Path, tmp_path: Path, git: Git) -> None:
    git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "linked tree"), "HEAD~1")
    base = fetch(tmp_path / "linked tree", tmp_path / "state")
    assert base.commit == git(repo, "rev-parse", "main")
    assert base.target == str(repo / ".git")


def test_a_shallow_clone_without_a_remote_is_enough_to_start_from(repo: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", "shallow")
    git(tmp_path / "shallow", "remote", "remove", "origin")
    base = fetch(tmp_path / "shallow", tmp_path / "state")
    assert base.commit == git(repo, "rev-parse", "main")


def test_the_history_of_a_shallow_base_can_be_walked_in_the_factory_repository(
    repo: Path, tmp_path: Path, git: Git
) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", "shallow")
    git(tmp_path / "shallow", "remote", "remove", "origin")
    base = fetch(tmp_path / "shallow", tmp_path / "state")
    assert git(Places(tmp_path / "state").factory, "rev-list", "--count", base.commit) == "1"


def test_a_shallow_clone_with_a_full_remote_starts_from_the_whole_history(repo: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repo}", "shallow")
    base = fetch(tmp_path / "shallow", tmp_path / "state")
    assert git(Places(tmp_path / "state").factory, "rev-list", "--count", base.commit) == "3"


def test_the_stores_are_made_once_and_found_again(repo: Path, tmp_path: Path) -> None:
    places = Places(tmp_path / "deep" / "state")
    open_stores(places)
    fetch(repo, places.state)
    mirror, quarantine = open_stores(places)
    assert set(mirror.refs()) == {"refs/heads/main"}
    assert quarantine.refs() == {}


def test_a_state_folder_that_was_moved_finds_its_objects_again(repo: Path, tmp_path: Path) -> None:
    base = fetch(repo, tmp_path / "state")
    (tmp_path / "state").rename(tmp_path / "moved state")
    _, quarantine = open_stores(Places(tmp_path / "moved state"))
    assert quarantine.has_commit(base.commit)


@pytest.mark.parametrize("name", ['with "quotes"', "line\nbreak", "#hash", "ünïcode", "semi;colon"])
def test_any_path_will_do_for_the_state(repo: Path, tmp_path: Path, name: str) -> None:
    fetch(repo, tmp_path / name / "state")
