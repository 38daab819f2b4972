"""M23 for keeping: stopped before or after any effect, the next run ends where an undisturbed one does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from mortality import Clock, Killed, MortalForge, MortalRepository
from stage import Stage, branch
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


def test_m23_stopped_anywhere_the_next_run_ends_in_the_same_place(prepared: Callable[[], Stage]) -> None:
    whole = prepared()
    whole.keep()
    expected = end_of(whole)
    assert whole.bases() == {"b": "main", "c": "b", "x": "main", "d": "join-d"}
    assert {name for name, _ in whole.watched.writes} == {"reopen", "edit", "comment", "close"}
    deadly = 0
    while True:
        deadly += 1
        stage, clock = prepared(), Clock(deadly)
        mortal = MortalRepository.of(stage.yard.factory, clock)
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
