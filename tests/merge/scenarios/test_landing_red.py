"""M32–M34: what is red is found in few runs and ejected with what stands on it; the rest lands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil, log2

import pytest
from harbour import (
    EIGHT,
    Checks,
    approve,
    ejected,
    land,
    lander,
    names,
    new_files,
    red_with,
    trees_of_main,
)
from stage import STACK, Stage, branch, join


@pytest.mark.parametrize("culprit", [0, 3, 7])
@pytest.mark.slow
def test_m32_one_culprit_of_eight_costs_four_extra_runs_at_most(stage: Stage, culprit: int) -> None:
    stage.publish(EIGHT)
    approve(stage)
    checks = Checks(stage, red_with(f"f{culprit}"))
    told = land(stage, checks, batch=8)
    assert ejected(told) == {f"t{culprit}": ""}
    assert set(names(told)) == EIGHT.keys() - {f"t{culprit}"}
    assert told.runs == len(checks.trees) <= 1 + ceil(log2(8)) + 1
    assert len(trees_of_main(stage)) == 1
    assert set(trees_of_main(stage)) <= checks.green


@pytest.mark.slow
def test_m32_two_culprits_are_both_found_and_the_rest_lands(stage: Stage) -> None:
    stage.publish(EIGHT)
    approve(stage)

    def suite(files: Mapping[str, str]) -> str:
        return "f2 or f5" if {"f2", "f5"} & set(files) else ""

    checks = Checks(stage, suite)
    told = land(stage, checks, batch=8)
    assert ejected(told) == {"t2": "", "t5": ""}
    assert set(names(told)) == EIGHT.keys() - {"t2", "t5"}
    assert told.runs <= 1 + 2 * (ceil(log2(8)) + 2)
    assert set(trees_of_main(stage)) <= checks.green


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.slow
def test_m32_a_base_that_is_red_itself_ejects_nobody(stage: Stage, batch: int) -> None:
    stage.publish(EIGHT)
    approve(stage)
    told = land(stage, Checks(stage, lambda files: "the base is broken"), batch=batch)
    assert (names(told), ejected(told), told.is_base_red) == ([], {}, True)
    assert told.waiting.keys() == {branch(task) for task in EIGHT}
    assert stage.watched.writes == []


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.slow
def test_m33_a_flake_ejects_nobody(stage: Stage, batch: int) -> None:
    stage.publish(EIGHT)
    approve(stage)
    checks = Checks(stage, flakes=1)
    told = land(stage, checks, batch=batch)
    assert (set(names(told)), ejected(told)) == (set(EIGHT), {})
    assert set(trees_of_main(stage)) <= checks.green


@pytest.mark.slow
def test_m33_a_flake_during_the_search_does_not_blame_the_innocent(stage: Stage) -> None:
    stage.publish(EIGHT)
    approve(stage)
    # The whole batch is red for a reason; the first half right after it is not.
    checks = Checks(stage, red_with("f6"), flakes=2)
    told = land(stage, checks, batch=8)
    assert ejected(told) == {"t6": ""}
    assert set(names(told)) == EIGHT.keys() - {"t6"}


@pytest.mark.slow
def test_m33_the_first_red_counts_where_the_rules_say_so(stage: Stage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    approve(stage)
    checks = Checks(stage)
    checks.flakes = 1
    told = land(stage, checks, reds=1)
    assert (names(told), ejected(told)) == ([], {"a": ""})


@pytest.mark.parametrize("culprit", [0, 3, 7])
@pytest.mark.slow
def test_m32_where_the_base_moves_singly_each_stop_is_checked_before_the_first(stage: Stage, culprit: int) -> None:
    stage.publish(EIGHT)
    approve(stage)
    checks = Checks(stage, red_with(f"f{culprit}"))
    before = stage.main()
    moved_after: list[bool] = []
    checks.meanwhile = [lambda: moved_after.append(stage.main() != before)] * 20
    told = replace(lander(stage, checks, batch=8), batches=None).land(STACK)
    assert (len(told.landed), ejected(told)) == (7, {f"t{culprit}": ""})
    assert not any(moved_after)
    assert set(trees_of_main(stage)) <= checks.green
    assert len(trees_of_main(stage)) == 7
    assert told.runs == len(checks.trees) <= 7 + ceil(log2(8)) + 1
    assert len(set(checks.trees)) >= len(checks.trees) - 1


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.slow
def test_m34_what_stands_on_a_culprit_is_ejected_and_the_rest_lands(stage: Stage, batch: int) -> None:
    stage.publish(
        {
            "a": ([], [{"fa": "1\n"}]),
            "b": (["a"], [{"red": "1\n"}]),
            "c": (["a"], [{"fc": "1\n"}]),
            "d": (["b", "c"], [{"fd": "1\n"}]),
            "e": (["c"], [{"fe": "1\n"}]),
        }
    )
    approve(stage)
    checks = Checks(stage, red_with("red"))
    told = land(stage, checks, batch=batch)
    assert names(told) == ["a", "c", "e"]
    assert set(told.waiting) == {branch("b"), branch("d")}
    assert ejected(told) == ({"b": ""} if batch == 1 else {"b": "", "d": "b"})
    assert set(trees_of_main(stage)) <= checks.green
    assert new_files(stage) == {"fa": "1\n", "fc": "1\n", "fe": "1\n"}
    # What is left stands where it should, on branches that are still there.
    # A batch has `b` put onto the base when `c` is on it already, so that `d` needs no join any more.
    assert stage.bases() == {"b": "main", "d": "join-d" if batch == 1 else "b"}
    assert stage.diff("d") == {"fd": "A"}
    assert set(stage.yard.heads()) == {branch("b"), branch("d")} | ({join("d")} if batch == 1 else set())
