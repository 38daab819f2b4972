"""M31: what the forge does not merge, or not yet, is held, and never asked for again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from harbour import (
    Checks,
    approve,
    land,
    lander,
    names,
    new_files,
    trees_of_main,
)
from stage import Stage, Watched, branch
from switchyard_merge import HeadMoved, NotMergeable


class RefusingForge(Watched):
    """A forge that does not merge one pull request, a number of times."""

    def __init__(self, stage: Stage, number: int, refusals: list[Exception]) -> None:
        super().__init__(stage.forge)
        self.number = number
        self.refusals = refusals

    def merge(self, number: int, **named: Any) -> Any:
        self.writes.append(("merge", number))
        if number == self.number and self.refusals:
            raise self.refusals.pop(0)
        return self.inner.merge(number, **named)


@pytest.mark.slow
def test_m31_what_a_rule_protects_is_held_and_asked_for_once(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"fb": "1\n"}]), "c": ([], [{"fc": "1\n"}])})
    approve(stage)
    a, c = stage.numbers["a"], stage.numbers["c"]
    forge = RefusingForge(stage, a, [NotMergeable(a, "2 of 3 reviews are missing")] * 9)
    told = lander(stage, Checks(stage), forge=forge).land("r")
    assert names(told) == ["c"]
    assert told.waiting[branch("a")] == "2 of 3 reviews are missing"
    assert [write for write in forge.writes if write[0] == "merge"] == [("merge", a), ("merge", c)]
    assert stage.bases() == {"a": "main", "b": "a"}


@pytest.mark.slow
def test_what_landed_below_a_branch_that_is_held_waits_for_nothing(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"fb": "1\n"}])})
    stage.approve("a")
    stage.forge.close(stage.numbers["b"])
    for landing in (["a"], []):
        told = land(stage, Checks(stage))
        assert (names(told), list(told.waiting)) == (landing, [branch("b")])
    assert list(lander(stage, Checks(stage)).foresee("r").waiting) == [branch("b")]


@pytest.mark.slow
def test_m31_a_head_that_moved_is_read_again_and_checked_as_it_is(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)
    checks = Checks(stage)
    checks.meanwhile.append(lambda: stage.amend("a", {"fa": "2\n"}))
    told = land(stage, checks)
    assert (names(told), len(checks.trees)) == (["a"], 2)
    assert new_files(stage) == {"fa": "2\n"}
    assert set(trees_of_main(stage)) <= checks.green


@pytest.mark.slow
def test_m31_a_head_that_is_never_where_it_is_said_to_be_ends(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)
    a = stage.numbers["a"]
    forge = RefusingForge(stage, a, [HeadMoved(a, expected="x", found="y")] * 99)
    told = lander(stage, Checks(stage), forge=forge).land("r")
    assert names(told) == []
    assert len([name for name, _ in forge.writes if name == "merge"]) == 5


class UnsettledForge(Watched):
    """A forge that has to be asked several times whether a pull request can be merged."""

    def __init__(self, stage: Stage, times: int) -> None:
        super().__init__(stage.forge)
        self.times = times

    def standing(self, number: int) -> Any:
        told = self.inner.standing(number)
        self.times -= 1
        return replace(told, mergeable=None) if self.times >= 0 else told


@pytest.mark.parametrize(("times", "lands"), [(2, ["a"]), (99, [])])
@pytest.mark.slow
def test_m31_what_the_forge_has_not_worked_out_is_asked_again_a_few_times(
    stage: Stage, times: int, lands: list[str]
) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)
    pauses: list[float] = []
    told = lander(stage, Checks(stage), forge=UnsettledForge(stage, times), pauses=pauses).land("r")
    assert (names(told), len(pauses)) == (lands, min(times, 5))
