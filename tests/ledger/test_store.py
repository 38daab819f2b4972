"""The chain holds under every writer, and says where somebody wrote past it."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.conftest import Book, row
from switchyard.ledger import LedgerBroken, LedgerError, append, connect, create_tables, read_events, verify_chain

WRITER = """
import sys
from pathlib import Path
from switchyard.ledger import NewEvent, append, connect
engine = connect(Path(sys.argv[1]))
for number in range(150):
    with engine.begin() as connection:
        append(connection, NewEvent(key=f"{sys.argv[2]}-{number}", event_type="task_claimed", timestamp="now"))
        append(connection, NewEvent(key=f"shared-{number}", event_type="task_claimed", timestamp="now"))
engine.dispose()
"""


def test_commands_that_come_first_at_once_make_the_tables_together(tmp_path: Path) -> None:
    """Each looks whether they are there; none may look while another makes them."""
    together = threading.Barrier(6)

    def first(_number: int) -> None:
        engine = connect(tmp_path / "fresh.sqlite3")
        together.wait(60)
        create_tables(engine)
        engine.dispose()

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(first, range(6))) == [None] * 6


def test_rows_are_numbered_from_one_and_name_their_predecessor(five: Book) -> None:
    rows = five.rows()
    assert [event.sequence for event in rows] == [1, 2, 3, 4, 5]
    assert [event.previous_hash for event in rows] == ["0" * 64, *[event.hash for event in rows[:-1]]]
    assert five.verify() == 5


def test_an_empty_ledger_holds(book: Book) -> None:
    assert book.verify() == 0


def test_the_same_key_is_one_row_and_the_first_one_stays(book: Book) -> None:
    assert book.append(row("k", data={"a": 1}))[0] is not None
    assert book.append(row("k", data={"a": 2}))[0] is None
    assert [dict(event.data) for event in book.rows()] == [{"a": 1}]
    assert book.append(row("k2"))[0] is not None
    assert book.verify() == 2


def test_an_abandoned_transaction_leaves_no_gap(five: Book) -> None:
    with pytest.raises(ZeroDivisionError), five.engine.begin() as connection:
        append(connection, row("lost"))
        raise ZeroDivisionError
    five.append(row("kept"))
    assert [event.key for event in five.rows()][-1] == "kept"
    assert five.verify() == 6


@pytest.mark.parametrize("text", ["ünïcode 表", "a\0b", "\udcff half a pair", "'; DROP TABLE ledger; --", "\u2028"])
def test_any_text_is_kept_as_it_was_said(book: Book, text: str) -> None:
    book.append(row("k", data={"said": text, text: "as a key"}), row("k2"))
    assert dict(book.rows()[0].data) == {"said": text, text: "as a key"}
    assert book.verify() == 2


@pytest.mark.parametrize(
    "column", ["key", "run_id", "task_id", "agent", "event_type", "timestamp", "artifact_reference", "data"]
)
def test_an_edit_of_any_column_is_found_at_its_row(five: Book, column: str) -> None:
    value = '{"n":33}' if column == "data" else "edited"
    five.forge(f"UPDATE ledger SET {column} = '{value}' WHERE sequence = 3")
    assert _break_of(five) == 3


def test_the_same_data_written_differently_is_found(five: Book) -> None:
    five.forge("UPDATE ledger SET data = ' ' || data WHERE sequence = 2")
    assert _break_of(five) == 2


def test_data_that_is_no_text_any_more_is_found(five: Book) -> None:
    five.forge("UPDATE ledger SET data = x'7b7d' WHERE sequence = 2")
    assert _break_of(five) == 2


def test_an_edited_row_with_a_hash_that_fits_breaks_at_its_successor(five: Book) -> None:
    from switchyard.ledger.events import hash_row

    third = five.rows()[2]
    forged = hash_row(third.previous_hash, 3, row("k3", task_id="t3"), "{}")
    five.forge(f"UPDATE ledger SET data = '{{}}', hash = '{forged}' WHERE sequence = 3")
    assert _break_of(five) == 4


@pytest.mark.parametrize(("removed", "named"), [("= 1", 1), ("= 3", 3), ("IN (2, 4)", 2), ("> 3", 4), ("> 0", 1)])
def test_removed_rows_are_found_and_the_first_is_named(five: Book, removed: str, named: int) -> None:
    five.forge(f"DELETE FROM ledger WHERE sequence {removed}")
    assert _break_of(five) == named


@pytest.mark.parametrize("sequence", [0, 6, 9])
def test_an_added_row_is_found(five: Book, sequence: int) -> None:
    five.forge(f"INSERT INTO ledger SELECT {sequence}, 'new', {_REST} FROM ledger WHERE sequence = 5")
    assert _break_of(five) == min(sequence, 6)


def test_a_row_added_with_all_hashes_right_is_found_by_the_head(five: Book) -> None:
    from switchyard.ledger.events import hash_row

    last = five.rows()[-1].hash
    forged = hash_row(last, 6, row("new", task_id="t5"), '{"n":5}')
    five.forge(
        f"INSERT INTO ledger SELECT 6, 'new', {_FIELDS}, '{last}', '{forged}' FROM ledger WHERE sequence = 5",
    )
    assert _break_of(five) == 6


@pytest.mark.parametrize(
    "edit", ["SET hash = 'x'", "SET sequence = 4", "SET sequence = 9", "SET sequence = 4, hash = 'x'"]
)
def test_an_edited_head_is_found(five: Book, edit: str) -> None:
    five.forge(f"UPDATE ledger_head {edit}")
    _break_of(five)


def test_a_removed_head_is_found(five: Book) -> None:
    five.forge("DELETE FROM ledger_head")
    _break_of(five)


def test_a_break_says_what_to_do(five: Book) -> None:
    five.forge("DELETE FROM ledger WHERE sequence = 3")
    with pytest.raises(LedgerBroken, match="row 3 is missing") as caught:
        five.verify()
    assert "backup" in caught.value.hint


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET agent = 'me' WHERE sequence = 2",
        "DELETE FROM ledger WHERE sequence = 2",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT * FROM ledger WHERE sequence = 2",
        "REPLACE INTO ledger SELECT 2, 'other', run_id, task_id, agent, event_type, timestamp, artifact_reference,"
        " data, previous_hash, hash FROM ledger WHERE sequence = 2",
    ],
)
def test_the_database_itself_refuses_to_change_a_row(five: Book, statement: str) -> None:
    before = five.rows()
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), five.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert five.rows() == before
    assert five.verify() == 5


def test_making_the_tables_again_keeps_what_is_there(five: Book) -> None:
    create_tables(five.engine)
    assert five.verify() == 5


def test_rows_are_read_by_run_by_task_and_from_where_one_was(book: Book) -> None:
    book.append(row("1", run_id="a", task_id="x"), row("2", run_id="a", task_id="y"), row("3", run_id="b", task_id="x"))
    with book.engine.connect() as connection:
        assert [event.key for event in read_events(connection, after=1)] == ["2", "3"]
        assert [event.key for event in read_events(connection, run_id="a")] == ["1", "2"]
        assert [event.key for event in read_events(connection, task_id="x", after=1)] == ["3"]
        assert list(read_events(connection, after=3)) == []


def test_reading_a_ledger_that_is_not_there_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no database at") as caught:
        connect(tmp_path / "none.db", read_only=True)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_lies_where_it_was_asked_for_whatever_its_path(tmp_path: Path) -> None:
    file = tmp_path / "a b?c#d%20e" / "ledger.db"
    file.parent.mkdir()
    engine = connect(file)
    create_tables(engine)
    engine.dispose()
    assert file.is_file()
    assert [child.name for child in tmp_path.iterdir()] == ["a b?c#d%20e"]


def test_a_row_whose_data_cannot_be_read_is_named(five: Book) -> None:
    five.forge("UPDATE ledger SET data = '{' WHERE sequence = 4")
    with pytest.raises(LedgerBroken) as caught:
        five.rows()
    assert caught.value.sequence == 4


def test_four_processes_that_write_at_once_make_one_chain(book: Book) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(book.file), name]) for name in "abcd"]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0, 0]
    assert book.verify() == 4 * 150 + 150
    keys = [event.key for event in book.rows()]
    assert [key for key in keys if key.startswith("a-")] == [f"a-{number}" for number in range(150)]


def test_a_reader_sees_whole_transactions_while_others_write(five: Book) -> None:
    with five.engine.begin() as connection:
        append(connection, row("unfinished"))
        reader = connect(five.file, read_only=True)
        with reader.connect() as other:
            assert verify_chain(other) == 5
        reader.dispose()
    assert five.verify() == 6


_FIELDS = "run_id, task_id, agent, event_type, timestamp, artifact_reference, data"
_REST = f"{_FIELDS}, previous_hash, hash"


def _break_of(book: Book) -> int:
    with pytest.raises(LedgerBroken) as caught:
        book.verify()
    assert caught.value.hint
    return caught.value.sequence
