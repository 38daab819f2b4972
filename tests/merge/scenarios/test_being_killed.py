"""M23 for keeping: stopped before or after any effect, the next run ends where an undisturbed one does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from stage import Stage, Watched, branch
from switchyard_git import RefUpdate, Repository
from switchyard_merge.forge import LocalForge
from switchyard_merge.keep import Keeper
from yard import WHO, Yard

pytestmark = pytest.mark.slow

TASKS = {
    "a": ([], [{"fa": "1\n"}, {"fa": "2\n"}]),
    "b": (["a"], [{"fb": "1\n"}]),
    "c": (["b"], [{"fc": "1\n"}]),
    "x": ([], [{"fx": "1\n"}]),
    "y": (["x"], [{"fy": "1\n"}]),
    "d": (["c", "y"], [{"fd": "1\n"}]),
}


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    """Dies at one of the moments that it is asked about."""

    deadly: int
    moments: int = 0

    def tick(self) -> None:
        self.moments += 1
        if self.moments == self.deadly:
            raise Killed

    def around(self, act: Callable[[], Any]) -> Any:
        self.tick()
        told = act()
        self.tick()
        return told


@dataclass(frozen=True)
class MortalRepository(Repository):
    """A repository whose user may die around every push and every move of a ref."""

    clock: Clock = field(default_factory=lambda: Clock(0))

    def push(self, target: str | Path, updates: Sequence[RefUpdate], *, atomic: bool = True) -> None:
        self.clock.around(lambda: super(MortalRepository, self).push(target, updates, atomic=atomic))

    def update_refs(self, updates: Sequence[RefUpdate]) -> None:
        self.clock.around(lambda: super(MortalRepository, self).update_refs(updates))


class MortalForge(Watched):
    """A forge whose user may die around every write."""

    def __init__(self, inner: LocalForge, clock: Clock) -> None:
        super().__init__(inner)
        self.clock = clock

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        if name not in ("edit", "close", "reopen", "comment"):
            return call
        return lambda *given, **named: self.clock.around(lambda: call(*given, **named))


@pytest.fixture
def prepared(yard: Yard, tmp_path: Path) -> Callable[[], Stage]:
    """Copies of one stack that needs everything at once."""
    stage = Stage.open(yard, tmp_path)
    stage.publish(TASKS)
    stage.land("a")
    stage.delete(branch("a"))
    stage.forge.close(stage.numbers["b"])
    stage.amend("x", {"fy": "1\n"})
    numbers = count()
    return lambda: stage.copied(tmp_path, tmp_path / f"copy{next(numbers)}")


def end_of(stage: Stage) -> object:
    pulls = [(pull.number, pull.state, pull.base, pull.head_sha) for pull in stage.forge.list()]
    comments = [stage.forge.comments(number) for number in stage.numbers.values()]
    return pulls, comments, stage.yard.origin.refs(), stage.record()


def test_stopped_anywhere_the_next_run_ends_in_the_same_place(prepared: Callable[[], Stage]) -> None:
    whole = prepared()
    whole.keep()
    expected = end_of(whole)
    assert whole.bases() == {"b": "main", "c": "b", "x": "main", "d": "join-d"}
    assert {name for name, _ in whole.watched.writes} == {"reopen", "edit", "comment", "close"}
    deadly = 0
    while True:
        deadly += 1
        stage, clock = prepared(), Clock(deadly)
        factory = stage.yard.factory
        mortal = MortalRepository(factory.git_dir, factory.common_dir, None, clock=clock)
        keeper = Keeper(mortal, MortalForge(stage.forge, clock), stage.yard.origin.git_dir, WHO)
        try:
            keeper.keep("r")
        except Killed:
            stage.keep()
            assert end_of(stage) == expected, f"killed at moment {deadly}"
            continue
        assert end_of(stage) == expected
        break
    assert deadly > 16
