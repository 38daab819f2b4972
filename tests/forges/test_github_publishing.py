"""A stack's pull requests on GitHub: few requests, the same ones again after a crash, a person's words kept."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.github.faults import Fault
from fakes.github.ground import ADA, Ground
from switchyard_git import FILE_MODE, CommitSha, Repository
from switchyard_merge import BranchUpdate, Marker, ParentLine, PullRequestText, StackEntry, push_branches, render_body
from switchyard_merge.forge.github import Clock
from switchyard_merge.forge.github.pacing import Pace
from switchyard_merge.pulls import StackMember, publish_pulls

MOST_READS = 5


class Killed(BaseException):
    """The process ends here."""


def describe(member: StackMember, stack: Sequence[StackEntry]) -> str:
    numbers = {entry.task: entry.number for entry in stack}
    parents = [ParentLine(parent, number) for parent in member.parents if (number := numbers[parent])]
    marker = Marker(member.task, "r", member.branch)
    return render_body(PullRequestText(marker, member.title, "What to do.", parents=parents, stack=stack, base="main"))


def diamond(github: Ground, run: str, *, labels: tuple[str, ...] = ()) -> list[StackMember]:
    """a → b, c with branches that are there already."""
    members = []
    for task, parents in (("a", ()), ("b", ("a",)), ("c", ("a",))):
        below = f"factory/{run}/{parents[0]}" if parents else "main"
        branch = f"factory/{run}/{task}"
        github.branch(branch, parent=below)
        members.append(StackMember(task, branch, below, f"Task {task}", parents, labels))
    return members


def test_a_new_stack_is_two_writes_each_and_one_read(github: Ground) -> None:
    members = diamond(github, "r", labels=("one", "two, three"))
    pulls = publish_pulls(github.forge(), members, describe)
    assert [(pull.number, pull.base) for pull in pulls] == [(1, "main"), (2, "factory/r/a"), (3, "factory/r/a")]
    assert len(github.faults.reads) == 1
    assert [request.method for request in github.faults.writes] == ["POST"] * 3 + ["PATCH"] * 3
    assert all("#1" in pull.body and "#2" in pull.body and "#3" in pull.body for pull in pulls)
    assert "Depends-On: #1" in pulls[2].body
    for seen in github.pulls():
        assert {label["name"] for label in seen["labels"]} == {"one", "two, three"}
        assert "switchyard:labels" not in seen["body"]


def test_m38_a_second_run_with_nothing_to_do_writes_nothing(github: Ground) -> None:
    members = diamond(github, "r", labels=("one",))
    first = publish_pulls(github.forge(), members, describe)
    github.faults.clear()
    assert publish_pulls(github.forge(), members, describe) == first
    assert [request.method for request in github.faults.seen] == ["GET"]


def test_m36_what_a_person_wrote_outside_the_markers_stays(github: Ground) -> None:
    members = diamond(github, "r")
    first = publish_pulls(github.forge(), members[:2], describe)
    edited = f"Please hurry.\r\n\r\n{first[0].body}".replace("\n", "\r\n").replace("\r\r", "\r") + "Thanks!\r\n"
    path = f"/repos/{github.full_name}/pulls/1"
    github.ask("PATCH", path, {"title": "A person's title", "body": edited})
    pull = publish_pulls(github.forge(), members, describe)[0]
    assert pull.title == "A person's title"
    assert pull.body.startswith("Please hurry.")
    assert "Thanks!" in pull.body
    assert "#3" in pull.body


@pytest.mark.slow
def test_m23_killed_after_any_request_it_goes_on_without_a_duplicate(github: Ground) -> None:
    def kill(_: float) -> None:
        raise Killed

    kills = 0
    for requests in range(1, 99):
        members = diamond(github, f"r{requests}", labels=("one",))
        github.faults.clear()
        github.faults.die_after(requests)
        try:
            publish_pulls(github.forge(clock=Clock(github.time.clock().now, kill)), members, describe)
        except Killed:
            kills += 1
        github.faults.clear()
        pulls = publish_pulls(github.forge(), members, describe)
        heads = [pull["head"]["ref"] for pull in github.pulls() if f"/r{requests}/" in pull["head"]["ref"]]
        assert sorted(heads) == [member.branch for member in members]
        assert [pull.base for pull in pulls] == [member.base for member in members]
        assert all(f"#{number}" in pull.body for pull in pulls for number in [one.number for one in pulls])
        github.faults.clear()
        assert publish_pulls(github.forge(), members, describe) == pulls
        assert github.faults.writes == []
        labelled = [pull["number"] for pull in github.pulls() if [label["name"] for label in pull["labels"]] == ["one"]]
        assert {pull.number for pull in pulls} <= set(labelled)
        if kills < requests:
            break
    # One listing; for each of three a pull request, then its labels with the map of the stack.
    assert kills == 1 + 3 + 3


def test_one_that_somebody_closed_stays_closed(github: Ground) -> None:
    members = diamond(github, "r")
    forge = github.forge()
    publish_pulls(forge, members, describe)
    forge.close(2)
    github.faults.clear()
    assert [pull.state for pull in publish_pulls(forge, members, describe)] == ["open", "closed", "open"]
    assert {request.path.rpartition("/")[2] for request in github.faults.writes} == {"1", "3"}


def test_a_lost_answer_in_the_middle_is_no_duplicate(github: Ground) -> None:
    members = diamond(github, "r")
    github.faults.add(Fault("POST", "/pulls$", status=502, has_acted=True, times=3))
    assert [pull.number for pull in publish_pulls(github.forge(), members, describe)] == [1, 2, 3]
    assert len(github.pulls()) == 3


@pytest.mark.slow
def test_a_dag_of_fifty_tasks_is_published_in_ten_seconds(github: Ground, tmp_path: Path) -> None:
    factory = Repository.init_bare(tmp_path / "factory.git").with_access(github.access())
    factory.fetch(github.repository.git_dir, ["refs/heads/main:refs/heads/main"])
    members, tips = [], {"main": factory.resolve("main")}
    for number in range(50):
        parent = "" if number % 7 == 0 else f"t{number - 1 - number % 3 if number > 3 else number - 1}"
        below = f"factory/r/{parent}" if parent else "main"
        branch = f"factory/r/t{number}"
        tips[branch] = commit_on(factory, tips[below], branch)
        members.append(StackMember(f"t{number}", branch, below, f"Task {number}", (parent,) if parent else ()))
    forge = github.forge(clock=Clock(), pace=Pace(()))
    started, used = time.monotonic(), cpu_s()
    push_branches(factory, github.url, [BranchUpdate(one.branch, tips[one.branch], None) for one in members])
    pulls = publish_pulls(forge, members, describe)
    took_s = cpu_s() - used
    waited_s = time.monotonic() - started
    print(f"50 tasks published: {waited_s:.1f} s, {took_s:.1f} s of processor, {len(github.faults.seen)} requests")
    assert len(pulls) == 50
    assert len(github.faults.reads) <= MOST_READS
    assert len(github.faults.writes) <= 2 * 50
    assert took_s <= 10


def cpu_s() -> float:
    """What this process, the stand-in's thread in it and the gits that ended have used: a busy machine adds nothing."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def commit_on(factory: Repository, parent: CommitSha, name: str) -> CommitSha:
    blob = factory.write_blob(name.encode())
    tree = factory.write_tree_from(factory.tree_of(parent), {name.replace("/", "-"): (FILE_MODE, blob)})
    return factory.commit_tree(tree, [parent], f"{name}\n", author=ADA, committer=ADA)


@pytest.mark.parametrize("requests", [1, 2])
def test_a_merge_that_was_killed_after_any_request_is_made_once(github: Ground, requests: int) -> None:
    def kill(_: float) -> None:
        raise Killed

    publish_pulls(github.forge(), diamond(github, "r"), describe)
    head, before = github.heads()["factory/r/a"], github.heads()["main"]
    github.faults.clear()
    github.faults.die_after(requests)
    with pytest.raises(Killed):
        github.forge(clock=Clock(github.time.clock().now, kill)).merge(1, method="squash", expected_head=head)
    github.faults.clear()
    merged = github.forge().merge(1, method="squash", expected_head=head)
    (landed,) = github.repository.read_commits([CommitSha(github.heads()["main"])])
    assert (merged.state, merged.merged_sha, landed.parents) == ("merged", landed.sha, (before,))
