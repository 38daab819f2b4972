"""`switchyard retro` as people and scripts read it, on a ledger written through its own door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Shell
from .ledger_rows import started, write_rows

GOLDEN = Path(__file__).parent / "golden" / "retro.json"


def ended(task: str, **context: Any) -> tuple[Any, str, dict[str, Any]]:
    told = {"selected": 4, "unseen": "", "unselected": [], "read": [], "changed": [], "created": [], **context}
    return "task_finished", task, {"state": "published", "reason": "", "context": told}


@pytest.fixture
def ran(shell: Shell) -> Shell:
    shell.commit({"a.py": ""})
    write_rows(
        shell.folder / ".git",
        started("api", "model", "ui", "later"),
        ended("api", counts={"changed": 2, "changed_selected": 1, "used": 3}, unselected=["lib/x.py"]),
        ended("model", counts={"changed": 0, "changed_selected": 0, "used": 0}),
        ("task_finished", "ui", {"state": "failed", "reason": "no base", "context": None}),
    )
    return shell


def test_the_document_is_as_agreed(ran: Shell) -> None:
    assert ran.run("retro", "--json").document == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_a_person_reads_shares_a_row_a_task_and_what_was_missed(ran: Shell) -> None:
    ending = ran.run("retro")
    lines = ending.out.splitlines()
    assert (ending.code, ending.err, lines[0]) == (0, "", "run r1")
    assert [line.split() for line in lines[2:5]] == [
        ["api", "4", "3", "75%", "2", "1", "50%"],
        ["model", "4", "0", "0%", "0", "0", "-"],
        ["together", "8", "3", "38%", "2", "1", "50%"],
    ]
    assert lines[5:] == ["used: read or changed", "api: changed, not selected: lib/x.py"]


def test_what_could_not_be_seen_is_said(shell: Shell) -> None:
    shell.commit({"a.py": ""})
    blind = ended("api", counts={"changed": 2, "changed_selected": 2, "used": None}, unseen="no inotify", read=None)
    write_rows(shell.folder / ".git", started("api"), blind)
    said = shell.run("retro").out
    assert "used: changed\n" in said
    assert "api: what was read is not known (no inotify); used: changed" in said
    assert shell.run("retro", "--json").document["context"]["precision"] == 0.5


def test_a_run_is_named_or_the_newest_is_taken(ran: Shell) -> None:
    assert ran.run("retro", "r1", "--json").document == ran.run("retro", "--json").document
    missing = ran.run("retro", "r2")
    assert (missing.code, missing.err.splitlines()[0]) == (2, "error: no run 'r2'")


def test_a_run_without_ended_tasks_says_so(shell: Shell) -> None:
    shell.commit({"a.py": ""})
    write_rows(shell.folder / ".git", started("api"))
    assert shell.run("retro").out == "run r1: no task of it has ended with a selected context\n"


def test_before_the_first_run_there_is_nothing_to_look_back_on(shell: Shell) -> None:
    ending = shell.run("retro", "--json")
    assert (ending.code, ending.document["error"]["kind"]) == (2, "usage")
    assert ending.document["error"]["message"] == "nothing has run here yet"
