"""M15, M16, M18, M19: what lands, what does not, and that the base never points at what nobody checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from harbour import (
    Checks,
    approve,
    ejected,
    journal,
    land,
    lander,
    names,
    new_files,
    red_with,
    trees_of_main,
)
from stage import Stage, Watched, branch
from switchyard_merge import MergeError
from switchyard_merge.forge import MergeMethod
from switchyard_merge.land import Nobody
from switchyard_merge.queue import Prefix

DIAMOND = {
    "a": ([], [{"fa": "1\n"}, {"fa": "2\n", "gone": "x\n"}]),
    "b": (["a"], [{"fb": "1\n", "gone": None}]),
    "c": (["a"], [{"fc": "1\n"}]),
    "d": (["b", "c"], [{"fd": "1\n"}]),
}
LANDED = {"fa": "2\n", "fb": "1\n", "fc": "1\n", "fd": "1\n"}


@pytest.mark.parametrize("method", ["squash", "rebase", "merge"])
@pytest.mark.slow
def test_a_diamond_lands_parents_first_and_leaves_nothing(stage: Stage, method: MergeMethod) -> None:
    stage.publish(DIAMOND)
    approve(stage)
    checks = Checks(stage)
    told = land(stage, checks, method=method)
    assert (names(told), told.waiting, told.ejected) == (["a", "b", "c", "d"], {}, ())
    assert all(one.was_foreseen for one in told.landed)
    assert new_files(stage) == LANDED
    assert set(trees_of_main(stage)) <= checks.green
    assert [move.tree for move in journal(stage).moves] == trees_of_main(stage)
    assert len(checks.trees) == len(set(checks.trees)) == 4
    assert stage.yard.heads() == {}
    assert {stage.pull(task).state for task in "abcd"} == {"merged"}


@pytest.mark.parametrize("method", ["squash", "rebase", "merge"])
def test_a_batch_moves_the_base_once_to_what_landing_singly_gives(stage: Stage, method: MergeMethod) -> None:
    stage.publish(DIAMOND)
    approve(stage)
    checks = Checks(stage)
    told = land(stage, checks, method=method, batch=8)
    assert names(told) == ["a", "b", "c", "d"]
    assert new_files(stage) == LANDED
    assert trees_of_main(stage) == checks.trees
    assert len(checks.trees) == 1
    assert stage.yard.heads() == {}
    assert {stage.pull(task).state for task in "abcd"} == {"merged"}


@pytest.mark.slow
def test_landing_again_does_nothing(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"red": "1\n"}]), "c": ([], [{"fc": "1\n"}])})
    approve(stage, "a", "b")
    checks = Checks(stage, red_with("red"))
    first = land(stage, checks)
    assert (names(first), ejected(first)) == (["a"], {"b": ""})
    writes, refs, runs = len(stage.watched.writes), stage.yard.origin.refs(), len(checks.trees)
    again = land(stage, checks)
    assert (names(again), ejected(again), again.waiting) == ([], {"b": ""}, first.waiting)
    assert [name for name, _ in stage.watched.writes[writes:]] == ["comment"]
    assert (stage.yard.origin.refs(), len(checks.trees)) == (refs, runs)


def test_what_is_not_approved_or_not_green_waits_and_so_does_what_stands_on_it(stage: Stage) -> None:
    stage.publish({task: ([], [{task * 2: "1\n"}]) for task in "pqrs"} | {"t": (["p"], [{"ft": "1\n"}])})
    approve(stage, "q", "r", "s", "t")
    stage.forge.record_check(stage.numbers["q"], "build", "failed")
    stage.forge.record_check(stage.numbers["r"], "build", "passed")
    told = land(stage, Checks(stage), required_checks=("build",))
    assert names(told) == ["r"]
    assert told.waiting == {
        branch("p"): "nobody has approved it yet",
        branch("q"): "checks failed: build",
        branch("s"): "checks have not finished: build",
        branch("t"): f"stands on {branch('p')}, which has not landed",
    }


@pytest.mark.parametrize("batch", [1, 8])
def test_m15_a_semantic_conflict_ejects_the_second_and_keeps_the_base_green(stage: Stage, batch: int) -> None:
    stage.publish({"a": ([], [{"caller": "1\n"}]), "b": ([], [{"callee": "1\n"}])})
    approve(stage)
    checks = Checks(stage, red_with("caller", "callee"))
    told = land(stage, checks, batch=batch)
    assert (names(told), ejected(told)) == (["a"], {"b": ""})
    assert told.waiting == {branch("b"): "its checks are red"}
    assert set(trees_of_main(stage)) <= checks.green
    (comment,) = stage.comments("b")
    assert "caller and callee do not work" in comment
    assert stage.pull("b").state == "open"


@pytest.mark.slow
def test_m16_what_stands_on_a_closed_one_does_not_land(stage: Stage) -> None:
    stage.publish(DIAMOND | {"x": ([], [{"fx": "1\n"}])})
    approve(stage)
    stage.forge.close(stage.numbers["b"])
    told = land(stage, Checks(stage))
    assert names(told) == ["a", "c", "x"]
    assert "closed unmerged" in told.waiting[branch("b")]
    assert branch("b") in told.waiting[branch("d")]
    assert stage.at(branch("b")) == stage.tip("b")


@pytest.mark.parametrize("batch", [1, 8])
def test_m16_what_is_closed_while_it_is_checked_keeps_its_children(stage: Stage, batch: int) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"fb": "1\n"}])})
    approve(stage)
    checks = Checks(stage)
    checks.meanwhile.append(lambda: stage.forge.close(stage.numbers["a"]))
    told = land(stage, checks, batch=batch)
    assert (names(told), trees_of_main(stage)) == ([], [])
    assert told.waiting.keys() == {branch("a"), branch("b")}
    assert stage.bases() == {"b": "a"}, "against main it would show what was given up"


def test_what_a_person_gave_up_does_not_land_and_neither_does_what_stands_on_it(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"fb": "1\n"}]), "c": ([], [{"fc": "1\n"}])})
    approve(stage)
    told = replace(lander(stage, Checks(stage)), refused={branch("a"): "a person rejected it"}).land("r")
    assert names(told) == ["c"]
    assert told.waiting == {
        branch("a"): "a person rejected it",
        branch("b"): f"stands on {branch('a')}, which has not landed",
    }


class Pusher(Nobody):
    """A person who pushes to main when nothing is looked at any more before the forge merges."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.theirs = [{"theirs": "1\n"}]

    def about_to_land(self, prefixes: Sequence[Prefix]) -> None:
        if self.theirs:
            self.stage.move_main(self.theirs.pop())


@pytest.mark.parametrize("batch", [1, 8])
def test_m19_where_the_forge_can_nothing_lands_on_another_base_than_was_checked(stage: Stage, batch: int) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)
    checks = Checks(stage)
    singly = lander(stage, checks, batch=batch)
    told = replace(singly, batches=stage.forge, witness=Pusher(stage)).land("r")
    assert (names(told), [one.was_foreseen for one in told.landed]) == (["a"], [True])
    _, ours = trees_of_main(stage)
    assert checks.trees[1:] == [ours]
    assert new_files(stage) == {"fa": "1\n", "theirs": "1\n"}


class DeletingForge(Watched):
    """A forge that deletes the branch that it merged, as GitHub may be told to; it retargets what is based on it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.forge)
        self.stage = stage

    def merge(self, number: int, **named: Any) -> Any:
        self.writes.append(("merge", number))
        merged = self.inner.merge(number, **named)
        for pull in self.inner.list():
            if pull.base == merged.head and pull.state == "open":
                self.inner.edit(pull.number, base=merged.base)
        self.stage.delete(merged.head)
        return merged


def test_m18_a_branch_that_the_merge_deletes_has_its_child_retargeted_once(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"fb": "1\n"}])})
    approve(stage)
    forge = DeletingForge(stage)
    told = lander(stage, Checks(stage), forge=forge).land("r")
    assert names(told) == ["a", "b"]
    a, b = stage.numbers["a"], stage.numbers["b"]
    assert forge.writes == [("edit", b), ("merge", a), ("merge", b)]


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.slow
def test_m19_a_base_that_moves_meanwhile_has_the_new_tree_checked(stage: Stage, batch: int) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"fb": "1\n"}])})
    approve(stage)
    checks = Checks(stage)
    checks.meanwhile.append(lambda: stage.move_main({"theirs": "1\n"}))
    told = land(stage, checks, batch=batch)
    assert names(told) == ["a", "b"]
    assert all(one.was_foreseen for one in told.landed)
    stale = checks.trees[0]
    theirs, *ours = trees_of_main(stage)
    assert stale not in ours
    assert theirs not in checks.green
    assert set(ours) <= checks.green
    assert new_files(stage) == {"fa": "1\n", "fb": "1\n", "theirs": "1\n"}


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.slow
def test_m19_a_base_that_never_rests_is_left_for_later(stage: Stage, batch: int) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)
    checks = Checks(stage)
    checks.meanwhile += [lambda at=at: stage.move_main({"theirs": f"{at}\n"}) for at in range(20)]  # type: ignore[misc]
    told = land(stage, checks, batch=batch)
    assert (names(told), len(checks.trees)) == ([], 5)
    assert "moved 5 times" in told.waiting[branch("a")]


class HurriedForge(Watched):
    """A forge on which somebody else lands just before us, where no look can see it."""

    def __init__(self, stage: Stage, theirs: dict[str, str | None]) -> None:
        super().__init__(stage.forge)
        self.stage = stage
        self.theirs = [theirs]

    def merge(self, number: int, **named: Any) -> Any:
        if self.theirs:
            self.stage.move_main(self.theirs.pop())
        return self.inner.merge(number, **named)


@pytest.mark.slow
def test_m19_what_the_forge_merged_onto_another_base_is_checked_afterwards(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": ([], [{"fb": "1\n"}])})
    approve(stage)
    checks = Checks(stage)
    told = lander(stage, checks, forge=HurriedForge(stage, {"theirs": "1\n"})).land("r")
    assert [(name, one.was_foreseen) for name, one in zip(names(told), told.landed, strict=True)] == [
        ("a", False),
        ("b", True),
    ]
    _, *ours = trees_of_main(stage)
    assert set(ours) <= checks.green
    assert not told.is_base_red


@pytest.mark.slow
def test_m19_a_base_that_turned_red_that_way_takes_nothing_more(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": ([], [{"fb": "1\n"}])})
    approve(stage)
    checks = Checks(stage, red_with("theirs", "fa"))
    told = lander(stage, checks, forge=HurriedForge(stage, {"theirs": "1\n"})).land("r")
    assert (names(told), ejected(told), told.is_base_red) == (["a"], {}, True)
    assert "main itself is red" in told.waiting[branch("b")]


@pytest.mark.slow
def test_an_ejected_one_lands_once_it_is_mended(stage: Stage) -> None:
    stage.publish({"a": ([], [{"red": "1\n"}]), "b": (["a"], [{"fb": "1\n"}])})
    approve(stage)
    checks = Checks(stage, red_with("red"))
    assert ejected(land(stage, checks)) == {"a": ""}
    stage.amend("a", {"red": None, "fa": "1\n"})
    assert names(land(stage, checks)) == ["a", "b"]


@pytest.mark.slow
def test_verdicts_of_another_suite_say_nothing_and_can_be_forgotten(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)
    one = lander(stage, Checks(stage, lambda files: "fa breaks it" if "fa" in files else ""))
    assert ejected(one.land("r")) == {"a": ""}
    still = lander(stage, Checks(stage))
    assert ejected(still.land("r")) == {"a": ""}
    still.forget_verdicts("r")
    assert names(still.land("r")) == ["a"]


@pytest.mark.slow
def test_a_persons_commits_on_a_landed_branch_are_kept(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)

    class Racing(Watched):
        def merge(self, number: int, **named: Any) -> Any:
            merged = self.inner.merge(number, **named)
            self.late = stage.amend("a", {"fa": "late\n"})
            return merged

    forge = Racing(stage.forge)
    assert names(lander(stage, Checks(stage), forge=forge).land("r")) == ["a"]
    assert stage.at(branch("a")) == forge.late


def test_a_stack_that_nobody_recorded_is_refused(stage: Stage) -> None:
    with pytest.raises(MergeError, match="no record"):
        land(stage, Checks(stage))
