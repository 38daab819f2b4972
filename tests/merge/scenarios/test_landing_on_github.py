"""Stacks that land on GitHub's wire, pushed over HTTP, judged by the repository behind it."""

from __future__ import annotations

import pytest
from fakes.github.fixtures import github, github_service
from harbour import Checks, ejected, land, names
from switchyard_merge.forge import MergeMethod
from test_keeping_on_github import GitHubStage, stage
from test_landing import DIAMOND, LANDED, red_with

pytestmark = pytest.mark.slow
__all__ = ["github", "github_service", "stage"]


@pytest.mark.parametrize(("method", "batch"), [("squash", 1), ("squash", 8), ("rebase", 8), ("merge", 1)])
def test_a_diamond_lands_parents_first_and_leaves_nothing(stage: GitHubStage, method: MergeMethod, batch: int) -> None:
    stage.publish(DIAMOND)
    checks, before = Checks(stage), stage.main()
    moved: list[bool] = []
    checks.meanwhile = [lambda: moved.append(stage.main() != before)] * 4
    told = land(stage, checks, method=method, batch=batch, needs_approval=False)
    # In a batch, all that the base would be is checked before it moves for the first time.
    assert moved == [False] * 4 if batch == 8 else [False, True, True, True]
    assert (names(told), told.waiting) == (["a", "b", "c", "d"], {})
    assert all(one.was_foreseen for one in told.landed)
    assert len(checks.trees) == 4
    assert {
        path: text for path, text in stage.files(stage.main()).items() if path in LANDED or path == "gone"
    } == LANDED
    assert stage.yard.heads() == {}
    assert {stage.pull(task).state for task in "abcd"} == {"merged"}


def test_m18_what_github_deletes_and_retargets_itself_lands_all_the_same(stage: GitHubStage) -> None:
    stage.publish(DIAMOND)
    stage.github.proxy.mending.deletes_on_merge = True
    told = land(stage, Checks(stage), needs_approval=False)
    assert names(told) == ["a", "b", "c", "d"]
    assert stage.yard.heads() == {}


def test_m15_m34_a_culprit_is_told_and_what_stands_on_it_waits(stage: GitHubStage) -> None:
    stage.publish({"a": ([], [{"red": "1\n"}]), "b": (["a"], [{"fb": "1\n"}]), "c": ([], [{"fc": "1\n"}])})
    told = land(stage, Checks(stage, red_with("red")), needs_approval=False)
    assert (names(told), ejected(told)) == (["c"], {"a": ""})
    # `c` moved the base since: on that, `a` is checked once more.
    land(stage, Checks(stage, red_with("red")), needs_approval=False)
    stage.github.faults.clear()
    again = land(stage, Checks(stage, red_with("red")), needs_approval=False)
    assert (names(again), again.runs, stage.github.faults.writes) == ([], 0, [])
