"""Stacks published and landed while GitHub limits, loses, refuses and lets tokens expire: all once, nothing twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from fakes.github.faults import Fault
from fakes.github.fixtures import GitHubService, github, github_service
from fakes.github.service import APP_ID
from harbour import Checks, land, names, trees_of_main
from stage import Watched, branch
from switchyard_git import RemoteUnavailable
from switchyard_merge import BranchUpdate, push_branches
from switchyard_merge.forge.github import AppInstallation
from switchyard_merge.forge.github.pacing import WRITE_LIMITS
from test_keeping_on_github import GitHubStage, stage
from test_landing import DIAMOND, LANDED

pytestmark = pytest.mark.slow
__all__ = ["github", "github_service", "stage"]

STORM = [
    Fault("*", ".", status=429, headers={"Retry-After": "9"}),
    Fault("*", ".", has_acted=True),
    Fault("*", ".", status=403, message="You have exceeded a secondary rate limit."),
    Fault("*", ".", status=502, has_acted=True),
    Fault("*", ".", status=503),
    Fault("*", ".", status=403, message="API rate limit exceeded", headers={"Retry-After": "5"}),
    Fault("*", ".", status=500, has_acted=True),
]


def expect_landed_once(stage: GitHubStage, checks: Checks) -> None:
    assert [pull.state for pull in stage.forge.list()] == ["merged"] * 4
    assert {path: text for path, text in stage.files(stage.main()).items() if path in LANDED} == LANDED
    assert len(stage.yard.factory.ancestry([stage.main()], stage.yard.base)) == 4
    assert set(trees_of_main(stage)) <= checks.green
    assert stage.yard.heads() == {}


@pytest.mark.parametrize(
    "offset", [0, *(pytest.param(number, marks=pytest.mark.nightly) for number in range(1, len(STORM)))]
)
def test_m29_m30_every_second_request_meets_trouble(stage: GitHubStage, offset: int) -> None:
    faults, checks = stage.github.faults, Checks(stage)
    faults.storm(STORM[offset:] + STORM[:offset])
    stage.publish(DIAMOND)
    told = land(stage, checks, needs_approval=False)
    assert names(told) == ["a", "b", "c", "d"]
    seen = len(faults.seen)
    faults.clear()
    expect_landed_once(stage, checks)
    assert {wait.seconds for wait in stage.github.waits} >= {5, 9, 60}
    assert [wait.seconds for wait in stage.github.waits] == stage.github.time.slept
    assert len(stage.github.waits) >= seen // 2 - 1


def test_tokens_that_expire_all_the_time_are_replaced(stage: GitHubStage, github_service: GitHubService) -> None:
    github = stage.github
    tokens = AppInstallation(github.address, str(APP_ID), github_service.app_key, now=lambda: github.time.now_s)
    stage.yard = replace(stage.yard, factory=stage.yard.factory.with_access(github.access(tokens)))
    stage.forge = github.forge(tokens)  # type: ignore[assignment]
    stage.watched = Watched(stage.forge)
    stage.publish(DIAMOND)
    checks = Checks(stage)
    checks.meanwhile += [lambda: github.faults.expired.add(tokens.token())] * 4
    told = land(stage, checks, needs_approval=False)
    assert (names(told), told.waiting) == (["a", "b", "c", "d"], {})
    expect_landed_once(stage, checks)
    used = {request.token for request in github.faults.seen if request.token.startswith("ghs_")}
    assert len(used) == 5
    assert used > github.faults.expired


def test_writes_keep_below_githubs_eighty_a_minute_and_say_so(stage: GitHubStage) -> None:
    stage.publish({"a": ([], [{"fa": "1\n"}])})
    (count, span_s), _ = WRITE_LIMITS
    assert (count, span_s) == (80, 60.0)
    forge, time, number = stage.github.forge(), stage.github.time, stage.numbers["a"]
    sent: list[float] = []
    for title in range(2 * count + 1):
        forge.edit(number, title=f"Title {title}")
        sent.append(time.now_s)
    assert max(Counter(sent).values()) == count
    assert time.slept == [60, 60]
    assert {wait.reason for wait in stage.github.waits} == {"staying below its limit of writes"}


@pytest.mark.parametrize("status", [0, 502])
def test_m30_a_push_whose_answer_got_lost_is_done_and_one_that_was_not_made_is_told(
    stage: GitHubStage, status: int
) -> None:
    factory, url, faults = stage.yard.factory, stage.github.url, stage.github.faults
    update = BranchUpdate(branch("a"), stage.yard.commit(stage.yard.base, {"fa": "1\n"}), None)
    faults.of_git.append(Fault("POST", "git-receive-pack", status=502))
    with pytest.raises(RemoteUnavailable):
        push_branches(factory, url, [update])
    assert stage.yard.heads() == {}
    faults.of_git.append(Fault("POST", "git-receive-pack", status=status, has_acted=True))
    assert [one.outcome for one in push_branches(factory, url, [update])] == ["pushed"]
    assert stage.yard.heads() == {branch("a"): update.new}
    assert faults.of_git == []
