"""Facts kept between runs, one row a blob; anything wrong with the file costs time, never a result."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from switchyard_context.facts import FileFacts, decode_facts

_CHUNK = 500
_BUSY_S = 5.0
_TABLE = "CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"


class FactCache:
    """A folder with one SQLite file; safe for several processes at once."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "facts-2.sqlite"

    def load(self, keys: Sequence[str]) -> dict[str, FileFacts]:
        """The facts that are here and whole, by key."""
        try:
            with self._open() as connection:
                return dict(_select(connection, keys))
        except (sqlite3.Error, OSError):
            self._discard()
            return {}

    def store(self, facts: Mapping[str, FileFacts]) -> None:
        """Keep facts; where that is not possible (a full disk, no permission) the next run parses again."""
        rows = [(key, _seal(value)) for key, value in facts.items()]
        try:
            with self._open() as connection, connection:
                connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)
        except sqlite3.OperationalError:
            return
        except (sqlite3.Error, OSError):
            self._discard()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=_BUSY_S)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_TABLE)
            yield connection

    def _discard(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            try:
                self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
            except OSError:
                return


def _select(connection: sqlite3.Connection, keys: Sequence[str]) -> Iterator[tuple[str, FileFacts]]:
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        query = f"SELECT key, value FROM facts WHERE key IN ({marks})"  # noqa: S608 - only question marks go in
        for key, value in connection.execute(query, chunk):
            facts = _unseal(value)
            if facts is not None:
                yield key, facts


def _seal(facts: FileFacts) -> bytes:
    text = json.dumps(facts.encode(), separators=(",", ":")).encode()
    return zlib.crc32(text).to_bytes(4, "big") + text


def _unseal(value: object) -> FileFacts | None:
    if not isinstance(value, bytes) or zlib.crc32(value[4:]) != int.from_bytes(value[:4], "big"):
        return None
    try:
        return decode_facts(json.loads(value[4:]))
    except (ValueError, TypeError, IndexError):
        return None
