"""`kill -9` at any moment: run again, it goes on where it was, and nothing happens twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from end_to_end.yard import CONFIG, Yard, random_tasks


@pytest.mark.sandbox
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("tasks", "kills"),
    [
        pytest.param(4, 5, id="five-kills", marks=pytest.mark.nightly),
        pytest.param(12, 20, id="twenty-kills", marks=pytest.mark.nightly),
    ],
)
def test_a_killed_run_ends_like_the_undisturbed_one(tmp_path: Path, tasks: int, kills: int) -> None:
    dag = random_tasks(seed=1, count=tasks)
    calm = Yard(tmp_path / "calm", dag)
    calm.run("run")

    shaken = Yard(tmp_path / "shaken", dag)
    killed = _kill_often(shaken, kills)
    # A run goes on with the checks that it was planned with, whatever the configuration says by then.
    (shaken.repo / "switchyard.toml").write_text(CONFIG.replace("[checks]", '[checks]\nlate = "false"'))
    shaken.run("run")

    assert killed >= kills // 2, "the run was over before it could be disturbed"
    assert _outcome(shaken) == _outcome(calm)
    assert set(shaken.pushes().values()) == {1}
    assert shaken.boxes() == []
    shaken.run("ledger", "verify")


def _kill_often(yard: Yard, kills: int) -> int:
    """Kill the run some lines and some moment after it said something: however slow the machine, it was at work."""
    rng = random.Random(7)
    for killed in range(kills):
        process = yard.start("run")
        assert process.stderr is not None
        said = [process.stderr.readline() for _ in range(rng.randint(1, 5))]
        time.sleep(rng.uniform(0, 0.2))
        if not all(said):
            process.communicate()
            return killed
        process.kill()
        process.communicate()
    return kills


def _outcome(yard: Yard) -> dict[str, object]:
    """Trees, states and pull requests, without the run's own name."""
    rows = yard.status()
    trees = {name: yard.git("rev-parse", f"{row['head']}^{{tree}}").strip() for name, row in rows.items()}
    pulls = sorted(
        (str(pull["task"]), str(pull["head"]).rpartition("/")[2], str(pull["base"]).rpartition("/")[2])
        for pull in yard.stack()
    )
    return {"trees": trees, "states": {name: row["state"] for name, row in rows.items()}, "pulls": pulls}
