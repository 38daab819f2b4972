"""What waits for a person, and a person's answers."""

from __future__ import annotations

import json

import pytest

from cli.conftest import Ending, Shell
from cli.ledger_rows import needing_a_person, started, write_rows
from switchyard.ledger import ArtifactStore, NewEvent, append, connect


def write(shell: Shell) -> None:
    rows = [started("rates", "joined", "fine"), *needing_a_person("rates", "tests were edited\nall of them", head="c1")]
    rows += [
        *needing_a_person("joined", "conflict in a"),
        ("task_finished", "fine", {"state": "published", "reason": ""}),
    ]
    write_rows(shell.folder / ".git", *rows)


def newest(shell: Shell) -> dict[str, object]:
    return dict(json.loads(shell.run("ledger", "tail", "-n", "1", "--json").out))


def refused(ending: Ending) -> dict[str, str]:
    assert ending.code == 2
    return dict(ending.document["error"])


def test_what_waits_is_listed_with_the_first_line_of_its_reason(shell: Shell) -> None:
    write(shell)
    ending = shell.run("escalation", "list")
    assert ending.code == 0
    lines = ending.out.splitlines()
    assert [line.split()[0] for line in lines] == ["task", "rates", "joined"]
    assert lines[1].endswith("tests were edited")


def test_the_list_for_scripts_holds_the_whole_reason(shell: Shell) -> None:
    write(shell)
    document = shell.run("escalation", "list", "--json").document
    assert document["schema"] == "switchyard.escalations/1"
    assert document["escalations"][0] == {
        "task": "rates",
        "run": "r1",
        "reason": "tests were edited\nall of them",
        "since": "2026-01-01T00:00:02.000000Z",
        "head": "c1",
        "answer": None,
    }
    assert document["escalations"][1]["head"] is None


def test_an_answer_stands_in_the_list_until_a_run_acts_on_it(shell: Shell) -> None:
    write(shell)
    assert shell.run("escalation", "accept", "rates").code == 0
    assert shell.run("escalation", "list").out.splitlines()[1].split()[2] == "accept"
    shell.run("escalation", "retry", "rates")
    answers = {one["task"]: one["answer"] for one in shell.run("escalation", "list", "--json").document["escalations"]}
    assert answers == {"rates": "retry", "joined": None}


@pytest.mark.parametrize("arguments", [[], ["--quiet"]])
def test_where_nothing_waits_the_list_is_empty(shell: Shell, arguments: list[str]) -> None:
    ending = shell.run("escalation", "list", *arguments)
    assert (ending.code, ending.out) == (0, "")
    assert ("nothing waits" in ending.err) == (not arguments)
    assert shell.run("escalation", "list", "--json").document["escalations"] == []


@pytest.mark.parametrize("answer", ["accept", "reject", "retry"])
def test_an_answer_is_a_row_of_the_ledger(shell: Shell, answer: str) -> None:
    write(shell)
    ending = shell.run("escalation", answer, "rates", "--note", "as agreed")
    assert (ending.code, ending.out) == (0, f"rates: {answer}\n")
    assert ("switchyard run rates" in ending.err) == (answer != "reject")
    row = newest(shell)
    assert (row["event_type"], row["task_id"], row["run_id"], row["agent"]) == (
        "operator_action",
        "rates",
        "r1",
        "person",
    )
    assert row["data"] == {"action": answer, "note": "as agreed"}
    assert shell.run("ledger", "verify").code == 0


def test_an_answer_for_scripts_repeats_what_was_said(shell: Shell) -> None:
    write(shell)
    assert shell.run("escalation", "retry", "rates", "-m", "again", "--json").document == {
        "schema": "switchyard.answer/1",
        "task": "rates",
        "action": "retry",
        "note": "again",
    }


def test_a_person_may_change_their_mind(shell: Shell) -> None:
    write(shell)
    assert [shell.run("escalation", what, "rates").code for what in ("accept", "reject", "accept", "accept")] == [0] * 4
    assert len(shell.run("ledger", "tail", "--task", "rates").out.splitlines()) == 3 + 4


def test_what_has_no_commit_cannot_be_accepted(shell: Shell) -> None:
    write(shell)
    error = refused(shell.run("escalation", "accept", "joined", "--json"))
    assert "no commit to accept" in error["message"] and "escalation retry joined" in error["hint"]
    assert shell.run("escalation", "retry", "joined").code == 0


def test_what_does_not_wait_cannot_be_answered(shell: Shell) -> None:
    write(shell)
    assert "it is published" in refused(shell.run("escalation", "retry", "fine", "--json"))["message"]
    assert "did you mean 'rates'" in refused(shell.run("escalation", "retry", "rate", "--json"))["message"]
    assert newest(shell)["event_type"] == "task_finished"


def test_before_the_first_run_nothing_can_be_answered(shell: Shell) -> None:
    assert refused(shell.run("escalation", "accept", "rates", "--json"))["kind"] == "usage"
    assert not (shell.folder / ".git" / "switchyard").exists()


def test_the_pack_is_printed_as_it_was_written(shell: Shell) -> None:
    write(shell)
    state = shell.folder / ".git" / "switchyard"
    pack = ArtifactStore(state / "artifacts").put("# Rates\n\nall of it \x1b[2J é\n".encode())
    engine = connect(state / "switchyard.db")
    with engine.begin() as connection:
        data = {"reason": "again"}
        event = NewEvent("pack", "escalated", "2026-01-02T00:00:00.000000Z", "r1", "rates", "", pack, data)
        append(connection, event)
    engine.dispose()
    ending = shell.run("escalation", "show", "rates")
    assert (ending.code, ending.err) == (0, "")
    assert ending.out.startswith("# Rates\n\nall of it") and "\x1b" not in ending.out
    document = shell.run("escalation", "show", "rates", "--json").document
    assert document == {
        "schema": "switchyard.escalation/1",
        "task": "rates",
        "run": "r1",
        "state": "needs_person",
        "reason": "again",
        "since": "2026-01-02T00:00:00.000000Z",
        "artifact": pack,
        "markdown": "# Rates\n\nall of it \x1b[2J é\n",
    }


def test_where_no_pack_was_written_the_reason_is_shown(shell: Shell) -> None:
    write(shell)
    ending = shell.run("escalation", "show", "rates")
    assert (ending.code, ending.out) == (0, "# rates\n\ntests were edited\nall of them\n")
    assert shell.run("escalation", "show", "rates", "--json").document["artifact"] is None


def test_nothing_is_shown_of_what_needs_nobody_or_was_never_run(shell: Shell) -> None:
    write(shell)
    assert "it is published" in refused(shell.run("escalation", "show", "fine", "--json"))["message"]
    assert "did you mean 'rates'" in refused(shell.run("escalation", "show", "rate", "--json"))["message"]
