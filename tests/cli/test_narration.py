"""What a row says to people who watch: one line each, and nothing for rows that only machines need."""

from __future__ import annotations

from typing import Any

import pytest

from cli.ledger_rows import EXTRACTED, started
from switchyard.cli.narration import describe_doing, narrate
from switchyard.ledger import EVENT_TYPES, Event

DECIDED: dict[str, Any] = {"attempt": 2, "verdict": "needs_person", "reasons": ["tests were edited\nmore", "second"]}


def told(event_type: str, **data: Any) -> str:
    return narrate(Event(1, "k", "r", "t", "", event_type, "2026-01-01T00:00:00Z", "", data, "", ""))


@pytest.mark.parametrize(
    ("event_type", "data", "words"),
    [
        ("run_started", started("a")[2], "run started: 1 task on main (c0c0c0c0c0)"),
        ("run_started", started("a", "b")[2], "run started: 2 tasks on main (c0c0c0c0c0)"),
        ("task_claimed", {"branch": "factory/r/t", "base_branch": "main"}, "claimed: branch factory/r/t on main"),
        ("task_claimed", {"branch": "factory/r/t", "base_branch": ""}, "claimed: branch factory/r/t on no base"),
        ("context_selected", {"files": 3, "tokens": 900}, "context: 3 files, 900 tokens"),
        ("context_selected", {"files": 1, "tokens": 9}, "context: 1 file, 9 tokens"),
        (
            "forge_waiting",
            {"reason": "secondary rate limit", "seconds": 59.6},
            "waiting for GitHub: 60 s (secondary rate limit)",
        ),
        (
            "assignment_dispatched",
            {"attempt": 1, "setup": True},
            "attempt 1: making a sandbox; the set-up runs first where the base is new, and can take a while",
        ),
        ("attempt_extracted", EXTRACTED, "attempt 1: agent exited with 0 after 1.0 s, 1 path changed"),
        (
            "attempt_extracted",
            {**EXTRACTED, "limit": "stall", "signal": 9, "exit_code": None, "changed_count": 0},
            "attempt 1: agent ended by the stall limit after 1.0 s, 0 paths changed",
        ),
        (
            "attempt_extracted",
            {**EXTRACTED, "signal": 11, "exit_code": None},
            "attempt 1: agent ended by signal 11 after 1.0 s, 1 path changed",
        ),
        ("check_passed", {"name": "unit", "duration_s": 2.0}, "check unit passed (2.0 s)"),
        ("check_failed", {"name": "unit", "duration_s": 2.0}, "check unit FAILED (2.0 s)"),
        ("check_failed", {"name": "unit", "duration_s": 2.0, "on": "base"}, "check unit on the base FAILED (2.0 s)"),
        ("check_failed", {"name": "unit", "duration_s": 2.0, "again": 1}, "check unit again FAILED (2.0 s)"),
        ("policy_decided", DECIDED, "attempt 2: needs person (tests were edited)"),
        ("policy_decided", {**DECIDED, "verdict": "publish", "reasons": []}, "attempt 2: publish"),
        ("policy_decided", {**DECIDED, "verdict": "repair", "reasons": [""]}, "attempt 2: repair"),
        ("branch_published", {"branch": "factory/r/t", "head": "a" * 40}, "pushed factory/r/t (aaaaaaaaaa)"),
        (
            "pull_request_opened",
            {"number": 7, "base": "main", "url": "file:///7"},
            "pull request #7 onto main: file:///7",
        ),
        ("restacked", {"base_branch": "main", "head": "b" * 40}, "restacked onto main (bbbbbbbbbb)"),
        ("restacked", {"stack": "factory/main", "pushed": []}, ""),
        ("landed", {"commit": "c" * 40}, "landed as cccccccccc"),
        ("landed", {"commit": ""}, "landed"),
        ("pull_request_changed", {"state": "blocked", "reason": "#1 was closed"}, "blocked: #1 was closed"),
        ("task_finished", {"state": "needs_person", "reason": "why\nmore"}, "needs person: why"),
        ("task_finished", {"state": "published", "reason": ""}, "published"),
        ("operator_action", {"action": "retry"}, "a person said: retry"),
        ("run_finished", {"tasks": []}, "run finished"),
    ],
)
def test_a_row_is_told_in_one_line(event_type: str, data: dict[str, Any], words: str) -> None:
    assert told(event_type, **data) == words


@pytest.mark.parametrize("event_type", ["effect_intended", "invented_later"])
def test_rows_for_machines_are_not_told(event_type: str) -> None:
    assert told(event_type, anything=1) == ""


@pytest.mark.parametrize("data", [{"attempt": 2, "setup": True}, {"attempt": 1, "setup": False}, {"attempt": 1}])
def test_a_sandbox_that_needs_no_set_up_is_not_announced(data: dict[str, Any]) -> None:
    assert told("assignment_dispatched", **data) == ""


def test_every_type_says_what_a_task_is_busy_with() -> None:
    data = {"attempt": 2, "state": "needs_person"}
    doing = {name: describe_doing(name, data) for name in EVENT_TYPES}
    assert all(words and "_" not in words for words in doing.values())
    assert doing["sandbox_created"] == "attempt 2: agent at work"
    assert doing["task_finished"] == "needs person"
    assert describe_doing("invented_later", {}) == "invented later"
