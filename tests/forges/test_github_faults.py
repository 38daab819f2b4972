"""GitHub on a bad day: limits, lost answers, refusals; nothing is done twice and nobody waits without being told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fakes.github.faults import Fault
from fakes.github.ground import Ground
from switchyard_merge import ForgeRefused, ForgeUnavailable, HeadMoved, NotMergeable, RateLimited, open_or_adopt
from switchyard_merge.forge import NewPullRequest, PullRequest
from switchyard_merge.forge.github import GitHubForge
from switchyard_merge.forge.github.pacing import Pace

HEAD = "factory/r/a"
POST = ("POST", r"/pulls$")


def new(head: str = HEAD, base: str = "main", labels: tuple[str, ...] = ()) -> NewPullRequest:
    return NewPullRequest(title="Title", body=f"Body of {head}\n", head=head, base=base, labels=labels)


def opened(github: Ground) -> PullRequest:
    github.branch(HEAD, parent="main")
    pull = github.forge().open(new())
    github.faults.clear()
    return pull


@pytest.mark.parametrize("status", [403, 429])
def test_m29_a_limit_with_retry_after_is_waited_for_and_shown(github: Ground, status: int) -> None:
    github.branch(HEAD, parent="main")
    headers = {"Retry-After": "37"}
    github.faults.add(Fault(*POST, status=status, message="slow down", headers=headers))
    assert github.forge().open(new()).state == "open"
    assert github.time.slept == [37]
    assert [(wait.seconds, "rate limit" in wait.reason) for wait in github.waits] == [(37, True)]
    assert len(github.pulls()) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_m29_a_limit_without_a_word_is_waited_for_longer_each_time(github: Ground, status: int) -> None:
    github.branch(HEAD, parent="main")
    said = "You have exceeded a secondary rate limit."
    github.faults.add(Fault(*POST, status=status, message=said, times=3))
    assert github.forge().open(new()).state == "open"
    assert github.time.slept == [60, 120, 240]
    assert len(github.pulls()) == 1


def test_m29_a_spent_budget_is_waited_for_until_it_is_new(github: Ground) -> None:
    pull = opened(github)
    reset = int(github.time.now_s) + 900
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    github.faults.add(Fault("GET", r"/pulls/1$", status=403, message="API rate limit exceeded", headers=spent))
    assert github.forge().get(pull.number) == pull
    assert github.time.slept == [901]


def test_m29_a_pause_that_is_too_long_is_an_error_that_names_it(github: Ground) -> None:
    opened(github)
    github.faults.add(Fault("GET", r"/pulls/1$", status=429, headers={"Retry-After": "7200"}))
    with pytest.raises(RateLimited) as caught:
        github.forge().get(1)
    assert caught.value.retry_after_s == 7200
    assert github.time.slept == []


def test_a_refusal_is_no_limit(github: Ground) -> None:
    github.branch(HEAD, parent="main")
    github.faults.add(Fault(*POST, status=403, message="Resource not accessible by integration"))
    with pytest.raises(ForgeRefused, match="not accessible") as caught:
        github.forge().open(new())
    assert "write access" in caught.value.hint
    assert github.time.slept == []


@pytest.mark.parametrize("status", [0, 500, 502, 504])
def test_m30_an_answer_that_got_lost_after_the_act_is_found_by_its_head(github: Ground, status: int) -> None:
    github.branch(HEAD, parent="main")
    github.faults.add(Fault(*POST, status=status, has_acted=True))
    pull = github.forge().open(new(labels=("one",)))
    assert (pull.number, pull.head, pull.labels) == (1, HEAD, ("one",))
    assert len(github.pulls()) == 1
    assert [request.method for request in github.faults.writes] == ["POST"]


def test_m30_one_that_is_found_late_is_adopted_from_the_refusal(github: Ground) -> None:
    github.branch(HEAD, parent="main")
    github.faults.add(Fault(*POST, status=502, has_acted=True))
    github.proxy.mending.lagging_lists = 1
    assert github.forge().open(new()).number == 1
    assert [request.method for request in github.faults.seen] == ["POST", "GET", "POST", "GET"]
    assert len(github.pulls()) == 1


@pytest.mark.parametrize("status", [0, 503])
def test_m30_what_was_not_done_is_done_once_it_works(github: Ground, status: int) -> None:
    github.branch(HEAD, parent="main")
    github.faults.add(Fault(*POST, status=status, times=2))
    assert github.forge().open(new()).number == 1
    assert github.time.slept == [1, 2]


def test_m30_a_merge_whose_answer_got_lost_is_not_made_twice(github: Ground) -> None:
    pull = opened(github)
    github.faults.add(Fault("PUT", r"/merge$", status=502, has_acted=True))
    merged = github.forge().merge(pull.number, method="squash", expected_head=pull.head_sha)
    assert (merged.state, merged.merged_sha) == ("merged", github.heads()["main"])
    assert len(github.faults.writes) == 1


def test_m30_a_comment_whose_answer_got_lost_stands_there_once(github: Ground) -> None:
    pull = opened(github)
    github.faults.add(Fault("POST", r"/comments$", status=502, has_acted=True))
    github.forge().comment(pull.number, "status", "Waiting.")
    assert len(github.comments(pull.number)) == 1


@pytest.mark.parametrize("text", ["<html>Unicorn!</html>", "", '[{"number": 1, "ti'])
def test_what_is_no_json_is_no_answer_and_nothing_is_done_twice(github: Ground, text: str) -> None:
    github.branch(HEAD, parent="main")
    github.faults.add(Fault(*POST, status=200, text=text, has_acted=True))
    forge = github.forge()
    pull = forge.open(new())
    assert (pull.number, len(github.pulls()), len(github.faults.writes)) == (1, 1, 1)
    github.faults.add(Fault("GET", r"/reviews", status=200, text=text))
    github.review(1, "REQUEST_CHANGES")
    assert forge.standing(1).changes_requested
    github.faults.add(Fault("GET", ".", status=200, text=text, times=99))
    with pytest.raises(ForgeUnavailable, match="no whole JSON"):
        forge.list()


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_repository_that_was_renamed_is_not_taken_for_an_empty_one(github: Ground, status: int) -> None:
    opened(github)
    elsewhere = {"Location": f"{github.proxy.address}/repositories/1/pulls"}
    github.faults.add(Fault("*", ".", status=status, headers=elsewhere, times=99))
    for act in (GitHubForge.list, lambda forge: forge.edit(1, title="New")):
        with pytest.raises(ForgeRefused, match="any more") as caught:
            act(github.forge())
        assert "new address" in caught.value.hint
    assert (github.time.slept, github.pulls()[0]["title"]) == ([], "Title")


def test_a_forge_that_stays_away_is_unavailable(github: Ground) -> None:
    github.faults.add(Fault("*", ".", status=502, times=99))
    with pytest.raises(ForgeUnavailable, match="5 tries") as caught:
        github.forge().list()
    assert caught.value.hint
    assert github.time.slept == [1, 2, 4, 8]


def test_m31_a_protected_branch_holds_and_says_why(github: Ground) -> None:
    pull = opened(github)
    github.proxy.mending.protection = "At least 1 approving review is required by reviewers with write access."
    assert github.forge().standing(pull.number).blocked
    with pytest.raises(NotMergeable, match="approving review"):
        github.forge().merge(pull.number, method="squash", expected_head=pull.head_sha)
    assert [request.method for request in github.faults.writes] == ["PUT"]


def test_m31_a_stale_head_is_told_with_the_real_one(github: Ground) -> None:
    pull = opened(github)
    later = github.branch(HEAD, "more", parent=HEAD)
    with pytest.raises(HeadMoved) as caught:
        github.forge().merge(pull.number, method="squash", expected_head=pull.head_sha)
    assert (caught.value.expected, caught.value.found) == (pull.head_sha, later)
    assert len(github.faults.writes) == 1


def test_m31_a_base_that_moved_in_the_same_second_is_tried_again_a_few_times(github: Ground) -> None:
    pull = opened(github)
    said = "Base branch was modified. Review and try the merge again."
    github.faults.add(Fault("PUT", r"/merge$", status=405, message=said, times=2))
    assert github.forge().merge(pull.number, method="squash", expected_head=pull.head_sha).state == "merged"
    assert github.time.slept == [wait.seconds for wait in github.waits] == [2, 2]
    other = github.branch("factory/r/b", parent="main")
    github.forge().open(new("factory/r/b"))
    github.faults.clear()
    github.faults.add(Fault("PUT", r"/merge$", status=405, message=said, times=99))
    with pytest.raises(NotMergeable):
        github.forge().merge(2, method="squash", expected_head=other)
    assert len(github.faults.writes) == 3


def test_m24_one_that_somebody_opened_meanwhile_is_adopted(github: Ground) -> None:
    github.branch(HEAD, parent="main")
    blind = Blind(github.calls())
    rival = github.forge().open(new())
    assert open_or_adopt(blind, new()).number == rival.number
    assert len(github.pulls()) == 1


class Blind(GitHubForge):
    """A forge that sees nothing at the first look."""

    looks = 0

    def find(self, head: str) -> PullRequest | None:
        self.looks += 1
        return None if self.looks == 1 else super().find(head)


def test_m17_what_a_deleted_branch_closed_is_opened_again_once_the_branch_is_back(github: Ground) -> None:
    parent, child = github.branch(HEAD, parent="main"), github.branch("factory/r/b", parent=HEAD)
    forge = github.forge()
    forge.open(new())
    number = forge.open(new("factory/r/b", HEAD)).number
    github.delete_branch(HEAD)
    assert (forge.get(number).state, forge.get(number).head_sha) == ("closed", child)
    with pytest.raises(ForgeRefused, match="deleted"):
        forge.reopen(number)
    with pytest.raises(ForgeRefused, match="closed"):
        forge.edit(number, base="main")
    assert github.branch(HEAD, parent="main") == parent
    assert forge.reopen(number).state == "open"
    assert forge.edit(number, base="main").base == "main"


def test_a_mergeability_that_is_not_known_yet_is_none(github: Ground) -> None:
    pull = opened(github)
    github.proxy.mending.is_settled = False
    assert github.forge().standing(pull.number).mergeable is None
    github.proxy.mending.is_settled = True
    assert github.forge().standing(pull.number).mergeable is True


def test_m37_special_characters_and_very_long_names_work(github: Ground) -> None:
    forge = github.forge()
    for name in ("factory/r/ümläut-#1%20&q=a+b", "factory/r/" + "x" * 190, "factory/r/päth/déèp/…"):
        github.branch(name, parent="main")
        pull = forge.open(NewPullRequest("Grüße 🚀 \ud800", "a\r\nb\n", name, "main", ("größe/L", "a b")))
        assert (pull.head, pull.title, pull.body) == (name, "Grüße 🚀 ?", "a\nb\n")
        assert forge.find(name) == forge.get(pull.number) == pull
        assert set(pull.labels) == {"größe/L", "a b"}


def test_a_fork_that_uses_our_branch_names_is_not_ours(github: Ground) -> None:
    pull = opened(github)
    github.proxy.mending.forked.add(pull.number)
    assert github.forge().find(HEAD) is None
    assert list(github.forge().list()) == []


def test_writes_stay_below_the_limit_of_a_minute_and_an_hour(github: Ground) -> None:
    pull = opened(github)
    forge = github.forge(pace=Pace(((3, 60.0), (5, 3600.0))))
    for number in range(6):
        forge.edit(pull.number, title=f"Title {number}")
    assert github.time.slept == [60, 3540]
    assert {wait.reason for wait in github.waits} == {"staying below its limit of writes"}
    assert forge.get(pull.number).title == "Title 5"


@pytest.mark.parametrize(
    ("act", "requests"),
    [
        (lambda forge: forge.find(HEAD), ["GET"]),
        (lambda forge: forge.get(1), ["GET"]),
        (lambda forge: forge.list(heads_prefix="factory/"), ["GET"]),
        (lambda forge: forge.edit(1, title="New", body="New", base="main"), ["PATCH"]),
        (lambda forge: forge.close(1), ["GET", "PATCH"]),
        (lambda forge: forge.reopen(1), ["GET"]),
        (lambda forge: forge.standing(1), ["GET"] * 4),
        (lambda forge: forge.is_approved(1), ["GET"]),
        (lambda forge: forge.comment(1, "m", "text"), ["GET", "POST"]),
    ],
)
def test_each_verb_is_few_requests(github: Ground, act: Callable[[GitHubForge], object], requests: list[str]) -> None:
    opened(github)
    act(github.forge())
    assert [request.method for request in github.faults.seen] == requests


def test_a_list_of_several_pages_is_whole(github: Ground) -> None:
    github.branch(HEAD, parent="main")
    for number in range(101):
        github.ask("POST", f"/repos/{github.full_name}/pulls", {"title": str(number), "head": HEAD, "base": "x"})
    github.branch("x")
    github.faults.clear()
    assert [pull.number for pull in github.forge().list()] == list(range(1, 102))
    assert len(github.faults.seen) == 2
    later = datetime.now(UTC) + timedelta(hours=1)
    assert [pull.number for pull in github.forge(since=later).list()][-1] == 101
    assert len(github.faults.seen) == 3
    assert len(github.forge(since=later - timedelta(days=1)).list()) == 101
