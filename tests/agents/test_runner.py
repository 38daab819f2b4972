"""An agent's turns share one time, each has its own bound, and all together they are one attempt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from switchyard_sandbox import BoxId, Command, Driver, Finished

from switchyard.agents import AgentRunner, Assignment, ClaudeAgent, CommandAgent, Places, Timers
from switchyard.packets import RunId, TaskId

ASSIGNMENT = Assignment(RunId("r"), TaskId("t"), 1, "", Places("/w", "/p", "/c"), prompt="Do it.")
DONE = {"type": "result", "subtype": "success", "result": "Done.", "session_id": "s-1", "usage": {"input_tokens": 10}}


class Boxes:
    """Commands that end as they were told to, 40 seconds after they began."""

    def __init__(self, *lines: object) -> None:
        self.given: list[Command] = []
        self._lines = lines

    def execute(self, box: BoxId, command: Command) -> Finished:
        """End at once."""
        self.given.append(command)
        line = json.dumps(self._lines[len(self.given) - 1]).encode()
        return Finished(0, None, None, line + b"\n", b"", False, 40.0, opened=(f"{len(self.given)}.py",))


def runner(boxes: Boxes, timers: Timers, watch: Sequence[str] = ()) -> AgentRunner:
    return AgentRunner(cast("Driver", boxes), BoxId("b"), ClaudeAgent("coder"), timers, watch)


def test_a_turn_has_its_own_bound_and_no_more_than_what_is_left() -> None:
    boxes = Boxes(DONE, DONE)
    work = runner(boxes, Timers(total_s=70, stall_s=5, turn_s=50))
    work.begin(ASSIGNMENT)
    assert work.go_on(ASSIGNMENT, "Again.") is not None
    assert [(command.timeout_s, command.stall_s) for command in boxes.given] == [(50, 5), (30, 5)]
    assert [command.stdin for command in boxes.given] == [b"Do it.", b"Again."]
    assert "s-1" in boxes.given[1].argv
    assert work.go_on(ASSIGNMENT, "No time is left.") is None


def test_all_turns_are_one_report() -> None:
    work = runner(Boxes(DONE, {**DONE, "is_error": True, "result": "API Error"}), Timers(1000, 5))
    work.begin(ASSIGNMENT)
    work.go_on(ASSIGNMENT, "Again.")
    report, whole = work.report(), work.whole()
    assert report is not None
    assert (report.ok, report.reason, report.turns, report.input_tokens) == (False, "API Error", 2, 20)
    assert report.events == {"usage": 2, "result": 2}
    assert (whole.duration_s, whole.opened, whole.stdout.count(b"\n")) == (80.0, ("1.py", "2.py"), 2)


def test_who_has_no_session_is_not_asked_again() -> None:
    work = runner(Boxes({"type": "assistant"}), Timers(1000, 5))
    work.begin(ASSIGNMENT)
    assert work.go_on(ASSIGNMENT, "Again.") is None
    plain = AgentRunner(cast("Driver", Boxes(DONE)), BoxId("b"), CommandAgent("c", ["x"]), Timers(1000, 5))
    plain.begin(ASSIGNMENT)
    assert plain.go_on(ASSIGNMENT, "Again.") is None
    assert plain.report() is None
