"""A task starts from its parents' work, joined where there are several, the same every time."""

from __future__ import annotations

from switchyard_git import CommitSha, RefName

from switchyard.packets import Conflict, Ground
from switchyard.workflow.grounding import ground_below, ground_of, keep_branch
from workflow.conftest import LONG, Yard


def ground(yard: Yard, *parents: str, **heads: CommitSha) -> Ground:
    found = ground_of(yard.factory, yard.plan, yard.task("t", *parents), yard.settled(**heads))
    assert isinstance(found, Ground)
    return found


def branch(yard: Yard, name: str) -> str | None:
    ref = RefName(f"refs/heads/{name}")
    return yard.factory.quarantine.refs(ref).get(ref)


def test_without_parents_work_starts_from_the_runs_base(yard: Yard) -> None:
    assert ground(yard) == Ground(commit=yard.base, branch="main", grounds=(yard.base,))


def test_one_parent_is_built_upon_and_its_branch_is_the_base(yard: Yard) -> None:
    head = yard.commit(yard.base, {"a": "edited\n"})
    alone = Ground(commit=head, branch="factory/r1/p", grounds=(head,), parents=("factory/r1/p",))
    assert ground(yard, "p", p=head) == alone


def test_a_dependency_that_is_no_parent_is_not_joined(yard: Yard) -> None:
    low = yard.commit(yard.base, {"a": "edited\n"})
    high = yard.commit(low, {"b": "edited\n"})
    assert ground(yard, "high", low=low, high=high).commit == high


def test_several_parents_are_joined_into_one_commit_that_holds_them_all(yard: Yard) -> None:
    one, two = yard.commit(yard.base, {"a": "one\n"}), yard.commit(yard.base, {"b": "two\n", "c": None})
    found = ground(yard, "p", "q", p=one, q=two)
    assert yard.files(found.commit) == {"a": "one\n", "b": "two\n"}
    assert (found.branch, found.join) == ("factory/r1/join-t", "factory/r1/join-t")
    assert yard.factory.quarantine.is_ancestor(one, found.commit)
    assert yard.factory.quarantine.is_ancestor(two, found.commit)


def test_a_join_is_the_same_commit_whichever_run_makes_it_and_whenever(yard: Yard) -> None:
    heads = {name: yard.commit(yard.base, {name: "x\n"}, at=at) for at, name in enumerate(["a", "b", "c"])}
    first = ground(yard, *heads, **heads)
    later = yard.plan.model_copy(update={"run_id": "r9", "timestamp": yard.plan.timestamp + 1000})
    second = ground_of(yard.factory, later, yard.task("t", *heads), yard.settled(**heads))
    assert second == first


def test_a_parent_that_holds_the_others_is_ground_enough(yard: Yard) -> None:
    low = yard.commit(yard.base, {"a": "edited\n"})
    high = yard.commit(low, {"b": "edited\n"})
    found = ground(yard, "low", "high", low=low, high=high)
    assert (found.commit, found.branch, found.join) == (high, "factory/r1/high", "")
    assert (found.grounds, found.parents) == ((low, high), ("factory/r1/low", "factory/r1/high"))


def test_parents_that_do_not_go_together_are_named_with_the_paths(yard: Yard) -> None:
    one = yard.commit(yard.base, {"a": "one\n", "b": "one\n"})
    two = yard.commit(yard.base, {"a": "two\n", "c": "two\n"})
    found = ground_of(yard.factory, yard.plan, yard.task("t", "p", "q"), yard.settled(p=one, q=two))
    assert found == Conflict(between=("p", "q"), paths=("a",))
    assert found.described == "conflict (p, q) in `a`"
    assert branch(yard, "factory/r1/t") is None


def test_only_the_parents_that_clash_are_named(yard: Yard) -> None:
    one, other = yard.commit(yard.base, {"a": "one\n"}), yard.commit(yard.base, {"b": "fine\n"})
    two = yard.commit(yard.base, {"a": "two\n"})
    found = ground_of(yard.factory, yard.plan, yard.task("t", "p", "x", "q"), yard.settled(p=one, x=other, q=two))
    assert found == Conflict(between=("p", "q"), paths=("a",))


def test_parents_that_clash_in_a_path_that_is_no_text_are_told_all_the_same(yard: Yard) -> None:
    one, two = yard.commit(yard.base, {"\udcff": "one\n"}), yard.commit(yard.base, {"\udcff": "two\n"})
    found = ground_of(yard.factory, yard.plan, yard.task("t", "p", "q"), yard.settled(p=one, q=two))
    assert found == Conflict(between=("p", "q"), paths=("\\xff",))


def test_edits_of_one_file_in_different_places_are_joined(yard: Yard) -> None:
    top = yard.commit(yard.base, {"a": f"top\n{LONG}"})
    end = yard.commit(yard.base, {"a": f"{LONG}end\n"})
    assert yard.files(ground(yard, "p", "q", p=top, q=end).commit)["a"] == f"top\n{LONG}end\n"


def test_the_tasks_branch_is_there_before_any_work(yard: Yard) -> None:
    found = ground(yard)
    assert branch(yard, "factory/r1/t") == found.commit
    assert ground(yard) == found


def test_the_branch_of_an_earlier_try_is_moved_to_the_new_ground(yard: Yard) -> None:
    keep_branch(yard.factory.quarantine, "factory/r1/t", yard.commit(yard.base, {"a": "old try\n"}))
    found = ground(yard)
    assert branch(yard, "factory/r1/t") == found.commit == yard.base


def test_a_later_runs_join_stays_beside_the_tasks_first_branch(yard: Yard) -> None:
    one, two = yard.commit(yard.base, {"a": "one\n"}), yard.commit(yard.base, {"b": "two\n"})
    later = yard.plan.model_copy(update={"run_id": "r2"})
    found = ground_of(yard.factory, later, yard.task("t", "p", "q"), yard.settled(p=one, q=two))
    assert isinstance(found, Ground)
    assert found.join == "factory/r1/join-t"


def test_work_is_seen_against_what_it_holds_of_its_ground(yard: Yard) -> None:
    work, moved = yard.commit(yard.base, {"a": "mine"}), yard.commit(yard.base, {"b": "theirs"})
    ground = Ground(commit=moved, branch="main", grounds=(moved,))
    assert ground_below(yard.factory.quarantine, ground, work) == ground.model_copy(update={"commit": yard.base})
    assert ground_below(yard.factory.quarantine, ground, yard.commit(moved, {"c": "on it"})) == ground


def test_nothing_reaches_the_origin(yard: Yard) -> None:
    one, two = yard.commit(yard.base, {"a": "one\n"}), yard.commit(yard.base, {"b": "two\n"})
    ground(yard, "p", "q", p=one, q=two)
    assert yard.heads() == {}
