"""Branches move only from where the factory left them, all or none, and what is there already is adopted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge import (
    BranchInUse,
    BranchUpdate,
    ForbiddenRef,
    ForgeRefused,
    PushedBranch,
    StaleBranch,
    branch_name,
    is_join_branch,
    join_branch_name,
    push_branches,
)
from yard import Yard

Tip = Callable[[str], CommitSha]
ONE, TWO = "factory/r/one", "factory/r/two"


def ref(branch: str) -> RefName:
    return RefName(f"refs/heads/{branch}")


def test_branches_are_pushed_together_and_a_second_run_pushes_nothing(yard: Yard, tip: Tip) -> None:
    updates = [BranchUpdate(ONE, tip("a"), None), BranchUpdate(TWO, tip("b"), None)]
    assert [pushed.outcome for pushed in push_branches(yard.factory, yard.origin.git_dir, updates)] == ["pushed"] * 2
    assert yard.heads() == {ONE: tip("a"), TWO: tip("b")}
    stamp = _stamps(yard)
    _let_no_push_through(yard)
    again = push_branches(yard.factory, str(yard.origin.git_dir), updates)
    assert [pushed.outcome for pushed in again] == ["adopted"] * 2
    assert _stamps(yard) == stamp


def test_only_what_differs_is_pushed(yard: Yard, tip: Tip) -> None:
    push_branches(yard.factory, yard.origin.git_dir, [BranchUpdate(ONE, tip("a"), None)])
    above = yard.commit(tip("a"), {"d": "more\n"})
    pushed = push_branches(
        yard.factory,
        yard.origin.git_dir,
        [BranchUpdate(ONE, tip("a"), None), BranchUpdate(TWO, above, None)],
    )
    assert pushed == [PushedBranch(ONE, tip("a"), "adopted"), PushedBranch(TWO, above, "pushed")]


@pytest.mark.parametrize("fetched", [False, True])
def test_a_persons_commit_on_the_branch_is_kept(yard: Yard, tip: Tip, fetched: bool) -> None:
    push_branches(yard.factory, yard.origin.git_dir, [BranchUpdate(ONE, tip("a"), None)])
    persons = yard.commit(tip("a"), {"a": "a person was here\n"})
    yard.factory.push(yard.origin.git_dir, [RefUpdate(ref(ONE), persons, tip("a"))])
    if fetched:
        yard.factory.fetch(yard.origin.git_dir, ["+refs/heads/*:refs/remotes/origin/*"])
    with pytest.raises(StaleBranch) as caught:
        push_branches(yard.factory, yard.origin.git_dir, [BranchUpdate(ONE, tip("c"), tip("a"))])
    assert caught.value.branches == (ONE,)
    assert persons in str(caught.value)
    assert yard.heads() == {ONE: persons}


def test_a_person_who_pushes_between_the_look_and_the_push_wins(yard: Yard, tip: Tip) -> None:
    persons = tip("b")
    _while_pushing(yard, f"git update-ref refs/heads/{ONE} {persons}")
    yard.factory.push(yard.origin.git_dir, [RefUpdate(RefName("refs/heads/persons"), persons, None)])
    (yard.origin.git_dir / "armed").touch()
    with pytest.raises(StaleBranch, match=persons):
        push_branches(yard.factory, yard.origin.git_dir, [BranchUpdate(ONE, tip("a"), None)])
    assert yard.heads() == {ONE: persons}


def test_one_stale_branch_keeps_all_where_they_are(yard: Yard, tip: Tip) -> None:
    push_branches(yard.factory, yard.origin.git_dir, [BranchUpdate(TWO, tip("b"), None)])
    with pytest.raises(StaleBranch) as caught:
        push_branches(
            yard.factory, yard.origin.git_dir, [BranchUpdate(ONE, tip("a"), None), BranchUpdate(TWO, tip("c"), None)]
        )
    assert caught.value.branches == (TWO,)
    assert yard.heads() == {TWO: tip("b")}


def test_a_rule_of_the_remote_is_told_apart_from_a_race(yard: Yard, tip: Tip) -> None:
    _let_no_push_through(yard)
    with pytest.raises(ForgeRefused, match="declined"):
        push_branches(yard.factory, yard.origin.git_dir, [BranchUpdate(ONE, tip("a"), None)])
    assert yard.heads() == {}


@pytest.mark.parametrize(
    "branch",
    [
        "main",
        "refs/heads/main",
        "refs/tags/factory/r/t",
        "feature/factory/x",
        "factory",
        "factoryx/r/t",
        "factory/../main",
        "factory/r/t:refs/heads/main",
        "refs/heads/factory/r/t lock",
        "factory/r/t\n",
        "+factory/r/t",
        "",
    ],
)
def test_nothing_but_the_factorys_branches_is_ever_pushed(yard: Yard, tip: Tip, branch: str) -> None:
    before = yard.origin.refs()
    with pytest.raises(ForbiddenRef):
        push_branches(
            yard.factory,
            yard.origin.git_dir,
            [BranchUpdate(ONE, tip("a"), None), BranchUpdate(branch, tip("a"), None)],
        )
    assert yard.origin.refs() == before


def test_without_a_remote_branches_land_in_the_persons_repository_alone(
    yard: Yard, tip: Tip, person: Repository
) -> None:
    assert person.worktree is not None
    (person.worktree / "draft.txt").write_text("unsaved work\n")
    hook = person.git_dir / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch '{person.git_dir}/sprung'\n")
    for name in ("pre-receive", "update", "post-receive", "reference-transaction"):
        (hook.parent / name).write_text(hook.read_text())
        (hook.parent / name).chmod(0o755)
    before = sorted(path.name for path in person.worktree.iterdir())
    for number, target in enumerate((person, person.git_dir, str(person.worktree))):
        branch = f"factory/r/{number}"
        assert push_branches(yard.factory, target, [BranchUpdate(branch, tip("a"), None)])[0].outcome == "pushed"
        assert person.resolve(branch) == tip("a")
    assert person.resolve("main") == yard.base
    assert sorted(path.name for path in person.worktree.iterdir()) == before
    assert not (person.git_dir / "sprung").exists()
    assert not (person.git_dir / "FETCH_HEAD").exists()
    with pytest.raises(StaleBranch):
        push_branches(yard.factory, person, [BranchUpdate("factory/r/0", tip("b"), None)])


def test_a_branch_that_a_person_is_on_is_not_moved(yard: Yard, tip: Tip, person: Repository) -> None:
    push_branches(yard.factory, person, [BranchUpdate(ONE, tip("a"), None)])
    (person.git_dir / "HEAD").write_text(f"ref: refs/heads/{ONE}\n")
    above = yard.commit(tip("a"), {"d": "more\n"})
    with pytest.raises(BranchInUse, match=ONE):
        push_branches(yard.factory, person, [BranchUpdate(ONE, above, tip("a"))])
    assert person.resolve(ONE) == tip("a")


def test_plain_ids_are_branch_names_as_they_are() -> None:
    assert branch_name("r1", "rates-api") == "factory/r1/rates-api"
    assert join_branch_name("r1", "rates-api") == "factory/r1/join-rates-api"
    assert is_join_branch("factory/r1/join-x")
    assert not is_join_branch("factory/r1/x")
    assert not is_join_branch("join-x")


@pytest.mark.parametrize(
    "task",
    ["a b", "sub/task", "x" * 300, "café", "日本" * 60, "..", ".hidden", "a..b", "x.lock", "-", "a~b^c:d", "new\nline",
     "'; rm -rf /", "@{", "🚀", "a.", " ", "\udce9", "..lock", "a..lock" * 20],
)  # fmt: skip
def test_any_id_gives_a_branch_that_can_be_pushed_and_is_its_own(yard: Yard, tip: Tip, task: str) -> None:
    branch, join = branch_name("r", task), join_branch_name("r", task)
    push_branches(
        yard.factory, yard.origin.git_dir, [BranchUpdate(branch, tip("a"), None), BranchUpdate(join, tip("b"), None)]
    )
    assert yard.heads() == {branch: tip("a"), join: tip("b")}
    assert branch_name("r", task + " ") != branch
    assert is_join_branch(join)


def _stamps(yard: Yard) -> list[int]:
    return [path.stat().st_mtime_ns for path in sorted((yard.origin.git_dir / "refs").rglob("*"))]


def _let_no_push_through(yard: Yard) -> None:
    _hook(yard, "pre-receive", "exit 1")


def _while_pushing(yard: Yard, command: str) -> None:
    _hook(yard, "pre-receive", f"test -e armed || exit 0\nunset GIT_QUARANTINE_PATH\n{command}")


def _hook(yard: Yard, name: str, script: str) -> None:
    hook = Path(yard.origin.git_dir) / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)
    subprocess.run(["sh", "-n", str(hook)], check=True)
