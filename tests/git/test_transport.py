"""Fetches and pushes move exactly what was asked, and only from where it was expected."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from switchyard_git import (
    CommitSha,
    InvalidName,
    PushRejected,
    RefName,
    RefUpdate,
    RemoteUnavailable,
    Repository,
    Signature,
    UnknownRevision,
    UntrustedRepository,
    without_password,
)

Git = Callable[..., str]
ADA = Signature("Ada", "ada@example.org", 1_700_000_000)
ONE, TWO = RefName("refs/heads/factory/r/one"), RefName("refs/heads/factory/r/two")


@pytest.fixture
def origin(folder: Path, git: Git) -> Path:
    where = folder.parent / "origin with space.git"
    git(folder, "clone", "-q", "--bare", ".", str(where))
    return where


@pytest.fixture
def commits(folder: Path, git: Git) -> list[CommitSha]:
    """Three commits, each on the one before."""
    repository = Repository.open(folder)
    made = [repository.resolve("main")]
    for number in range(2):
        git(folder, "commit", "-q", "--allow-empty", "-m", f"more {number}")
        made.append(repository.resolve("main"))
    return made


def test_a_push_creates_moves_and_deletes_with_what_was_expected(
    folder: Path, origin: Path, commits: list[CommitSha]
) -> None:
    repository = Repository.open(folder)
    repository.push(origin, [RefUpdate(ONE, commits[1], None)])
    repository.push(origin, [RefUpdate(ONE, commits[0], commits[1]), RefUpdate(TWO, commits[2], None)])
    assert repository.ls_remote(origin, ["refs/heads/factory/*"]) == {ONE: commits[0], TWO: commits[2]}
    repository.push(str(origin), [RefUpdate(ONE, None, commits[0])])
    assert repository.ls_remote(origin, ["refs/heads/factory/*"]) == {TWO: commits[2]}


@pytest.mark.parametrize("transport", ["path", "file"])
def test_a_push_over_somebodys_work_is_rejected_even_after_a_fetch(
    folder: Path, origin: Path, commits: list[CommitSha], git: Git, transport: str
) -> None:
    repository = Repository.open(folder)
    target = origin if transport == "path" else origin.as_uri()
    repository.push(target, [RefUpdate(ONE, commits[0], None)])
    git(folder, "push", "-q", str(origin), f"{commits[1]}:{ONE}")
    repository.fetch(target, ["+refs/heads/*:refs/remotes/origin/*"])
    with pytest.raises(PushRejected) as caught:
        repository.push(target, [RefUpdate(ONE, commits[2], commits[0])])
    assert caught.value.refs == (ONE,)
    assert git(origin, "rev-parse", ONE) == commits[1]


def test_one_stale_ref_of_an_atomic_push_moves_none_and_is_named(
    folder: Path, origin: Path, commits: list[CommitSha], git: Git
) -> None:
    repository = Repository.open(folder)
    git(folder, "push", "-q", str(origin), f"{commits[1]}:{TWO}")
    with pytest.raises(PushRejected) as caught:
        repository.push(origin, [RefUpdate(ONE, commits[0], None), RefUpdate(TWO, commits[2], None)])
    assert caught.value.refs == (TWO,)
    assert set(caught.value.reasons) == {ONE, TWO}
    assert repository.ls_remote(origin, ["refs/heads/factory/*"]) == {TWO: commits[1]}


def test_a_rule_of_the_remote_is_told_as_a_rejection(folder: Path, origin: Path, commits: list[CommitSha]) -> None:
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PushRejected, match="pre-receive hook declined"):
        Repository.open(folder).push(origin, [RefUpdate(ONE, commits[0], None)])


def test_a_commit_that_is_not_here_cannot_be_pushed(folder: Path, origin: Path) -> None:
    with pytest.raises(UnknownRevision):
        Repository.open(folder).push(origin, [RefUpdate(ONE, CommitSha("1" * 40), None)])


def test_names_are_matched_whole(folder: Path, origin: Path, commits: list[CommitSha], git: Git) -> None:
    git(origin, "update-ref", f"refs/backup/{ONE}", "main")
    assert Repository.open(folder).ls_remote(origin, [ONE]) == {}
    assert set(Repository.open(folder).ls_remote(origin)) == {"refs/heads/main", f"refs/backup/{ONE}"}


def test_a_fetch_is_all_or_nothing_and_prunes_when_asked(folder: Path, origin: Path, git: Git) -> None:
    git(origin, "branch", "old", "main")
    factory = Repository.init_bare(folder.parent / "factory.git")
    with pytest.raises(UnknownRevision, match="absent"):
        factory.fetch(origin, ["refs/heads/main:refs/heads/main", "refs/heads/absent:refs/heads/absent"])
    assert factory.refs() == {}
    ours = factory.commit_tree(factory.write_tree_from(None, {}), [], "ours", author=ADA, committer=ADA)
    factory.update_refs([RefUpdate(ONE, ours, None)])
    with pytest.raises(RemoteUnavailable):
        factory.fetch(origin, ["refs/heads/main:refs/heads/main", f"refs/heads/old:{ONE}"])
    assert factory.refs() == {ONE: ours}
    factory.update_refs([RefUpdate(ONE, None, ours)])
    factory.fetch(origin, ["+refs/heads/*:refs/heads/*"])
    git(origin, "branch", "-D", "old")
    git(origin, "tag", "v1", "main")
    factory.fetch(origin, ["+refs/heads/*:refs/heads/*"])
    assert set(factory.refs()) == {"refs/heads/main", "refs/heads/old"}
    factory.fetch(origin, ["+refs/heads/*:refs/heads/*"], prune=True)
    assert set(factory.refs()) == {"refs/heads/main"}
    assert not (factory.git_dir / "FETCH_HEAD").exists()


def test_a_remote_that_is_not_there_is_told_with_its_name(folder: Path, tmp_path: Path) -> None:
    repository = Repository.open(folder)
    for place in (tmp_path / "nowhere.git", "file:///nowhere.git", "http://127.0.0.1:9/x.git"):
        for act in (
            lambda place=place: repository.ls_remote(place),
            lambda place=place: repository.fetch(place, ["refs/heads/main"]),
            lambda place=place: repository.push(place, [RefUpdate(ONE, repository.resolve("main"), None)]),
        ):
            with pytest.raises(RemoteUnavailable) as caught:
                act()
            assert str(place) in str(caught.value)
            assert caught.value.hint


def test_a_password_in_a_url_is_never_shown(folder: Path) -> None:
    with pytest.raises(RemoteUnavailable) as caught:
        Repository.open(folder).ls_remote("http://ada:hunter2@127.0.0.1:9/x.git")
    assert "hunter2" not in str(caught.value)
    assert without_password("ssh://git@host/x and https://t0ken@host/y") == "ssh://host/x and https://host/y"


@pytest.mark.parametrize("place", ["", "-uevil", "--upload-pack=evil", "a\0b"])
def test_an_address_that_could_be_an_option_is_refused(folder: Path, place: str) -> None:
    with pytest.raises(InvalidName):
        Repository.open(folder).fetch(place, ["refs/heads/main"])


def test_the_branch_of_a_remotes_head_is_told(folder: Path, origin: Path, git: Git, tmp_path: Path) -> None:
    repository = Repository.open(folder)
    found = repository.remote_head(origin)
    assert found is not None
    assert (found.name, found.sha) == ("main", repository.resolve("main"))
    git(origin, "symbolic-ref", "HEAD", "refs/heads/none")
    assert repository.remote_head(origin) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to somebody else")
def test_a_remote_of_another_user_is_told_as_such(folder: Path, origin: Path) -> None:
    for path in [origin, *origin.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    with pytest.raises(UntrustedRepository, match="another user"):
        Repository.open(folder).ls_remote(origin)
