"""`kill -9` of what makes boxes, a hundred times: one reap later nothing of any of them is left on the machine."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from end_to_end.plot import CONFIG, Plot

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]
AT_ONCE = 5
MARK = f"4545.{os.getpid()}"
"""A sleep of just that length: what sleeps so long is a box's."""
CGROUPS = Path("/sys/fs/cgroup")


@pytest.fixture
def plot(tmp_path: Path) -> Iterator[Plot]:
    plot = Plot(tmp_path, agents={"t1": f"sleep {MARK}\n"})
    # Room for what other runs than the killed ones would do.
    plot.write("switchyard.toml", CONFIG.replace("repairs = 0", "repairs = 1"))
    plot.task("t1")
    # Both prepare a checkout the first time; what is looked at here comes after that.
    assert plot.run("sandbox", "run", "--", "true").code == 0
    yield plot
    plot.run("sandbox", "reap", "--all")


def processes(state: Path) -> list[str]:
    """What runs on this machine for the boxes below a state folder: their commands and their supervisors."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            ours = any(word.startswith(os.fsencode(state)) for word in words)
            if ours or words[:2] == [b"sleep", MARK.encode()]:
                found.append(f"{process.name} {words!r}")
    return found


def mounts(state: Path) -> list[str]:
    """Mounts of any process on this machine that lie below a state folder, or that are made of what lies there."""
    found = []
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with suppress(OSError):
            escaped = str(state).replace(" ", "\\040")
            found += [f"{table}: {line}" for line in table.read_text().splitlines() if escaped in line]
    return found


def groups(names: set[str]) -> list[str]:
    """The control groups of these boxes."""
    folders = [Path(folder) for folder, _, _ in os.walk(CGROUPS)]
    return [str(folder) for folder in folders if any(name in folder.name for name in names)]


def undisturbed_s(plot: Plot) -> float:
    """How long it takes on this machine, now, until that many at once have come to their end."""
    began = time.monotonic()
    for process in [plot.start("sandbox", "run", "--", "true") for _ in range(AT_ONCE)]:
        process.communicate()
    return time.monotonic() - began


def kill_some(plot: Plot, moments: Sequence[float]) -> set[str]:
    """Start commands at once and kill each after so many seconds; the boxes that were there in between."""
    running = {moment: plot.start("sandbox", "run", "--", "sleep", MARK) for moment in moments}
    began, seen = time.monotonic(), set[str]()
    while running:
        seen |= {place.name for place in (plot.repo / ".git" / "switchyard" / "boxes").iterdir()}
        for moment in [moment for moment in running if time.monotonic() - began > moment]:
            process = running.pop(moment)
            process.kill()
            process.communicate()
        time.sleep(0.01)
    return seen


@pytest.mark.parametrize(
    "kills", [pytest.param(10, marks=pytest.mark.slow), pytest.param(80, marks=pytest.mark.nightly)]
)
def test_nothing_is_left_of_killed_commands(plot: Plot, kills: int) -> None:
    rng = random.Random(11)
    whole_s, seen = undisturbed_s(plot), set[str]()
    for _ in range(kills // AT_ONCE):
        seen |= kill_some(plot, [rng.uniform(0.2, 1.2) * whole_s for _ in range(AT_ONCE)])
    assert len(seen) >= kills // 10, "the commands were killed before they had made anything"

    assert_nothing_is_left(plot, seen)


@pytest.mark.parametrize(
    "kills", [pytest.param(4, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.nightly)]
)
def test_nothing_is_left_of_killed_runs(plot: Plot, kills: int) -> None:
    rng = random.Random(12)
    seen = set[str]()
    for _ in range(kills):
        process = plot.start("run")
        assert process.stderr is not None
        if rng.random() < 0.7:
            # However slow the machine: it was at work, with a box as soon as it has begun anything again.
            assert process.stderr.readline()
        time.sleep(rng.uniform(0, 1.0))
        process.kill()
        process.communicate()
        seen |= {place.name for place in (plot.repo / ".git" / "switchyard" / "boxes").iterdir()}
    assert len(seen) >= kills // 4, "the runs were killed before they had made anything"
    assert_nothing_is_left(plot, seen)


def assert_nothing_is_left(plot: Plot, boxes: set[str]) -> None:
    """After one reap by a successor."""
    state = plot.repo / ".git" / "switchyard"
    assert plot.run("sandbox", "reap").code == 0
    assert plot.run("sandbox", "list", "--json").document["sandboxes"] == []
    assert processes(state / "boxes") == []
    assert mounts(state) == []
    assert groups(boxes) == []
