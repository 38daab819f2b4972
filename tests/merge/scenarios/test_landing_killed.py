"""M23 for landing: stopped before or after any effect, the next run lands the rest: nothing twice, all checked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from harbour import Checks, approve, lander, trees_of_main, watch_main
from mortality import Clock, Killed, MortalForge, MortalRepository
from stage import Stage
from switchyard_merge.forge import LocalForge
from switchyard_merge.keep import Keeper
from switchyard_merge.land import Lander, LandingRules
from yard import WHO, Yard

pytestmark = pytest.mark.nightly

TASKS = {
    "a": ([], [{"fa": "1\n"}]),
    "x": ([], [{"red": "1\n"}]),
    "b": (["a"], [{"fb": "1\n"}]),
}
LANDED = {"fa": "1\n", "fb": "1\n"}


@pytest.fixture
def prepared(yard: Yard, tmp_path: Path) -> Callable[[], Stage]:
    """Copies of one stack that is about to land."""
    stage = Stage.open(yard, tmp_path)
    stage.publish(TASKS)
    approve(stage)
    watch_main(stage)
    numbers = count()
    return lambda: stage.copied(tmp_path, tmp_path / f"copy{next(numbers)}")


def wrong(files: Any) -> str:
    return "red" if "red" in files else ""


def mortal_lander(stage: Stage, checks: Checks, clock: Clock, batch: int) -> Lander:
    """One whose process may end around every push, move of a ref, check and write, those of the forge among them."""
    origin = stage.yard.origin.git_dir
    mortal = MortalRepository.of(stage.yard.factory, clock)
    forge = MortalForge(LocalForge(origin.parent / "forge", mortal, origin), clock)
    batches = forge if batch > 1 else None
    keeper = Keeper(mortal, forge, origin, WHO)
    return Lander(
        keeper, lambda commit: clock.around(lambda: checks(commit)), LandingRules(batch=batch), batches=batches
    )


def end_of(stage: Stage) -> object:
    pulls = [(pull.number, pull.state, pull.base) for pull in stage.forge.list()]
    files = {path: text for path, text in stage.files(stage.main()).items() if path not in "abc"}
    return (
        pulls,
        [len(stage.forge.comments(number)) for number in stage.numbers.values()],
        files,
        set(stage.yard.heads()),
    )


@pytest.mark.parametrize("batch", [1, 8])
def test_m23_stopped_anywhere_the_next_run_lands_the_rest(prepared: Callable[[], Stage], batch: int) -> None:
    whole = prepared()
    lander(whole, Checks(whole, wrong), batch=batch).land("r")
    expected = end_of(whole)
    assert expected[2] == LANDED  # type: ignore[index]
    moves = len(trees_of_main(whole))
    deadly = 0
    while True:
        deadly += 1
        stage, clock = prepared(), Clock(deadly)
        checks = Checks(stage, wrong)
        try:
            mortal_lander(stage, checks, clock, batch).land("r")
            break
        except Killed:
            lander(stage, checks, batch=batch).land("r")
        assert end_of(stage) == expected, f"killed at moment {deadly}"
        assert set(trees_of_main(stage)) <= checks.green
        assert len(trees_of_main(stage)) == moves, f"landed twice when killed at moment {deadly}"
    assert deadly > 20
