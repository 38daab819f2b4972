"""GitHub's own stacks where the repository has them and the configuration wants them; chained bases everywhere else."""

from __future__ import annotations

import pytest
from fakes.github.faults import Fault
from fakes.github.ground import Ground
from fakes.github.stacking import Stacking
from switchyard_merge import ForgeRefused, HeadMoved, NotMergeable
from switchyard_merge.forge import NewPullRequest, PullRequest


def chain(github: Ground, *tasks: str) -> list[PullRequest]:
    """Pull requests each on the one before."""
    forge, below, pulls = github.forge(), "main", []
    for task in tasks:
        branch = f"factory/r/{task}"
        github.branch(branch, parent=below)
        pulls.append(forge.open(NewPullRequest(task, f"{task}\n", branch, below)))
        below = branch
    github.faults.clear()
    return pulls


@pytest.fixture
def stacks(github: Ground) -> Stacking:
    github.proxy.stacking = Stacking(github.proxy.mending)
    return github.proxy.stacking


def test_a_chain_is_declared_once_and_grows(github: Ground, stacks: Stacking) -> None:
    numbers = [pull.number for pull in chain(github, "a", "b", "c")]
    forge = github.forge(native_stacks=True)
    assert forge.declare_stack(numbers[:2]) == 1
    assert forge.declare_stack(numbers[:2]) == 1
    assert len(github.faults.writes) == 1
    assert forge.declare_stack(numbers) == 1
    assert stacks.stacks == [[1, 2, 3]]


def test_a_lost_answer_declares_no_second_stack(github: Ground, stacks: Stacking) -> None:
    numbers = [pull.number for pull in chain(github, "a", "b")]
    github.faults.add(Fault("POST", "/stacks$", status=502, has_acted=True))
    assert github.forge(native_stacks=True).declare_stack(numbers) == 1
    assert stacks.stacks == [[1, 2]]


def test_what_is_no_chain_is_refused(github: Ground, stacks: Stacking) -> None:
    chain(github, "a", "b")
    with pytest.raises(ForgeRefused, match="form a chain"):
        github.forge(native_stacks=True).declare_stack([2, 1])


def test_it_is_off_unless_asked_for_and_one_alone_is_no_stack(github: Ground, stacks: Stacking) -> None:
    numbers = [pull.number for pull in chain(github, "a", "b")]
    assert github.forge().declare_stack(numbers) is None
    assert github.forge(native_stacks=True).declare_stack(numbers[:1]) is None
    assert github.faults.seen == []


def test_a_repository_without_stacks_does_with_chained_bases(github: Ground) -> None:
    pulls = chain(github, "a", "b")
    forge = github.forge(native_stacks=True)
    assert forge.declare_stack([1, 2]) is None
    merged = forge.merge(1, method="squash", expected_head=pulls[0].head_sha)
    assert (merged.state, merged.merged_sha) == ("merged", github.heads()["main"])


def test_a_stack_lands_up_to_the_one_asked_for_by_the_asynchronous_merge(github: Ground, stacks: Stacking) -> None:
    pulls = chain(github, "a", "b", "c")
    forge = github.forge(native_stacks=True)
    forge.declare_stack([1, 2, 3])
    with pytest.raises(NotMergeable, match="asynchronous"):
        github.forge().merge(2, method="squash", expected_head=pulls[1].head_sha)
    github.time.slept.clear()
    assert forge.merge(2, method="squash", expected_head=pulls[1].head_sha).state == "merged"
    assert [pull.state for pull in forge.list()] == ["merged", "merged", "open"]
    assert github.time.slept == [1, 1]
    assert forge.merge(2, method="squash", expected_head=pulls[1].head_sha).state == "merged"


def test_a_stacks_stale_head_and_closed_member_are_typed(github: Ground, stacks: Stacking) -> None:
    pulls = chain(github, "a", "b")
    forge = github.forge(native_stacks=True)
    forge.declare_stack([1, 2])
    later = github.branch("factory/r/a", "more", parent="factory/r/a")
    with pytest.raises(HeadMoved) as caught:
        forge.merge(1, method="squash", expected_head=pulls[0].head_sha)
    assert caught.value.found == later
    forge.close(1)
    with pytest.raises(NotMergeable, match="closed"):
        forge.merge(1, method="squash", expected_head=later)


def test_a_merge_that_runs_already_is_followed(github: Ground, stacks: Stacking) -> None:
    pulls = chain(github, "a", "b")
    github.faults.add(Fault("PUT", "/merge-async$", status=502, has_acted=True))
    forge = github.forge(native_stacks=True)
    assert forge.merge(1, method="squash", expected_head=pulls[0].head_sha).state == "merged"
    assert [request.method for request in github.faults.writes] == ["PUT", "PUT"]
    main = github.repository.read_commits([github.repository.resolve("refs/heads/main")])[0]
    assert github.repository.read_commits(main.parents)[0].parents == ()
