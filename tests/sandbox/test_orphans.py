"""An orchestrator killed at any moment of a box's life leaves nothing that stays, with a successor or without."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from switchyard_sandbox import KEEP, BoxId, Command, CommandId
from switchyard_sandbox.docker.client import connect

from sandbox.boxes import DOCKER, DRIVERS, LABELS, MARK, Ground, living, make_ground

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


@pytest.mark.slow
@pytest.mark.parametrize(
    "ground",
    [
        *(kind for kind in ("docker", "embedded") if kind in DRIVERS),
        # By the same code as embedded ones.
        pytest.param("none", marks=pytest.mark.nightly),
    ],
    indirect=True,
)
def test_without_a_successor_a_box_ends_by_itself(ground: Ground) -> None:
    """One that is followed goes on, and so does one that was made to be kept."""
    followed, kept, lost, untouched = _make_some_and_be_killed(ground, ground.commit({"a": "a\n"}))
    ground.boxes += [followed, kept]
    finished = ground.driver.attach(followed, CommandId("1"))
    assert (finished.exit_code, finished.stdout) == (0, b"lived\n")
    assert {info.id: info.state for info in ground.driver.list()} == {followed: "idle", kept: "running"}
    # That of the box that is kept.
    assert len(living(MARK)) == 1
    assert [str(group) for group in Path("/sys/fs/cgroup").glob(f"*/switchyard-{lost}")] == []
    assert _mounted(lost) == _mounted(untouched) == []
    ground.await_empty("trash")
    if DOCKER:
        with connect(DOCKER) as client:
            names = [container.name for container in client.sdk.containers.list(all=True)]
        assert not {f"switchyard-{box}" for box in (lost, untouched)}.intersection(names)


def _make_some_and_be_killed(ground: Ground, commit: str) -> list[BoxId]:
    """Let a process make boxes to be followed, kept and forgotten, before and after their first commands; kill it."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _make_some(ground, commit, write)
    boxes = [BoxId(name) for name in os.read(read, 4096).decode().split()]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(read)
    os.close(write)
    return boxes


def _make_some(ground: Ground, commit: str, made: int) -> None:
    try:
        driver = DRIVERS[ground.driver.kind](ground.state)
        plain, kept = ground.spec(commit), ground.spec(commit, labels={**LABELS, KEEP: "yes"})
        boxes = [driver.create(spec) for spec in (plain, kept, plain, plain)]
        # One that outlives a box's patience.
        driver.start(boxes[0], Command(("sh", "-c", "sleep 45; echo lived")))
        for box in boxes[1:3]:
            driver.start(box, Command(("sleep", MARK)))
        os.write(made, " ".join(boxes).encode())
        time.sleep(60)
    finally:
        os._exit(1)


def _mounted(box: BoxId) -> list[str]:
    """The processes that have mounts of a box's files."""
    found = []
    for place in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            if box in place.read_text():
                found.append(str(place))
        except OSError:
            continue
    return found


def _is_of(group: Path, ground: Ground) -> bool:
    trash = {folder.name.rpartition("-")[0] for folder in (ground.state / "trash").iterdir()}
    return group.name.removeprefix("switchyard-") in trash
