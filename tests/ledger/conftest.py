"""A ledger of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from switchyard.ledger import Event, NewEvent, append, connect, create_tables, read_events, verify_chain


def row(key: str, **fields: Any) -> NewEvent:
    """An event with plain values where none are given."""
    plain: dict[str, Any] = {"event_type": "task_claimed", "timestamp": "2026-01-01T00:00:00.000000Z", "run_id": "r"}
    return NewEvent(key=key, **{**plain, **fields})


@dataclass(frozen=True)
class Book:
    """A ledger in a file, and a pen for those who forge it."""

    file: Path
    engine: sa.Engine

    def append(self, *events: NewEvent) -> list[Event | None]:
        with self.engine.begin() as connection:
            return [append(connection, event) for event in events]

    def rows(self) -> list[Event]:
        with self.engine.connect() as connection:
            return list(read_events(connection))

    def verify(self) -> int:
        with self.engine.connect() as connection:
            return verify_chain(connection)

    def forge(self, *statements: str) -> None:
        """Edit the tables as somebody would who first takes the triggers away."""
        with self.engine.begin() as connection:
            names = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.exec_driver_sql(statement)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    file = tmp_path / "ledger.db"
    engine = connect(file)
    create_tables(engine)
    yield Book(file, engine)
    engine.dispose()


@pytest.fixture
def five(book: Book) -> Book:
    """A ledger of five rows."""
    book.append(*[row(f"k{number}", task_id=f"t{number}", data={"n": number}) for number in range(1, 6)])
    return book
