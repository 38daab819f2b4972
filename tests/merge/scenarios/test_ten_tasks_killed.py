"""M23: ten tasks published and landed by a process that is killed at any of its calls, and the next one's work judged.

A call is a request to the forge, a push, or a move of a ref. Nothing may be there twice, no commit may be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes.github.faults import Faults
from fakes.github.fixtures import GitHubService, github_service
from fakes.github.ground import ground
from harbour import Checks, trees_of_main, watch_main
from mortality import Clock, Killed, Mayfly, MortalForge, MortalRepository
from stage import STACK, Stage, Watched, branch, join
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge import (
    BranchUpdate,
    Joined,
    Marker,
    Plan,
    PullRequestText,
    StackEntry,
    join_of,
    push_branches,
    render_body,
)
from switchyard_merge.forge import LocalForge, MergeMethod
from switchyard_merge.forge.github import Clock as ForgeClock
from switchyard_merge.forge.github.pacing import Pace
from switchyard_merge.keep import Keeper
from switchyard_merge.land import Lander, LandingRules
from switchyard_merge.pulls import StackMember, publish_pulls
from switchyard_merge.record import RecordedBranch, StackRecord, Stand
from switchyard_merge.verdicts import LandingRecord
from yard import WHO, Yard

__all__ = ["github_service"]

PARENTS: dict[str, list[str]] = {
    "a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": [], "f": ["e"], "g": ["d", "f"], "h": ["d"], "i": ["g", "h"],
    "j": [],
}  # fmt: skip
JOINED = [task for task, parents in PARENTS.items() if len(parents) > 1]
_MOST_LIVES = 100
_SHORT = 7
"""What a process does at most that never gets far: children are retargeted back and forth around a merge."""
PARTS = 12
"""Into how many tests the kills are cut, so that each stays short."""


@dataclass(frozen=True)
class Process:
    """What publishes the tasks and lands them, and can be started again at any time."""

    repository: Repository
    forge: Any
    target: str | Path
    checker: Any
    rules: LandingRules
    base: CommitSha
    commit: Callable[..., CommitSha]

    def run(self) -> None:
        if LandingRecord.load(self.repository, STACK) is None:
            self._publish()
        keeper = Keeper(self.repository, self.forge, self.target, WHO)
        batches = self.forge if self.rules.batch > 1 else None
        told = Lander(keeper, self.checker, self.rules, batches=batches, pause=lambda _: None).land(STACK)
        assert (told.waiting, told.ejected) == ({}, ())

    def _publish(self) -> None:
        recorded, updates, members = dict[str, RecordedBranch](), list[BranchUpdate](), list[StackMember]()
        for number, task in enumerate(Plan.of(PARENTS).order):
            parents = PARENTS[task]
            grounds = tuple(recorded[branch(one)].aim.tip for one in parents) or (self.base,)
            joined = join_of(self.repository, grounds, who=WHO)
            assert isinstance(joined, Joined)
            first = self.commit(joined.commit, {f"f{task}": "1\n"}, at=10 * number)
            tip = self.commit(first, {f"f{task}": "2\n"}, at=10 * number + 1)
            below = join(task) if len(parents) > 1 else branch(parents[0]) if parents else "main"
            stand = Stand(tip, joined.commit, grounds, tuple(map(branch, parents)))
            recorded[branch(task)] = RecordedBranch((stand,), join(task) if len(parents) > 1 else "")
            updates += [BranchUpdate(below, joined.commit, None)] if len(parents) > 1 else []
            updates.append(BranchUpdate(branch(task), tip, None))
            members.append(StackMember(task, branch(task), below, f"Task {task}", tuple(parents)))
        push_branches(self.repository, self.target, updates)
        if StackRecord.load(self.repository, STACK) is None:
            StackRecord(STACK, "main", recorded).save(self.repository, None)
        publish_pulls(self.forge, members, _describe)


def _describe(member: StackMember, stack: Sequence[StackEntry]) -> str:
    return render_body(PullRequestText(Marker(member.task, STACK, "0"), member.title, "Do it.", stack=stack))


@dataclass
class World:
    """One forge with nothing on it yet, and the processes that come and go."""

    stage: Stage
    target: str | Path
    rules: LandingRules
    mortal_forge: Callable[[Repository, Clock], Any]
    faults: Faults | None = None
    """Of a forge that is asked over a wire."""
    checks: Checks = field(init=False)

    def __post_init__(self) -> None:
        self.checks = Checks(self.stage)
        watch_main(self.stage)

    def live(self, clock: Clock, *, requests: int = 0) -> None:
        """One process's whole life, or what there is of it until its clock or the wire ends it.

        Args:
            requests: The wire ends it at this one; 0: at none, or when a mayfly's clock says so.
        """
        mortal = MortalRepository.of(self.stage.yard.factory, clock)
        forge = self.mortal_forge(mortal, clock)
        if self.faults and requests:
            self.faults.die_after(requests)
        if self.faults and isinstance(clock, Mayfly):
            self.faults.die_after_writes(clock.deadly)
        yard = self.stage.yard
        Process(mortal, forge, self.target, self._checked, self.rules, yard.base, yard.commit).run()

    def _checked(self, commit: CommitSha) -> Any:
        return self.checks(commit)

    def be_killed(self, clock: Clock, requests: int = 0) -> None:
        """Die once, go on as another process, and be judged."""
        with pytest.raises(Killed):
            self.live(clock, requests=requests)
        if self.faults:
            self.faults.clear()
        self.live(Clock(0))
        self.judge(f"killed at request {requests} or moment {clock.deadly}")

    def be_killed_all_the_time(self) -> int:
        """Let every process do a few things only, until one finds nothing to do; how many it took."""
        for lives in range(1, _MOST_LIVES):
            try:
                self.live(Mayfly(_SHORT))
            except Killed:
                if self.faults:
                    self.faults.clear()
            else:
                self.judge(f"killed {lives} times")
                return lives
        raise AssertionError(f"{_MOST_LIVES} processes did not get to the end")

    def judge(self, told: str) -> None:
        """All ten landed once, on trees that were checked, and nothing is left over."""
        stage, rows = self.stage, self.stage.forge.list()
        assert [(one.head, one.state) for one in rows] == [(branch(task), "merged") for task in PARENTS], told
        files = {path: text for path, text in stage.files(stage.main()).items() if path.startswith("f")}
        assert files == {f"f{task}": "2\n" for task in PARENTS}, told
        commits = len(stage.yard.factory.ancestry([stage.main()], stage.yard.base))
        assert commits == len(PARENTS) * (2 if self.rules.method == "rebase" else 1), told
        assert set(trees_of_main(stage)) <= self.checks.green, told
        assert stage.yard.heads() == {}, told
        moves = len(trees_of_main(stage))
        assert moves == (len(PARENTS) if self.rules.batch == 1 else 1), told


@contextmanager
def local_world(place: Path, method: MergeMethod, batch: int) -> Iterator[World]:
    yard = based(Repository.init_bare(place / "factory.git"), Repository.init_bare(place / "origin.git"))
    rules = LandingRules(method=method, batch=batch, needs_approval=False)
    yield World(
        Stage.open(yard, place),
        yard.origin.git_dir,
        rules,
        lambda mortal, clock: MortalForge(LocalForge(place / "forge", mortal, yard.origin.git_dir), clock),
    )


@contextmanager
def github_world(place: Path, service: GitHubService, name: str) -> Iterator[World]:
    def die(_: float) -> None:
        raise Killed

    with ground(service.address, place, name) as github:
        factory = Repository.init_bare(place / "factory.git").with_access(github.access())
        yard, forge = based(factory, github.repository), github.forge()
        github.faults.clear()
        yield World(
            Stage(yard, forge, Watched(forge)),  # type: ignore[arg-type]
            github.url,
            LandingRules(needs_approval=False),
            lambda mortal, clock: github.forge(clock=ForgeClock(github.time.clock().now, die), pace=Pace(())),
            github.faults,
        )


def based(factory: Repository, origin: Repository) -> Yard:
    """Both with one commit on main."""
    base = Yard(factory, origin, CommitSha("")).commit(None, {"base": "1\n"})
    main = RefName("refs/heads/main")
    factory.push(origin.git_dir, [RefUpdate(main, base, origin.refs(main).get(main))])
    return Yard(factory, origin, base)


@pytest.mark.nightly
def test_m23_processes_that_never_live_long_get_to_the_end(tmp_path: Path) -> None:
    with local_world(tmp_path, "rebase", 1) as world:
        assert world.be_killed_all_the_time() > 8


@pytest.mark.nightly
def test_m23_processes_that_never_live_long_get_to_the_end_on_github(
    tmp_path: Path, github_service: GitHubService
) -> None:
    with github_world(tmp_path, github_service, "killed-always") as world:
        assert world.be_killed_all_the_time() > 8


@pytest.mark.nightly
@pytest.mark.parametrize(("method", "batch"), [("rebase", 1), ("squash", 16)])
@pytest.mark.parametrize("part", range(PARTS))
def test_m23_killed_at_any_call_on_the_local_forge(tmp_path: Path, part: int, method: MergeMethod, batch: int) -> None:
    with local_world(tmp_path / "whole", method, batch) as whole:
        clock = Clock(0)
        whole.live(clock)
        whole.judge("never killed")
    assert clock.moments > 2 * len(PARENTS)
    for moment in range(1 + part, clock.moments + 1, PARTS):
        with local_world(tmp_path / str(moment), method, batch) as world:
            world.be_killed(Clock(moment))


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(PARTS))
def test_m23_killed_at_any_call_on_github(tmp_path: Path, github_service: GitHubService, part: int) -> None:
    name = f"killed-{part}"
    with github_world(tmp_path / "whole", github_service, name) as whole:
        clock = Clock(0)
        whole.live(clock)
        assert whole.faults
        requests = len(whole.faults.seen)
        whole.judge("never killed")
    assert requests > 5 * len(PARENTS)
    for call in range(1 + part, requests + clock.moments + 1, PARTS):
        # First every request, its answer lost; then before and after every push and every move of a ref.
        dies_at, last = Clock(max(0, call - requests)), call if call <= requests else 0
        with github_world(tmp_path / str(call), github_service, f"{name}-{call}") as world:
            world.be_killed(dies_at, last)


@pytest.mark.slow
def test_m23_killed_in_the_middle_of_a_batch_on_the_local_forge(tmp_path: Path) -> None:
    with local_world(tmp_path, "squash", 16) as world:
        world.be_killed(Clock(34))
