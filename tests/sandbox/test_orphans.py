"""An orchestrator killed at any moment of a box's life leaves nothing that its successor's reaper misses."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from switchyard_sandbox import Command

from sandbox.boxes import DRIVERS, MARK, Ground, living, make_ground

pytestmark = pytest.mark.sandbox
_DELAYS_S = [*(0.004 * step for step in range(25)), 0.2, 0.5, 1.0, 3.0, 10.0]
"""The longer ones for a machine with much else to do: once one was long enough, the others add nothing."""


@pytest.fixture(params=["embedded", "none"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, request.param)
    yield made
    made.close()


def test_one_reaping_is_enough_whenever_the_maker_was_killed(ground: Ground) -> None:
    commit = ground.commit({"a": "a\n", "b/c": "c\n"})
    ground.driver.destroy(ground.box(ground.spec(commit)))
    how_far = set()
    for delay_s in _DELAYS_S:
        if delay_s > 0.1 and "running" in how_far:
            break
        how_far.add(_be_killed(ground, commit, delay_s))
        successor = DRIVERS[ground.driver.kind](ground.state)
        successor.reap()
        assert list(successor.list()) == []
        give_up = time.monotonic() + 10
        while living(MARK) and time.monotonic() < give_up:
            time.sleep(0.02)
        assert living(MARK) == []
        assert [
            str(group) for group in Path("/sys/fs/cgroup").glob("*/switchyard-box-*") if _is_of(group, ground)
        ] == []
    ground.await_empty("boxes")
    ground.await_empty("trash")
    # Else the kills came too early or too late to say anything.
    assert how_far >= {"running"}
    assert len(how_far) > 1


def _be_killed(ground: Ground, commit: str, delay_s: float) -> str:
    """Let a process make a box and start a command, and kill it so long after its beginning; how far it came."""
    begun, begin = os.pipe()
    pid = os.fork()
    if pid == 0:
        _make_and_start(ground, commit, begin)
    os.read(begun, 1)
    time.sleep(delay_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(begun)
    os.close(begin)
    boxes = list((ground.state / "boxes").iterdir())
    if not boxes:
        return "nothing"
    if (boxes[0] / "exec" / "1" / "process.json").exists():
        return "running"
    return "made" if (boxes[0] / "plan.json").exists() else "begun"


def _make_and_start(ground: Ground, commit: str, begin: int) -> None:
    try:
        driver = DRIVERS[ground.driver.kind](ground.state)
        spec = ground.spec(commit)
        # What takes long is done before: the moments in between are what is to be hit.
        driver.destroy(driver.create(spec))
        os.write(begin, b"x")
        driver.start(driver.create(spec), Command(("sleep", MARK)))
        time.sleep(60)
    finally:
        os._exit(1)


def _is_of(group: Path, ground: Ground) -> bool:
    trash = {folder.name.rpartition("-")[0] for folder in (ground.state / "trash").iterdir()}
    return group.name.removeprefix("switchyard-") in trash
