"""`show --evidence`, `--statement` and `--verify` as people and scripts type them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from switchyard.cli.narration import narrate
from switchyard.ledger import Event

from .conftest import Shell
from .ledger_rows import EXTRACTED, started, write_rows

CHECK: dict[str, Any] = {
    "attempt": 1,
    "commit": "c1",
    "name": "unit",
    "command": "make",
    "exit_code": 1,
    "signal": None,
    "limit": None,
    "duration_s": 1.0,
}
GATE: dict[str, Any] = {"attempt": 1, "commit": "c1", "gate": "secrets", "outcome": "passed", "reason": "0 in 3 lines"}
UNSIGNED = {"outcome": "fails", "commit": "c1", "reason": "the environment has no KEY (export KEY)", "key": ""}


@pytest.fixture
def ran(shell: Shell) -> Shell:
    write_rows(
        shell.folder / ".git",
        started("a", "b"),
        ("attempt_extracted", "a", EXTRACTED),
        ("gate_decided", "a", {**GATE, "findings": []}),
        ("check_failed", "a", CHECK),
        ("statement_signed", "a", UNSIGNED),
        ("attempt_extracted", "b", EXTRACTED),
    )
    return shell


def test_a_claim_is_a_row_of_the_table(ran: Shell) -> None:
    ending = ran.run("show", "a", "--evidence")
    assert (ending.code, ending.err) == (0, "")
    lines = [" ".join(line.split()) for line in ending.out.splitlines()]
    assert "a secrets-scanned holds 1 c1 3 0 in 3 lines" in lines
    assert "a tests-executed (unit) FAILS 1 c1 4 exited with 1 after 1.0 s: `make`" in lines
    assert "a branch-published MISSING no row backs it" in lines


def test_evidence_of_all_tasks_is_narrowed_by_claim_and_outcome(ran: Shell) -> None:
    document = ran.run("show", "--evidence", "--outcome", "fails", "--json").document
    assert document["schema"] == "switchyard.evidence/1"
    assert (document["task"], document["run"], document["head"], document["missing"]) == (None, None, None, [])
    assert [claim["claim"] for claim in document["claims"]] == ["tests-executed", "statement-signed"]
    document = ran.run("show", "--evidence", "--claim", "result-extracted", "--json").document
    assert [claim["task"] for claim in document["claims"]] == ["a", "b"]
    assert set(document["claims"][0]) == {
        "claim", "about", "statement", "outcome", "reason", "run", "task", "attempt", "commit", "seq", "hash",
        "artifact", "artifact_state", "timestamp",
    }  # fmt: skip
    missing = ran.run("show", "b", "--evidence", "--outcome", "missing", "--json").document
    assert missing["claims"] == []
    assert {"task": "b", "claim": "tests-executed", "about": ""} in missing["missing"]


def test_before_anything_ran_there_is_no_evidence(shell: Shell) -> None:
    assert shell.run("show", "--evidence", "--json").document["claims"] == []
    assert "no such claim" in shell.run("show", "--evidence").err
    assert shell.run("show", "a", "--evidence").code == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Missing argument 'TASK'."),
        (("--verify",), "Missing argument 'TASK'."),
        (("a", "--verify", "--statement"), "three questions"),
        (("a", "--claim", "landed"), "--claim and --outcome choose among evidence"),
        (("a", "--key", "k.pem"), "--key and --envelope say what is verified"),
        (("--evidence", "--claim", "landd"), "did you mean 'landed'?"),
        (("a", "--verify", "--envelope", "gone.json"), "no statement at gone.json"),
        (("z", "--verify"), "'z' was never run"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(ran: Shell, arguments: tuple[str, ...], told: str) -> None:
    ending = ran.run("show", *arguments)
    assert (ending.code, ending.out) == (2, "")
    assert told in ending.err


def test_what_was_not_signed_does_not_hold_and_says_why(ran: Shell) -> None:
    ending = ran.run("show", "a", "--verify")
    assert (ending.code, ending.err) == (1, "")
    assert (
        ending.out
        == "does not hold: envelope: no statement of 'a' was signed: the environment has no KEY (export KEY)\n"
    )
    document = ran.run("show", "a", "--verify", "--json").document
    assert (document["schema"], document["ok"], document["faults"][0]["kind"]) == (
        "switchyard.verification/1",
        False,
        "envelope",
    )
    statement = ran.run("show", "b", "--statement")
    assert (statement.code, statement.out) == (1, "")
    assert "no statement of 'b' was signed" in statement.err


def test_show_tells_gates_and_verdicts_of_an_attempt(shell: Shell) -> None:
    verdict = {"attempt": 1, "reviewer": "quality", "agent": "judge", "kind": "claude", "model": "m", "verdict": "fail"}
    finished = {**EXTRACTED, "changed": [], "findings": [], "diff": "", "stdout": "", "stderr": ""}
    rows = [("attempt_extracted", "a", finished), ("gate_decided", "a", GATE), ("verdict_revealed", "a", verdict)]
    write_rows(shell.folder / ".git", started("a"), *rows)  # type: ignore[arg-type]
    told = shell.run("show", "a").out
    assert "  gate     secrets: passed (0 in 3 lines)\n" in told
    assert "  verdict  quality: fail, by judge claude m" in told
    (attempt,) = shell.run("show", "a", "--json").document["attempts"]
    assert [gate["gate"] for gate in attempt["gates"]] == ["secrets"]
    assert [verdict["reviewer"] for verdict in attempt["verdicts"]] == ["quality"]


def test_watching_people_hear_whether_a_statement_was_signed() -> None:
    def told(data: dict[str, Any]) -> str:
        return narrate(Event(1, "k", "r", "a", "", "statement_signed", "2026", "", data, "", ""))

    assert told({**UNSIGNED, "outcome": "holds"}) == "statement signed"
    assert told(UNSIGNED) == "statement NOT signed: the environment has no KEY (export KEY)"
    assert told({**UNSIGNED, "outcome": "not_applicable"}) == ""


def test_a_folder_named_like_a_key_is_no_key(ran: Shell, tmp_path: Path) -> None:
    (tmp_path / "with space" / "k.pem").mkdir()
    ending = ran.run("show", "a", "--verify", "--key", "k.pem", "--envelope", "k.pem")
    assert (ending.code, "no statement at k.pem" in ending.err) == (2, True)
