"""M05–M12, M16–M18, M20–M22, M28, M36, M38: what becomes of a published stack when the world moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage, branch, join
from switchyard_git import CommitSha, RefName, RefUpdate
from switchyard_merge import StaleBranch
from switchyard_merge.forge import MergeMethod
from yard import LONG, Yard

CHAIN = {
    "a": ([], [{"fa": "1\n"}, {"fa": "1\n2\n"}]),
    "b": (["a"], [{"fb": "1\n"}, {"fb": "2\n"}]),
    "c": (["b"], [{"fc": "1\n"}]),
}
DIAMOND = {
    "a": ([], [{"fa": "1\n"}]),
    "b": (["a"], [{"fb": "1\n"}]),
    "c": (["a"], [{"fc": "1\n"}]),
    "d": (["b", "c"], [{"fd": "1\n"}]),
}
ROOTS = {"b": ([], [{"fb": "1\n"}]), "c": ([], [{"fc": "1\n"}]), "d": (["b", "c"], [{"fd": "1\n"}])}


@pytest.fixture
def stage(yard: Yard, tmp_path: Path) -> Stage:
    return Stage.open(yard, tmp_path)


def test_m05_a_squashed_parent_leaves_the_childs_diff_as_it_was(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.move_main({"elsewhere": "x\n"})
    stage.land("a")
    kept = stage.keep()
    assert stage.bases() == {"b": "main", "c": "b"}
    assert (stage.diff("b"), stage.diff("c")) == ({"fb": "A"}, {"fc": "A"})
    assert (stage.subjects("b"), stage.subjects("c")) == (2, 1)
    assert kept.pushed == (branch("b"), branch("c"))
    assert stage.watched.writes == [("edit", stage.numbers["b"])]
    assert list(stage.record().branches) == [branch("b"), branch("c")]


def test_m06_a_child_that_edits_the_squashed_lines_does_not_conflict(stage: Stage) -> None:
    stage.publish(
        {
            "a": ([], [{"a": f"one\n{LONG}"}, {"a": f"one\ntwo\n{LONG}"}, {"a": f"two\n{LONG}"}]),
            "b": (["a"], [{"a": f"two, and the child's\n{LONG}"}]),
        }
    )
    stage.land("a")
    assert not stage.keep().blocked
    assert stage.files(stage.tip("b"))["a"] == f"two, and the child's\n{LONG}"
    assert stage.diff("b") == {"a": "M"}


def test_m07_a_file_that_the_child_deleted_stays_deleted(stage: Stage) -> None:
    stage.publish({"a": ([], [{"gone": LONG}, {"fa": "x\n"}]), "b": (["a"], [{"gone": None, "fb": "x\n"}])})
    stage.land("a")
    stage.keep()
    assert "gone" not in stage.files(stage.tip("b"))
    assert stage.diff("b") == {"gone": "D", "fb": "A"}
    stage.land("b")
    assert "gone" not in stage.files(stage.main())


def test_m08_a_rebased_parent_leaves_no_commit_twice(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.move_main({"elsewhere": "x\n"})
    stage.land("a", "rebase")
    stage.keep()
    assert (stage.bases()["b"], stage.subjects("b"), stage.diff("b")) == ("main", 2, {"fb": "A"})


def test_m09_after_a_merge_commit_nothing_is_replayed(stage: Stage) -> None:
    stage.publish(CHAIN)
    tips = (stage.tip("b"), stage.tip("c"))
    stage.move_main({"elsewhere": "x\n"})
    stage.land("a", "merge")
    kept = stage.keep()
    assert (stage.bases(), kept.pushed) == ({"b": "main", "c": "b"}, ())
    assert (stage.tip("b"), stage.tip("c")) == tips
    assert stage.diff("b") == {"fb": "A"}


def test_m10_an_amended_parent_moves_each_descendant_once(stage: Stage) -> None:
    stage.publish({**CHAIN, "d": (["c"], [{"fd": "1\n"}])})
    amended = stage.amend("a", {"fa": "rewritten\n"}, onto=stage.yard.base)
    kept = stage.keep()
    assert kept.pushed == (branch("b"), branch("c"), branch("d"))
    assert stage.watched.writes == []
    assert stage.tip("a") == amended
    assert stage.files(stage.tip("d"))["fa"] == "rewritten\n"
    assert [stage.diff(task) for task in "bcd"] == [{"fb": "A"}, {"fc": "A"}, {"fd": "A"}]


def test_m11_a_parent_that_moves_during_the_restack_makes_it_start_over(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.amend("a", {"fa": "second\n"})
    keeper = stage.keeper()
    plan = keeper.plan("r")
    late = stage.amend("a", {"fa": "third\n"})
    with pytest.raises(StaleBranch):
        keeper._push(plan.moved)
    assert branch("b") in {update.branch for update in plan.moved}
    stage.keep()
    assert stage.tip("a") == late
    assert stage.files(stage.tip("c"))["fa"] == "third\n"
    assert (stage.subjects("b"), stage.subjects("c")) == (2, 1)


@pytest.mark.parametrize("method", ["squash", "rebase", "merge"])
def test_m12_a_join_is_rebuilt_from_the_base_and_the_parent_that_is_left(stage: Stage, method: MergeMethod) -> None:
    stage.publish(ROOTS)
    stage.move_main({"elsewhere": "x\n"})
    stage.land("b", method)
    stage.keep()
    assert stage.bases() == {"c": "main", "d": "join-d"}
    assert stage.diff("d") == {"fd": "A"}
    stage.amend("c", {"fc": "2\n"})
    stage.keep()
    assert stage.files(stage.tip("d"))["fc"] == "2\n"
    assert stage.diff("d") == {"fd": "A"}
    stage.land("c", method)
    stage.keep()
    assert (stage.bases(), stage.diff("d"), stage.subjects("d")) == ({"d": "main"}, {"fd": "A"}, 1)


def test_m12_the_join_of_a_diamond_is_no_longer_needed(stage: Stage) -> None:
    stage.publish(DIAMOND)
    stage.land("a")
    stage.keep()
    stage.land("b")
    stage.keep()
    assert stage.diff("d") == {"fd": "A"}
    stage.land("c")
    stage.keep()
    assert (stage.bases(), stage.diff("d")) == ({"d": "main"}, {"fd": "A"})
    stage.land("d")
    assert stage.files(stage.main()).keys() == {"a", "b", "c", "fa", "fb", "fc", "fd"}


def test_m16_a_closed_parent_blocks_what_stands_on_it(stage: Stage) -> None:
    stage.publish(DIAMOND)
    stage.forge.close(stage.numbers["b"])
    before = stage.bases()
    kept = stage.keep()
    assert set(kept.blocked) == {branch("b"), branch("d")}
    assert "closed unmerged" in kept.blocked[branch("b")].reason
    assert (stage.bases(), kept.steps, kept.pushed) == (before, (), ())
    stage.forge.reopen(stage.numbers["b"])
    assert not stage.keep().blocked


def test_m16_what_a_person_closed_stays_closed_when_its_base_is_deleted_later(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.forge.close(stage.numbers["b"])
    assert set(stage.keep().blocked) == {branch("b"), branch("c")}
    stage.land("a", delete=True)
    assert "closed unmerged" in stage.keep().blocked[branch("b")].reason
    assert (stage.pull("b").state, branch("a") in stage.yard.heads()) == ("closed", False)


@pytest.mark.parametrize("killed_after", [None, "revived", "reopened"])
def test_m17_a_child_that_closed_with_its_parents_branch_is_opened_again(
    stage: Stage, killed_after: str | None
) -> None:
    stage.publish(CHAIN)
    old = stage.tip("a")
    stage.land("a")
    stage.delete(branch("a"))
    stage.forge.close(stage.numbers["b"])
    if killed_after:
        _stop(stage, killed_after)
    stage.keep()
    assert (stage.pull("b").state, stage.bases()) == ("open", {"b": "main", "c": "b"})
    assert stage.diff("b") == {"fb": "A"}
    assert stage.at(branch("a")) == old


def _stop(stage: Stage, when: str) -> None:
    """Die in the middle of a keep."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    setattr(stage.watched, "reopen" if when == "revived" else "edit", die)
    with pytest.raises(KeyboardInterrupt):
        stage.keeper().keep("r")
    delattr(stage.watched, "reopen" if when == "revived" else "edit")


def test_m18_a_parents_branch_that_the_merge_deleted_needs_one_retarget(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.land("a", delete=True)
    stage.keep()
    assert stage.watched.writes == [("edit", stage.numbers["b"])]
    assert (stage.bases(), stage.diff("b")) == ({"b": "main", "c": "b"}, {"fb": "A"})
    assert branch("a") not in stage.yard.heads()


@pytest.mark.parametrize("fetched", [False, True])
def test_m20_m21_a_persons_push_is_kept_and_built_on(stage: Stage, fetched: bool) -> None:
    stage.publish(CHAIN)
    stage.amend("a", {"fa": "amended\n"})
    keeper = stage.keeper()
    plan = keeper.plan("r")
    persons = stage.amend("b", {"person": "was here\n"})
    if fetched:
        stage.yard.factory.fetch(stage.yard.origin.git_dir, ["+refs/heads/*:refs/remotes/origin/*"])
    with pytest.raises(StaleBranch):
        keeper._push(plan.moved)
    assert stage.tip("b") == persons
    stage.keep()
    assert stage.files(stage.tip("c")) | {"fa": "amended\n", "person": "was here\n"} == stage.files(stage.tip("c"))
    assert stage.subjects("b") == 3


def test_m22_one_stale_branch_of_a_push_keeps_all_where_they_are(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.amend("a", {"fa": "amended\n"})
    keeper = stage.keeper()
    plan = keeper.plan("r")
    stage.amend("c", {"person": "was here\n"})
    before = stage.yard.origin.refs()
    with pytest.raises(StaleBranch):
        keeper._push(plan.moved)
    assert stage.yard.origin.refs() == before


def test_a_branch_that_a_person_rebased_away_is_left_to_them(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.move_main({"elsewhere": "x\n"})
    stage.amend("b", {"fb": "theirs\n"}, onto=stage.main())
    kept = stage.keep()
    assert set(kept.blocked) == {branch("b"), branch("c")}
    assert kept.pushed == ()


def test_a_persons_push_to_a_join_is_not_overwritten(stage: Stage) -> None:
    stage.publish(ROOTS)
    theirs = stage.yard.commit(stage.at(join("d")), {"person": "x\n"})
    stage.put(join("d"), theirs)
    stage.amend("b", {"fb": "2\n"})
    kept = stage.keep()
    assert set(kept.blocked) == {branch("d")}
    assert stage.at(join("d")) == theirs


def test_m28_a_child_with_nothing_left_is_closed_and_its_children_go_on(stage: Stage) -> None:
    stage.publish({**CHAIN, "b": (["a"], [{"fb": "1\n"}])})
    stage.amend("a", {"fb": "1\n"})
    stage.keep()
    assert (stage.pull("b").state, stage.bases()) == ("closed", {"a": "main", "c": "a"})
    assert stage.comments("b") == ["Already landed: its base holds all of it."]
    assert stage.diff("c") == {"fc": "A"}


@pytest.mark.parametrize("closed", [False, True])
def test_a_squash_that_somebody_made_by_hand_is_recognised(stage: Stage, closed: bool) -> None:
    stage.publish(CHAIN)
    stage.move_main({"elsewhere": "x\n"})
    stage.move_main({"fa": "1\n2\n"})
    stage.move_main({"elsewhere": "y\n"})
    if closed:
        stage.forge.close(stage.numbers["a"])
    stage.keep()
    assert (stage.pull("a").state, stage.bases()) == ("closed", {"b": "main", "c": "b"})
    assert stage.diff("b") == {"fb": "A"}


def test_a_base_that_moved_alone_moves_nothing(stage: Stage) -> None:
    stage.publish(DIAMOND)
    stage.move_main({"elsewhere": "x\n"})
    kept = stage.keep()
    assert (kept.steps, kept.pushed, stage.watched.writes) == ((), (), [])


def test_a_child_merged_into_its_parent_hands_its_children_over(stage: Stage) -> None:
    stage.publish(CHAIN)
    stage.land("b")
    stage.keep()
    assert stage.bases() == {"a": "main", "c": "a"}
    assert (stage.diff("a"), stage.diff("c")) == ({"fa": "A", "fb": "A"}, {"fc": "A"})


def test_a_conflict_blocks_the_branch_and_what_stands_on_it_and_names_both(stage: Stage) -> None:
    stage.publish(
        {
            "a": ([], [{"a": f"one\n{LONG}"}]),
            "b": (["a"], [{"a": f"the child's\n{LONG}"}]),
            "c": (["b"], [{"fc": "1\n"}]),
            "d": (["a"], [{"fd": "1\n"}]),
        }
    )
    stage.amend("a", {"a": f"amended\n{LONG}"})
    kept = stage.keep()
    assert set(kept.blocked) == {branch("b"), branch("c")}
    conflict = kept.blocked[branch("b")].conflict
    assert conflict is not None
    assert (conflict.commit, conflict.paths) == (stage.tip("b"), ("a",))
    assert kept.pushed == (branch("d"),)


def test_what_a_person_rebased_onto_its_parent_or_onto_the_base_is_gone_on_with(stage: Stage) -> None:
    stage.publish(
        {
            "a": ([], [{"a": f"one\n{LONG}"}]),
            "b": (["a"], [{"a": f"the child's\n{LONG}"}]),
            "c": (["b"], [{"fc": "1\n"}]),
        }
    )
    stage.amend("a", {"a": f"amended\n{LONG}"}, onto=stage.main())
    assert set(stage.keep().blocked) == {branch("b"), branch("c")}
    theirs = stage.amend("b", {"a": f"the child's, amended\n{LONG}"}, onto=stage.tip("a"))
    kept = stage.keep()
    assert (kept.blocked, kept.pushed, stage.tip("b")) == ({}, (branch("c"),), theirs)
    assert (stage.diff("b"), stage.diff("c")) == ({"a": "M"}, {"fc": "A"})

    stage.land("a", delete=True)
    theirs = stage.amend("b", {"fb": "1\n"}, onto=stage.main())
    kept = stage.keep()
    assert (kept.blocked, kept.pushed, stage.tip("b")) == ({}, (branch("c"),), theirs)
    assert stage.bases() == {"b": "main", "c": "b"}
    assert (stage.diff("b"), stage.diff("c")) == ({"fb": "A"}, {"fc": "A"})


def test_m38_with_nothing_to_do_nothing_is_written(stage: Stage) -> None:
    stage.publish(DIAMOND)
    stage.expect_nothing_to_do()
    assert stage.watched.writes == []


def test_old_tips_stay_until_nothing_needs_them(stage: Stage) -> None:
    stage.publish(CHAIN)
    old = stage.tip("a")
    stage.amend("a", {"fa": "rewritten\n"}, onto=stage.yard.base)
    refs = stage.yard.factory.refs("refs/switchyard/stacks")
    (record,) = refs.values()
    assert stage.yard.factory.is_ancestor(old, record)
    for name in (RefName(one) for one in stage.yard.factory.refs("refs/heads")):
        stage.yard.factory.update_refs([RefUpdate(name, None, CommitSha(stage.yard.factory.refs(name)[name]))])
    stage.yard.factory._ask("gc", "--prune=now", "--quiet")
    stage.keep()
    assert (stage.subjects("b"), stage.diff("b")) == (2, {"fb": "A"})
