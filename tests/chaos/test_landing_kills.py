"""`kill -9` around a landing: landed again, main has each change once, and nothing is left over."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.ground import ChaosYard

PROGRAM = Path(__file__).with_name("landing_program.py")
# Just before main moves, before the forge's file says so, before a check has its box, before branches are pushed or
# deleted, before the journal says what was found.
LANDING = {
    "pull request landed": [
        ("spawn *push*refs/heads/main*", 1),
        ("rename */forge/1.json", 2),
        ("mkdir */boxes/*/inbox", 1),
        ("spawn *push*refs/heads/factory/*", 1),
        ("spawn *push*refs/heads/factory/*", 2),
        ("spawn *update-ref*", 1),
        ("spawn *update-ref*", 2),
        ("spawn *update-ref*", 4),
        ("spawn *push*refs/heads/main*", 3),
    ]
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> ChaosYard:
    """Two pull requests and one on both of them."""
    yard = ChaosYard(tmp_path_factory.mktemp("published") / "yard")
    yard.run("run")
    return yard


@pytest.mark.sandbox
@pytest.mark.nightly
@pytest.mark.parametrize(("point", "nth"), LANDING["pull request landed"])
def test_a_killed_landing_is_gone_on_with(tmp_path: Path, published: ChaosYard, point: str, nth: int) -> None:
    yard = published.copied(tmp_path / "yard")
    # A copy has not the owners that a prepared tree must have.
    shutil.rmtree(yard.state / "checkouts")
    killed = subprocess.run(
        [sys.executable, str(PROGRAM), point, str(nth)], cwd=yard.repo, env=yard.env, capture_output=True, timeout=240
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-3000:]

    told = json.loads(yard.run("stack", "land", "--no-approval", "--json"))

    assert (told["waiting"], told["ejected"]) == ([], [])
    subjects = yard.git("log", "--format=%s", "main").splitlines()
    assert sorted(subject.partition(" (#")[0] for subject in subjects) == [
        "Lay out",
        *(f"Sign slots as {name}" for name in "abc"),
    ]
    assert {name: row["state"] for name, row in yard.status().items()} == dict.fromkeys("abc", "landed")
    assert {event.task_id for event in yard.events() if event.event_type == "landed"} == set("abc")
    assert yard.open_effects() == 0
    assert yard.git("for-each-ref", "refs/heads/factory") == ""
    assert yard.boxes() == []
    yard.run("ledger", "verify")
