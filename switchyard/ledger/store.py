"""The ledger's tables, the one way to append, and the check of the chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from switchyard.ledger.errors import LedgerBroken, LedgerError
from switchyard.ledger.events import GENESIS, Event, EventType, NewEvent, canonical_json, hash_row

METADATA = sa.MetaData()

LEDGER = sa.Table(
    "ledger",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("run_id", sa.Text, nullable=False, index=True),
    sa.Column("task_id", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("event_type", sa.Text, nullable=False),
    sa.Column("timestamp", sa.Text, nullable=False),
    sa.Column("artifact_reference", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
HEAD = sa.Table(
    "ledger_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
EFFECTS = sa.Table(
    "effects",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("task_id", sa.Text, nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=True),
)

_REFUSALS = (
    """CREATE TRIGGER IF NOT EXISTS ledger_is_append_only_update BEFORE UPDATE ON ledger
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS ledger_is_append_only_delete BEFORE DELETE ON ledger
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    # A REPLACE takes the old row away without firing the trigger on deletion.
    """CREATE TRIGGER IF NOT EXISTS ledger_is_append_only_replace BEFORE INSERT ON ledger
       WHEN EXISTS (SELECT 1 FROM ledger WHERE sequence = NEW.sequence OR key = NEW.key)
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
)


def connect(database: Path, *, read_only: bool = False) -> sa.Engine:
    """An engine on the SQLite file, every transaction IMMEDIATE unless read_only.

    Raises:
        LedgerError: read_only and there is no such file.
    """
    if read_only and not database.is_file():
        raise LedgerError(f"no database at {database}", hint="nothing has run here yet: switchyard run")
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(database)))

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        if not read_only:
            connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA busy_timeout=60000")

    return engine


def create_tables(engine: sa.Engine) -> None:
    """Make the tables where they are missing; write-ahead logging stays on for the file."""
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with engine.begin() as connection:
        # Said here, since the driver begins a transaction only before rows: two first commands may look at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        METADATA.create_all(connection)
        for statement in _REFUSALS:
            connection.exec_driver_sql(statement)
        connection.execute(
            sa.text("INSERT INTO ledger_head (id, sequence, hash) VALUES (1, 0, :hash) ON CONFLICT DO NOTHING"),
            {"hash": GENESIS},
        )


def append(connection: sa.Connection, event: NewEvent) -> Event | None:
    """Append inside the caller's transaction; None when the key stands there already.

    The head row is updated before anything is read: on SQLite a read first would let two writers fork the chain.
    """
    touch_head(connection)
    if connection.execute(sa.select(LEDGER.c.sequence).where(LEDGER.c.key == event.key)).first():
        return None
    last = connection.execute(sa.select(HEAD.c.sequence, HEAD.c.hash).where(HEAD.c.id == 1)).one()
    sequence = int(last.sequence) + 1
    data_json = canonical_json(dict(event.data))
    row_hash = hash_row(last.hash, sequence, event, data_json)
    row = {
        "sequence": sequence,
        "key": event.key,
        "run_id": event.run_id,
        "task_id": event.task_id,
        "agent": event.agent,
        "event_type": event.event_type,
        "timestamp": event.timestamp,
        "artifact_reference": event.artifact_reference,
        "data": data_json,
        "previous_hash": last.hash,
        "hash": row_hash,
    }
    connection.execute(sa.insert(LEDGER).values(row))
    connection.execute(sa.update(HEAD).where(HEAD.c.id == 1).values(sequence=sequence, hash=row_hash))
    return _event(row)


def find_sequence(connection: sa.Connection, key: str) -> int:
    """The sequence of the row that holds the fact of that key; it must be there."""
    return int(connection.execute(sa.select(LEDGER.c.sequence).where(LEDGER.c.key == key)).scalar_one())


def touch_head(connection: sa.Connection) -> None:
    """Write, and change nothing: raises where the database can't be written."""
    connection.execute(sa.update(HEAD).where(HEAD.c.id == 1).values(sequence=HEAD.c.sequence))


def read_events(
    connection: sa.Connection,
    *,
    after: int = 0,
    run_id: str | None = None,
    task_id: str | None = None,
    event_type: EventType | None = None,
) -> Iterator[Event]:
    """Rows in order, those behind `after` only; none before the tables are made."""
    query = sa.select(LEDGER).where(LEDGER.c.sequence > after).order_by(LEDGER.c.sequence)
    if run_id is not None:
        query = query.where(LEDGER.c.run_id == run_id)
    if task_id is not None:
        query = query.where(LEDGER.c.task_id == task_id)
    if event_type is not None:
        query = query.where(LEDGER.c.event_type == event_type)
    for row in _rows(connection, query):
        yield _event(dict(row))


def read_head(connection: sa.Connection) -> tuple[int, str]:
    """The last row's sequence and hash."""
    head = connection.execute(sa.select(HEAD.c.sequence, HEAD.c.hash).where(HEAD.c.id == 1)).one()
    return int(head.sequence), str(head.hash)


def verify_chain(connection: sa.Connection) -> int:
    """Recompute every hash; returns the number of rows.

    Raises:
        LedgerBroken: A row was edited, removed or added outside the ledger; `sequence` is the first one.
    """
    previous, expected = GENESIS, 1
    for row in _rows(connection, sa.select(LEDGER).order_by(LEDGER.c.sequence)):
        sequence = int(row["sequence"])
        if sequence != expected:
            where = f"row {expected} is missing" if sequence > expected else f"row {sequence} was never written"
            raise _broken(min(sequence, expected), where)
        event = NewEvent(
            key=row["key"],
            event_type=row["event_type"],
            timestamp=row["timestamp"],
            run_id=row["run_id"],
            task_id=row["task_id"],
            agent=row["agent"],
            artifact_reference=row["artifact_reference"],
        )
        data = row["data"] if isinstance(row["data"], str) else repr(row["data"])
        if row["previous_hash"] != previous or hash_row(previous, sequence, event, data) != row["hash"]:
            raise _broken(sequence, f"row {sequence} ({row['event_type']}) does not match its hash")
        previous, expected = row["hash"], expected + 1
    if sa.inspect(connection).has_table(HEAD.name):
        _compare_head(connection, expected - 1, previous)
    elif expected > 1:
        raise _broken(expected, "the table that names the chain's head is gone")
    return expected - 1


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[sa.RowMapping]:
    """What a query finds; nothing where the file is there and its tables are yet to be made, as after an early kill."""
    try:
        yield from connection.execute(query).mappings()
    except sa.exc.OperationalError as err:
        if "no such table" not in str(err.orig):
            raise


def _compare_head(connection: sa.Connection, rows: int, last_hash: str) -> None:
    head = connection.execute(sa.select(HEAD.c.sequence, HEAD.c.hash).where(HEAD.c.id == 1)).first()
    if head is None:
        raise _broken(rows + 1, "the row that names the chain's head is gone")
    if head.sequence != rows:
        raise _broken(min(head.sequence, rows) + 1, f"the head names row {head.sequence}, the last row is {rows}")
    if head.hash != last_hash:
        raise _broken(rows, f"the head does not name the hash of row {rows}")


def _broken(sequence: int, what: str) -> LedgerBroken:
    return LedgerBroken(
        f"the ledger's chain breaks at row {sequence}: {what}",
        sequence=sequence,
        hint="the database was edited outside switchyard; compare it with a backup before trusting later rows",
    )


def _event(row: dict[str, Any]) -> Event:
    try:
        data = json.loads(row["data"])
    except (ValueError, TypeError, RecursionError) as err:
        raise _broken(row["sequence"], f"the data of row {row['sequence']} is no JSON") from err
    if not isinstance(data, dict):
        raise _broken(row["sequence"], f"the data of row {row['sequence']} is no JSON object")
    return Event(**{**row, "data": data})
