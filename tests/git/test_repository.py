"""Repositories of every shape are found, and refs and ancestry are answered as git does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from switchyard_git import (
    CommitSha,
    InvalidName,
    NotARepository,
    RefMoved,
    RefName,
    RefUpdate,
    Repository,
    UnknownRevision,
    is_valid_ref,
)

Git = Callable[..., str]
TASK = RefName("refs/heads/factory/r/t")


def test_a_repository_is_found_from_any_folder_inside_it(folder: Path) -> None:
    for start in (folder, folder / "dir", folder / "dir" / "b.txt", folder / ".git"):
        found = Repository.open(start)
        assert (found.git_dir, found.worktree) == (folder / ".git", folder)


def test_a_repository_whose_path_holds_a_newline_is_found(tmp_path: Path, git: Git) -> None:
    odd = tmp_path / "new\nline"
    odd.mkdir()
    git(odd, "init", "-q", "-b", "main")
    assert Repository.open(odd).worktree == odd


def test_a_folder_without_a_repository_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(NotARepository) as caught:
        Repository.open(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "git init" in caught.value.hint
    with pytest.raises(NotARepository, match="nowhere"):
        Repository.open(tmp_path / "nowhere")


def test_a_bare_repository_has_no_worktree(folder: Path, git: Git) -> None:
    bare = folder.parent / "bare.git"
    git(folder, "clone", "-q", "--bare", ".", str(bare))
    repository = Repository.open(bare)
    assert (repository.git_dir, repository.common_dir, repository.worktree) == (bare, bare, None)
    assert repository.resolve("main") == git(folder, "rev-parse", "main")
    assert not repository.is_dirty()


def test_a_linked_worktree_shares_refs_and_has_its_own_head(folder: Path, git: Git) -> None:
    linked = folder.parent / "linked tree"
    git(folder, "worktree", "add", "-q", "-b", "side", str(linked))
    repository = Repository.open(linked)
    assert repository.worktree == linked
    assert repository.common_dir == folder / ".git"
    assert repository.head_branch() == "side"
    assert Repository.open(folder).head_branch() == "main"
    assert repository.checked_out_branches() == {"refs/heads/main": folder, "refs/heads/side": linked}


def test_a_linked_worktree_of_a_bare_repository_works(folder: Path, git: Git) -> None:
    bare, linked = folder.parent / "bare.git", folder.parent / "linked"
    git(folder, "clone", "-q", "--bare", ".", str(bare))
    git(bare, "worktree", "add", "-q", "-b", "side", str(linked))
    git(linked, "sparse-checkout", "set", "dir")
    repository = Repository.open(linked)
    assert (repository.worktree, repository.common_dir) == (linked, bare)
    assert repository.head_branch() == "side"
    assert repository.remote_url("origin") == str(folder) + "/."


def test_a_submodule_is_listed_and_never_entered(folder: Path, git: Git) -> None:
    inner = folder.parent / "inner"
    git(folder, "clone", "-q", ".", str(inner))
    git(folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "vendored")
    git(folder, "commit", "-qm", "submodule")
    repository = Repository.open(folder)
    assert [(entry.path, entry.mode) for entry in repository.list_tree("main")][-1] == ("vendored", "160000")
    (folder / "vendored" / "a.txt").write_text("edited inside\n")
    assert not repository.is_dirty()
    assert "vendored/a.txt" not in repository.worktree_files()
    assert repository.list_tree("main", sizes=True)[-1].size_bytes is None
    assert Repository.open(folder / "vendored").worktree == folder / "vendored"


def test_a_shallow_clone_says_so_and_can_be_fetched_from_and_pushed_from(folder: Path, git: Git) -> None:
    for number in range(3):
        (folder / "a.txt").write_text(f"{number}\n")
        git(folder, "commit", "-qam", f"edit {number}")
    origin, shallow = folder.parent / "origin.git", folder.parent / "shallow"
    git(folder, "clone", "-q", "--bare", ".", str(origin))
    git(folder, "clone", "-q", "--depth=1", origin.as_uri(), str(shallow))
    repository = Repository.open(shallow)
    assert repository.is_shallow
    assert not Repository.open(folder).is_shallow
    factory = Repository.init_bare(folder.parent / "factory.git")
    factory.fetch(shallow, ["+refs/heads/*:refs/heads/*"])
    head = factory.resolve("main")
    factory.push(origin, [RefUpdate(TASK, head, None)])
    assert git(origin, "rev-parse", TASK) == head
    with pytest.raises(UnknownRevision) as caught:
        factory.resolve("main~1")
    assert "unshallow" in caught.value.hint


def test_an_unborn_branch_and_a_detached_head_are_told_apart(folder: Path, tmp_path: Path, git: Git) -> None:
    empty = Repository.init(tmp_path / "empty", branch="trunk")
    assert empty.head_branch() == "trunk"
    assert empty.refs() == {}
    with pytest.raises(UnknownRevision):
        empty.resolve("HEAD")
    git(folder, "checkout", "-q", "--detach")
    assert Repository.open(folder).head_branch() is None


@pytest.mark.parametrize("name", ["no-such", "--help", "-x", "", "a b", "main\nmain", "main:a.txt", "main^{tree}"])
def test_a_name_that_is_no_commit_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UnknownRevision) as caught:
        Repository.open(folder).resolve(name)
    assert caught.value.revision == name


def test_tags_stand_for_their_commits(folder: Path, git: Git) -> None:
    git(folder, "tag", "-a", "v1", "-m", "release")
    repository = Repository.open(folder)
    head = repository.resolve("main")
    assert repository.refs("refs/tags") == {"refs/tags/v1": head}
    assert repository.resolve("v1") == head


def test_ref_updates_are_all_made_or_none(folder: Path) -> None:
    repository = Repository.open(folder)
    head = repository.resolve("main")
    other = RefName("refs/heads/factory/r/other")
    repository.update_refs([RefUpdate(TASK, head, None)])
    with pytest.raises(RefMoved) as caught:
        repository.update_refs([RefUpdate(other, head, None), RefUpdate(TASK, head, None)])
    assert caught.value.refs == (TASK,)
    assert repository.refs("refs/heads/factory") == {TASK: head}
    repository.update_refs([RefUpdate(TASK, None, head)])
    assert repository.refs("refs/heads/factory") == {}


def test_a_ref_that_moved_is_not_overwritten(folder: Path, git: Git) -> None:
    repository = Repository.open(folder)
    first = repository.resolve("main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "second")
    second = repository.resolve("main")
    repository.update_refs([RefUpdate(TASK, second, None)])
    for stale in (
        RefUpdate(TASK, first, first),
        RefUpdate(TASK, None, first),
        RefUpdate(RefName("refs/heads/factory/r/absent"), first, second),
    ):
        with pytest.raises(RefMoved):
            repository.update_refs([stale])
    assert repository.refs("refs/heads/factory") == {TASK: second}


@pytest.mark.parametrize(
    "name",
    [
        "refs/heads/a..b", "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a b", "refs/heads/a\n", "refs/heads/@{",
        "refs/heads/a/", "refs/heads//a", "refs/heads/a.", "refs/heads/a~", "refs/heads/a:b", "refs/heads/a\\b",
        "refs/heads/*", "refs/heads/a/.b", "refs/heads/a.lock/b", "refs/heads/é", "refs/heads/a@b", "refs/heads/@",
        "refs/heads/-a", "refs/heads/a-", "refs/heads/a\x7f", "refs/heads/[", "refs/heads/a{b", "refs/heads/a.b",
    ],
)  # fmt: skip
def test_the_rule_for_names_is_gits(folder: Path, git: Git, name: str) -> None:
    try:
        git(folder, "check-ref-format", name)
        accepted = True
    except Exception as err:
        assert getattr(err, "returncode", None) == 1
        accepted = False
    assert is_valid_ref(name) is accepted
    if not accepted:
        with pytest.raises(InvalidName):
            repository = Repository.open(folder)
            repository.update_refs([RefUpdate(RefName(name), repository.resolve("main"), None)])


def test_ancestry_is_answered_as_git_does(folder: Path, git: Git) -> None:
    repository = Repository.open(folder)
    base = repository.resolve("main")
    git(folder, "checkout", "-qb", "side")
    git(folder, "commit", "-q", "--allow-empty", "-m", "side")
    side = repository.resolve("side")
    git(folder, "checkout", "-q", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "main")
    tip = repository.resolve("main")
    assert repository.is_ancestor(base, side)
    assert repository.is_ancestor(side, side)
    assert not repository.is_ancestor(side, tip)
    assert repository.merge_bases(side, tip) == [base]
    assert repository.common_base([side, tip, base]) == base
    assert repository.ancestry([side, tip], base) == {side: (base,), tip: (base,)}
    assert repository.has_commit(side)
    assert not repository.has_commit("0" * 40)
    with pytest.raises(UnknownRevision, match="0000"):
        repository.is_ancestor(CommitSha("0" * 40), side)


def test_remotes_are_read_from_the_configuration(folder: Path, git: Git) -> None:
    clone = folder.parent / "clone"
    git(folder, "clone", "-q", ".", str(clone))
    repository = Repository.open(clone)
    assert repository.remotes() == ["origin"]
    assert repository.remote_url("origin") == str(folder) + "/."
    assert repository.remote_url("nowhere") is None
    assert repository.default_branch("origin") == "main"
    assert repository.default_branch("nowhere") is None
    assert repository.remote_head(folder) is not None


def test_a_dirty_worktree_is_seen_and_left_as_it_is(folder: Path, git: Git) -> None:
    repository = Repository.open(folder)
    assert not repository.is_dirty()
    (folder / "new file\n.txt").write_text("x")
    assert repository.is_dirty()
    assert not repository.is_dirty(untracked=False)
    git(folder, "mv", "a.txt", "moved.txt")
    os.utime(folder / "dir" / "b.txt", (1_000_000_000, 1_000_000_000))
    index = (folder / ".git" / "index").read_bytes()
    assert repository.dirty_paths() == ["a.txt", "moved.txt", "new file\n.txt"]
    assert (folder / ".git" / "index").read_bytes() == index


def test_ignored_files_follow_the_users_own_list(folder: Path, own_home: Path) -> None:
    (own_home / "ignore").write_text("*.bak\n")
    (own_home / ".gitconfig").write_text(f"[core]\n\texcludesFile = {own_home}/ignore\n")
    (folder / "x.bak").write_text("x")
    repository = Repository.open(folder)
    assert not repository.is_dirty()
    assert repository.worktree_files() == ["a.txt", "dir/b.txt"]


def test_recent_commits_leave_merges_out_and_stop_at_the_limit(folder: Path, git: Git) -> None:
    git(folder, "checkout", "-qb", "side")
    git(folder, "commit", "-qm", "side", "--allow-empty")
    git(folder, "checkout", "-q", "main")
    git(folder, "commit", "-qm", "main", "--allow-empty")
    git(folder, "merge", "-q", "--no-edit", "side")
    repository = Repository.open(folder)
    expected = git(folder, "rev-list", "--no-merges", "HEAD").split()
    assert repository.recent("HEAD", limit=9) == expected
    assert repository.recent("HEAD", limit=2) == expected[:2]


def test_touched_pairs_a_renamed_file_only_when_asked(folder: Path, git: Git) -> None:
    git(folder, "mv", "a.txt", "b.txt")
    (folder / "dir" / "b.txt").write_text("three\n")
    git(folder, "commit", "-qam", "rename")
    repository = Repository.open(folder)
    head = repository.resolve("HEAD")
    found = repository.touched([head], renames=True)[head]
    assert [(change.status, change.old_path, change.path) for change in found] == [
        ("R", "a.txt", "b.txt"),
        ("M", "dir/b.txt", "dir/b.txt"),
    ]
    assert sorted(change.status for change in repository.touched([head])[head]) == ["A", "D", "M"]
