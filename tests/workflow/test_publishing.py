"""A branch is pushed once, from where the factory left it, and not at all where it would conflict."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge import StackRecord, StaleBranch, Stand
from switchyard_merge.forge import LocalForge

from switchyard.config import Config, RepositoryConfig
from switchyard.packets import Conflict, Ground, PlannedTask, Pushed
from switchyard.workflow.grounding import ground_of
from switchyard.workflow.places import Places
from switchyard.workflow.publishing import open_pull_request, push_if_clean
from switchyard.workflow.stores import fetch_base, open_stores
from workflow.conftest import LONG, Yard, commit_edits


def push(yard: Yard, task: PlannedTask, head: CommitSha, ground: Ground | None = None) -> Pushed:
    return push_if_clean(yard.factory, yard.plan, task, ground or yard.ground(), head)


def publish(yard: Yard, name: str, head: CommitSha, ground: Ground | None = None) -> int:
    task = yard.task(name)
    assert push(yard, task, head, ground) == Pushed()
    return open_pull_request(yard.factory, yard.plan, task, ground or yard.ground(), head, "body\n").number


def tip(yard: Yard, path: str, text: str = "edited\n") -> CommitSha:
    return yard.commit(yard.base, {path: text})


def move_base(yard: Yard, path: str, text: str) -> CommitSha:
    """A person's commit on the base, made where the factory cannot see it until it fetches."""
    moved = commit_edits(yard.origin, yard.base, {path: text}, at=50)
    yard.origin.update_refs([RefUpdate(RefName("refs/heads/main"), moved, yard.base)])
    return moved


def test_a_clean_branch_is_pushed_and_a_pull_request_opened(yard: Yard) -> None:
    head = tip(yard, "a")
    assert publish(yard, "t", head) == 1
    assert yard.heads() == {"factory/r1/t": head}
    pull = yard.factory.forge.get(1)
    assert (pull.title, pull.head, pull.base, pull.head_sha) == ("Do t", "factory/r1/t", "main", head)


def test_publishing_again_adopts_what_is_there(yard: Yard) -> None:
    head = tip(yard, "a")
    assert [publish(yard, "t", head), publish(yard, "t", head)] == [1, 1]
    assert len(yard.factory.forge.list()) == 1


def test_a_push_that_was_never_recorded_is_adopted_though_it_would_conflict_by_now(yard: Yard) -> None:
    head = tip(yard, "a", "mine\n")
    push(yard, yard.task("t"), head)
    move_base(yard, "a", "theirs\n")
    assert push(yard, yard.task("t"), head) == Pushed()


def test_a_conflict_with_an_open_sibling_is_named_and_nothing_is_pushed(yard: Yard) -> None:
    publish(yard, "first", tip(yard, "a", "one\n"))
    found = push(yard, yard.task("second"), tip(yard, "a", "two\n")).conflict
    assert found == Conflict(between=("factory/r1/second", "factory/r1/first"), paths=("a",))
    assert set(yard.heads()) == {"factory/r1/first"}


def test_a_conflict_with_a_base_that_moved_meanwhile_is_found_before_the_push(yard: Yard) -> None:
    move_base(yard, "a", "theirs\n")
    found = push(yard, yard.task("t"), tip(yard, "a", "mine\n")).conflict
    assert found == Conflict(between=("factory/r1/t", "main"), paths=("a",))
    assert yard.heads() == {}


def test_a_base_that_moved_elsewhere_is_in_nobodys_way(yard: Yard) -> None:
    move_base(yard, "b", "theirs\n")
    assert push(yard, yard.task("t"), tip(yard, "a")) == Pushed()


def test_a_branch_that_builds_on_the_other_does_not_conflict_with_it(yard: Yard) -> None:
    parent = tip(yard, "a", "one\n")
    publish(yard, "parent", parent)
    child = yard.commit(parent, {"a": "one and more\n"})
    number = publish(yard, "child", child, yard.ground(parent, "factory/r1/parent"))
    assert yard.factory.forge.get(number).base == "factory/r1/parent"


def test_edits_of_one_file_in_different_places_are_no_conflict(yard: Yard) -> None:
    publish(yard, "first", tip(yard, "a", f"top\n{LONG}"))
    assert push(yard, yard.task("second"), tip(yard, "a", f"{LONG}end\n")) == Pushed()


@pytest.mark.parametrize("edit", [{"d": "one\n"}, {"a": None}])
def test_a_file_added_twice_or_removed_here_and_edited_there_is_a_conflict(
    yard: Yard, edit: dict[str, str | None]
) -> None:
    publish(yard, "first", yard.commit(yard.base, edit))
    other = dict.fromkeys(edit, "two\n")
    conflict = push(yard, yard.task("second"), yard.commit(yard.base, other)).conflict
    assert conflict is not None and conflict.paths == tuple(edit)


def test_a_conflict_in_a_path_that_is_no_text_is_told_all_the_same(yard: Yard) -> None:
    name = "src/\udcff.py"
    publish(yard, "first", yard.commit(yard.base, {name: "one\n"}))
    found = push(yard, yard.task("second"), yard.commit(yard.base, {name: "two\n"})).conflict
    assert found is not None and found.paths == ("src/\\xff.py",)


def test_a_closed_siblings_branch_is_in_nobodys_way(yard: Yard) -> None:
    number = publish(yard, "first", tip(yard, "a", "one\n"))
    yard.factory.forge.close(number)
    assert push(yard, yard.task("second"), tip(yard, "a", "two\n")) == Pushed()


def test_a_sibling_pushed_but_not_yet_opened_counts(yard: Yard) -> None:
    push(yard, yard.task("first"), tip(yard, "a", "one\n"))
    assert push(yard, yard.task("second"), tip(yard, "a", "two\n")).conflict is not None


def test_a_branch_of_another_factory_is_fetched_and_found_to_conflict(yard: Yard) -> None:
    stranger = commit_edits(yard.origin, yard.base, {"a": "stranger\n"}, at=9)
    yard.origin.update_refs([RefUpdate(RefName("refs/heads/factory/other/x"), stranger, None)])
    conflict = push(yard, yard.task("t"), tip(yard, "a", "mine\n")).conflict
    assert conflict is not None
    assert conflict.between == ("factory/r1/t", "factory/other/x")


def test_a_persons_commit_on_the_branch_is_never_overwritten(yard: Yard) -> None:
    push(yard, yard.task("t"), tip(yard, "a"))
    ref = RefName("refs/heads/factory/r1/t")
    persons = commit_edits(yard.origin, tip(yard, "a"), {"b": "a person was here\n"}, at=9)
    yard.origin.update_refs([RefUpdate(ref, persons, tip(yard, "a"))])
    again = yard.task("t", pushed=tip(yard, "a"))
    with pytest.raises(StaleBranch, match="factory/r1/t"):
        push(yard, again, yard.commit(yard.base, {"c": "another try\n"}))
    assert yard.origin.resolve(ref) == persons


def test_a_second_try_replaces_what_the_factory_pushed_itself(yard: Yard) -> None:
    first, second = tip(yard, "a", "one\n"), tip(yard, "a", "two\n")
    publish(yard, "t", first)
    assert push(yard, yard.task("t", pushed=first), second) == Pushed()
    assert yard.heads() == {"factory/r1/t": second}


def test_a_join_is_pushed_with_its_branch_and_replaced_when_its_parents_moved(yard: Yard) -> None:
    one, two = tip(yard, "a"), tip(yard, "b")
    task = yard.task("t", "p", "q")
    heads = {}
    for head in (two, yard.commit(two, {"b": "more\n"})):
        ground = ground_of(yard.factory, yard.plan, task, yard.settled(p=one, q=head))
        assert isinstance(ground, Ground)
        mine = yard.commit(ground.commit, {"c": "mine\n"})
        assert push(yard, replace_pushed(task, heads.get("factory/r1/t")), mine, ground) == Pushed()
        assert yard.heads() == {"factory/r1/join-t": ground.commit, "factory/r1/t": mine}
        heads = yard.heads()
    assert yard.factory.quarantine.is_ancestor(one, heads["factory/r1/join-t"])


def test_a_join_is_no_sibling_to_conflict_with(yard: Yard) -> None:
    one, two = tip(yard, "a", "one\n"), tip(yard, "b")
    task = yard.task("t", "p", "q")
    ground = ground_of(yard.factory, yard.plan, task, yard.settled(p=one, q=two))
    assert isinstance(ground, Ground)
    ref = RefName("refs/heads/factory/r1/join-t")
    yard.factory.quarantine.push(yard.origin.git_dir, [RefUpdate(ref, ground.commit, None)])
    assert push(yard, yard.task("other"), tip(yard, "a", "two\n")) == Pushed()


def test_two_tasks_that_conflict_and_push_at_once_never_both_get_through(yard: Yard) -> None:
    heads = {f"t{number}": tip(yard, "a", f"{number}\n") for number in range(6)}
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda item: push(yard, yard.task(item[0]), item[1]), heads.items()))
    assert sum(outcome.conflict is None for outcome in outcomes) == 1
    assert len(yard.heads()) == 1


def test_a_persons_own_repository_receives_branches_and_keeps_its_worktree(yard: Yard, tmp_path: Path) -> None:
    folder = tmp_path / "person's own"
    person = Repository.init(folder)
    person.fetch(yard.origin.git_dir, ["refs/heads/main:refs/heads/imported"])
    person.update_refs([RefUpdate(RefName("refs/heads/main"), yard.base, None)])
    (folder / "untracked").write_text("mine\n")
    target = str(person.common_dir)
    here = replace(
        yard,
        factory=replace(yard.factory, forge=LocalForge(yard.factory.places.forge, yard.factory.quarantine, target)),
        plan=yard.plan.model_copy(update={"target": target}),
    )
    head = tip(yard, "a")
    assert publish(here, "t", head) == 1
    assert person.resolve("refs/heads/factory/r1/t") == head
    assert [path.name for path in folder.iterdir() if path.name != ".git"] == ["untracked"]


def test_a_shallow_repository_receives_a_branch_and_sees_its_conflicts(yard: Yard, tmp_path: Path) -> None:
    moved = move_base(yard, "a", "second\n")
    folder = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{yard.origin.git_dir}", folder], check=True)
    places = Places(tmp_path / "shallow state")
    mirror, quarantine = open_stores(places)
    base = fetch_base(Repository.open(folder), mirror, Config(repository=RepositoryConfig(remote="")))
    assert base.commit == moved
    forge = LocalForge(places.forge, quarantine, base.target)
    here = replace(
        yard,
        factory=replace(yard.factory, places=places, quarantine=quarantine, forge=forge),
        plan=yard.plan.model_copy(update={"target": base.target, "base_commit": base.commit}),
    )
    head = commit_edits(quarantine, base.commit, {"b": "mine\n"})
    assert publish(here, "t", head) == 1
    clashing = commit_edits(quarantine, base.commit, {"b": "other\n"})
    assert push(here, here.task("u"), clashing).conflict is not None
    assert Repository.open(folder).resolve("refs/heads/factory/r1/t") == head


def replace_pushed(task: PlannedTask, pushed: CommitSha | None) -> PlannedTask:
    return task.model_copy(update={"pushed": pushed or ""})


def test_a_pull_request_whose_parent_landed_meanwhile_goes_to_the_base(yard: Yard) -> None:
    parent = tip(yard, "a")
    publish(yard, "p", parent)
    ref = RefName("refs/heads/factory/r1/p")
    yard.origin.update_refs([RefUpdate(ref, None, parent)])
    ground = Ground(commit=parent, branch="factory/r1/p", grounds=(parent,), parents=("factory/r1/p",))
    number = publish(yard, "t", yard.commit(parent, {"b": "edited\n"}), ground)
    assert yard.factory.forge.get(number).base == "main"


def test_what_is_pushed_is_remembered_with_what_it_stands_on(yard: Yard) -> None:
    head = tip(yard, "a")
    publish(yard, "p", head)
    child = yard.commit(head, {"b": "edited\n"})
    ground = Ground(commit=head, branch="factory/r1/p", grounds=(head,), parents=("factory/r1/p",))
    for _ in range(2):
        publish(yard, "t", child, ground)
    found = StackRecord.load(yard.factory.quarantine, "factory/main")
    assert found is not None
    assert {name: recorded.aim for name, recorded in found[0].branches.items()} == {
        "factory/r1/p": Stand(head, yard.base, (yard.base,)),
        "factory/r1/t": Stand(child, head, (head,), ("factory/r1/p",)),
    }
    assert found[0].branches["factory/r1/t"].join == "factory/r1/join-t"
