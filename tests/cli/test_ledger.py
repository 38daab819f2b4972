"""`switchyard ledger` as people and scripts call it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from cli.conftest import Shell
from cli.ledger_rows import needing_a_person, started, write_rows

ESCAPE = "\x1b[2J"


def write(shell: Shell) -> None:
    rows = [started("a", "b"), *needing_a_person("a", f"why {ESCAPE}"), ("task_finished", "b", FAILED)]
    write_rows(shell.folder / ".git", *rows)


FAILED = {"state": "failed", "reason": "no such command"}


def edit(shell: Shell, statement: str) -> None:
    with closing(sqlite3.connect(shell.folder / ".git" / "switchyard" / "switchyard.db")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        database.commit()


def test_a_file_whose_tables_are_not_made_yet_is_an_empty_ledger(shell: Shell) -> None:
    """As a first run leaves it that was killed at once."""
    database = shell.folder / ".git" / "switchyard" / "switchyard.db"
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as made:
        made.execute("PRAGMA journal_mode=WAL")
    shell.write("switchyard.toml", "")
    for command in (("status",), ("ledger", "tail"), ("ledger", "verify")):
        ending = shell.run(*command)
        assert (ending.code, "bug in switchyard" in ending.err) == (0, False), ending.err


def test_tail_prints_a_line_a_row(shell: Shell) -> None:
    write(shell)
    ending = shell.run("ledger", "tail")
    assert (ending.code, ending.err) == (0, "")
    lines = ending.out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4"]
    assert "run started: 2 tasks on main" in lines[0]
    assert lines[3].endswith("failed: no such command")


def test_tail_can_be_cut_to_the_newest_and_to_one_task(shell: Shell) -> None:
    write(shell)
    assert [line.split()[0] for line in shell.run("ledger", "tail", "-n", "2").out.splitlines()] == ["3", "4"]
    assert shell.run("ledger", "tail", "-n", "0").out == ""
    assert [line.split()[0] for line in shell.run("ledger", "tail", "--task", "a").out.splitlines()] == ["2", "3"]
    assert [line.split()[0] for line in shell.run("ledger", "tail", "--task", "a", "-n", "1").out.splitlines()] == ["3"]


def test_tail_for_scripts_is_one_event_a_line_with_its_hashes(shell: Shell) -> None:
    write(shell)
    rows = [json.loads(line) for line in shell.run("ledger", "tail", "--json").out.splitlines()]
    assert {row["schema"] for row in rows} == {"switchyard.event/1"}
    assert set(rows[0]) == {
        "schema",
        "seq",
        "timestamp",
        "run_id",
        "task_id",
        "agent",
        "event_type",
        "artifact_reference",
        "data",
        "previous_hash",
        "hash",
    }
    assert [row["previous_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert rows[1]["data"]["reason"] == f"why {ESCAPE}"


def test_tail_lets_nothing_through_that_moves_the_cursor(shell: Shell) -> None:
    write(shell)
    ending = shell.run("ledger", "tail")
    assert "\x1b" not in ending.out
    assert "needs person: why \\x1b[2J" in ending.out


def test_verify_counts_the_rows_of_a_chain_that_holds(shell: Shell) -> None:
    write(shell)
    ending = shell.run("ledger", "verify")
    assert (ending.code, ending.out) == (0, "4 rows, the chain holds\n")
    assert shell.run("ledger", "verify", "--json").document == {
        "schema": "switchyard.verify/1",
        "ok": True,
        "rows": 4,
        "first_broken": None,
    }


def test_verify_names_the_first_edited_row(shell: Shell) -> None:
    write(shell)
    edit(shell, "UPDATE ledger SET timestamp = 'later' WHERE sequence IN (2, 3)")
    ending = shell.run("ledger", "verify")
    assert ending.code == 1
    assert "row 2" in ending.out
    document = shell.run("ledger", "verify", "--json").document
    assert (document["ok"], document["first_broken"]) == (False, 2)


def test_verify_finds_a_row_that_was_taken_away(shell: Shell) -> None:
    write(shell)
    edit(shell, "DELETE FROM ledger WHERE sequence = 4")
    assert shell.run("ledger", "verify", "--json").document["first_broken"] == 4


def test_before_the_first_run_there_is_nothing_to_read(shell: Shell) -> None:
    for verb in ("tail", "verify"):
        ending = shell.run("ledger", verb)
        assert (ending.code, ending.out) == (1, "")
        assert "no database" in ending.err and "switchyard run" in ending.err
    assert shell.run("ledger", "verify", "--json").document["error"]["kind"] == "ledger_error"
    assert not (shell.folder / ".git" / "switchyard").exists()


def test_outside_a_repository_it_is_wrong_usage(nowhere: Shell) -> None:
    assert nowhere.run("ledger", "verify").code == 2


@pytest.mark.parametrize("data", ["{}", "[]", '{"tasks": 3}', '{"tasks": [null]}'])
def test_rows_that_were_edited_into_nonsense_are_no_bug_of_ours(shell: Shell, data: str) -> None:
    write(shell)
    edit(shell, f"UPDATE ledger SET data = '{data}' WHERE event_type = 'run_started'")
    for command in (("status",), ("show", "b", "--evidence"), ("show", "b")):
        ending = shell.run(*command)
        assert (ending.code, "the ledger's chain breaks at row 1" in ending.err) == (1, True), ending.err
