"""The engine records each step once, and a killed process goes on where it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ledger.test_store import WRITER

from switchyard.ledger import connect, read_events, verify_chain

PROGRAM = Path(__file__).with_name("engine_line.py")


@dataclass(frozen=True)
class Line:
    """A line that processes take up one after the other."""

    folder: Path

    def run(self, scenario: str, kill: str = "") -> Any:
        """One process; what it printed, or None where it was killed as asked."""
        done = subprocess.run(
            [sys.executable, "-W", "error", str(PROGRAM), str(self.folder), scenario, kill],
            capture_output=True,
            text=True,
            timeout=120,
        )
        if kill and kill != "leave":
            assert done.returncode == -signal.SIGKILL, done.stderr
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    @property
    def bodies(self) -> Counter[str]:
        file = self.folder / "bodies"
        return Counter(file.read_text().splitlines() if file.exists() else [])

    def keys(self) -> list[str]:
        """The ledger's keys, after a check of its chain."""
        engine = connect(self.folder / "line.db")
        with engine.connect() as connection:
            keys = [event.key for event in read_events(connection)]
            assert verify_chain(connection) == len(keys)
        engine.dispose()
        return keys


@pytest.fixture
def line(tmp_path: Path) -> Line:
    folder = tmp_path / "a folder?with #odd%20name"
    folder.mkdir()
    return Line(folder)


def test_a_line_is_run_once_however_often_it_is_started(line: Line) -> None:
    told = {"answer": {"value": 42}, "ended": True, "exists": False}
    assert line.run("line") == told
    assert line.run("line") == told
    assert line.bodies == {"transaction one": 1, "step work": 1, "transaction two": 1}
    assert line.keys() == ["one", "two"]


@pytest.mark.parametrize(
    ("place", "again"),
    [
        ("in transaction one", "transaction one"),
        ("between one and step", ""),
        ("in step work", "step work"),
        ("between step and two", ""),
        ("in transaction two", "transaction two"),
        ("after two", ""),
    ],
)
def test_a_line_killed_anywhere_ends_like_an_undisturbed_one(line: Line, place: str, again: str) -> None:
    line.run("line", kill=place)
    assert line.run("line")["answer"] == {"value": 42}
    once = {"transaction one": 1, "step work": 1, "transaction two": 1}
    assert line.bodies == {**once, **({again: 2} if again else {})}
    assert line.keys() == ["one", "two"]


@pytest.mark.nightly
def test_a_line_killed_again_and_again_still_comes_to_its_end(line: Line) -> None:
    for place in ["in transaction one", "in step work", "in step work", "in step work", "in transaction two"]:
        line.run("line", kill=place)
    assert line.run("line")["answer"] == {"value": 42}
    assert line.bodies["step work"] == 4
    assert line.keys() == ["one", "two"]


def test_children_are_taken_in_the_order_of_their_ends_and_a_replay_sees_the_same(line: Line) -> None:
    line.run("parent", kill="after 1")
    line.run("parent", kill="after 2")
    order = line.run("parent")["answer"]
    assert order == ["child-fast", "child-middle", "child-slow"]
    seen = [name for name in line.bodies if name.startswith("order")]
    assert seen == [f"order {' '.join(order[:count])}" for count in (1, 2, 3)]
    assert all(count == 1 for name, count in line.bodies.items() if name.startswith("child"))


def test_a_step_that_raises_is_recorded_as_that(line: Line) -> None:
    assert "no such luck" in line.run("failing")["answer"]["raised"]
    assert "no such luck" in line.run("failing")["answer"]["raised"]
    assert line.bodies == {"step fail": 1}


def test_a_line_that_ended_in_an_error_goes_on_from_where_it_failed(line: Line) -> None:
    for place in ("outside", "inside"):
        (line.folder / f"fail {place}").touch()
        assert line.run("unlucky")["answer"] == {"raised": place}
        (line.folder / f"fail {place}").unlink()
    assert line.run("unlucky")["answer"] == {"value": 1}
    assert line.run("unlucky")["answer"] == {"value": 1}
    assert line.bodies == {"transaction before": 1, "step work": 1, "transaction after": 1}
    assert line.keys() == ["before", "after"]


def test_an_abandoned_engine_records_nothing_and_the_next_one_begins_the_step_again(line: Line) -> None:
    assert line.run("abandoned", kill="leave") is None
    assert line.keys() == ["before"]
    line.run("abandoned")
    assert line.bodies == {"transaction before": 1, "step long": 2, "transaction after": 1}
    assert line.keys() == ["before", "after"]


def test_an_abandoned_engine_takes_no_note_from_inside_a_step(line: Line) -> None:
    line.run("noting", kill="leave")
    assert line.keys() == []
    line.run("noting")
    assert line.keys() == ["from inside a step"]


def test_transactions_wait_for_another_process_that_writes_the_same_ledger(line: Line) -> None:
    line.run("line")
    other = subprocess.Popen([sys.executable, "-c", WRITER, str(line.folder / "line.db"), "other"])
    try:
        assert line.run("many")["answer"] == "done"
    finally:
        assert other.wait(120) == 0
    assert len(line.keys()) == 2 + 60 + 300
    assert all(count == 1 for count in line.bodies.values())
