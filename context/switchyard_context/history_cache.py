"""Past commits kept between runs: one row a commit, and what the last heads made of them as one value each.

Anything wrong with the file costs time, never a result.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_CHUNK = 500
_BUSY_S = 5.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS commits (sha TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS walks (head TEXT PRIMARY KEY, shas BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS heads (head TEXT PRIMARY KEY, value BLOB NOT NULL)",
)
_MAX_WALKS = 200
_MAX_PASTS = 8


@dataclass(frozen=True, slots=True)
class CommitRow:
    """What is kept of one commit; it depends on the commit alone, so it is shared by every revision."""

    timestamp: int
    message: str
    paths: tuple[str, ...]
    """By the names they had then."""
    renames: tuple[tuple[str, str], ...]
    """(old path, new path)"""
    words: npt.NDArray[np.uint32]

    def encode(self) -> bytes:
        """A checksum, the length of the text part, the text part as JSON, the words as numbers."""
        text = json.dumps([self.timestamp, self.message, self.paths, self.renames], separators=(",", ":")).encode()
        body = len(text).to_bytes(4, "big") + text + self.words.astype("<u4").tobytes()
        return _checked(body)


def decode_row(value: bytes) -> CommitRow | None:
    """The inverse of `CommitRow.encode`; None for a damaged row."""
    if len(value) < 8 or not _is_whole(value):
        return None
    end = 8 + int.from_bytes(value[4:8], "big")
    timestamp, message, paths, renames = json.loads(value[8:end])
    pairs = tuple((old, new) for old, new in renames)
    return CommitRow(timestamp, message, tuple(paths), pairs, np.frombuffer(value, "<u4", offset=end))


def _checked(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "big") + body


def _is_whole(value: bytes) -> bool:
    return zlib.crc32(memoryview(value)[4:]) == int.from_bytes(value[:4], "big")


class HistoryCache:
    """A folder with one SQLite file; safe for several processes at once."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "history-1.sqlite"

    def load_walk(self, head: str) -> list[str] | None:
        """The commits that were once listed from a head."""
        try:
            with self._open() as connection:
                row = connection.execute("SELECT shas FROM walks WHERE head = ?", (head,)).fetchone()
        except (sqlite3.Error, OSError):
            self._discard()
            return None
        return zlib.decompress(row[0]).decode().split() if row else None

    def store_walk(self, head: str, shas: Sequence[str]) -> None:
        """Keep what a head lists; the ids of commits make the answer the same for ever."""
        packed = zlib.compress(" ".join(shas).encode(), 1)
        self._write(
            ("INSERT OR IGNORE INTO walks VALUES (?, ?)", [(head, packed)]),
            ("DELETE FROM walks WHERE rowid <= (SELECT max(rowid) FROM walks) - ?", [(_MAX_WALKS,)]),
        )

    def load_past(self, head: str) -> bytes | None:
        """What was kept for a head, if it is whole."""
        try:
            with self._open() as connection:
                row = connection.execute("SELECT value FROM heads WHERE head = ?", (head,)).fetchone()
        except (sqlite3.Error, OSError):
            self._discard()
            return None
        return row[0][4:] if row and _is_whole(row[0]) else None

    def store_past(self, head: str, value: bytes) -> None:
        """Keep a value for a head; those of the last few heads stay."""
        self._write(
            ("INSERT OR REPLACE INTO heads VALUES (?, ?)", [(head, _checked(value))]),
            ("DELETE FROM heads WHERE rowid <= (SELECT max(rowid) FROM heads) - ?", [(_MAX_PASTS,)]),
        )

    def load(self, shas: Sequence[str]) -> dict[str, CommitRow]:
        """The commits that are here and whole."""
        try:
            with self._open() as connection:
                return dict(_select(connection, shas))
        except (sqlite3.Error, OSError):
            self._discard()
            return {}

    def store(self, rows: Mapping[str, CommitRow]) -> None:
        """Keep commits; where that is not possible (a full disk, no permission) the next run reads them again."""
        values = [(sha, row.encode()) for sha, row in rows.items()]
        self._write(("INSERT OR REPLACE INTO commits VALUES (?, ?)", values))

    def _write(self, *statements: tuple[str, Sequence[tuple[object, ...]]]) -> None:
        try:
            with self._open() as connection, connection:
                for statement, values in statements:
                    connection.executemany(statement, values)
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
            for table in _TABLES:
                connection.execute(table)
            yield connection

    def _discard(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            try:
                self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
            except OSError:
                return


def _select(connection: sqlite3.Connection, shas: Sequence[str]) -> Iterator[tuple[str, CommitRow]]:
    for start in range(0, len(shas), _CHUNK):
        chunk = shas[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        query = f"SELECT sha, value FROM commits WHERE sha IN ({marks})"  # noqa: S608 - only question marks go in
        for sha, value in connection.execute(query, chunk):
            row = decode_row(value)
            if row is not None:
                yield sha, row
