"""What is known of blobs, kept between runs, one row each; anything wrong with it costs time, never a result."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from switchyard_context.facts import FileFacts, unpack_facts

_FORMAT = 3
_CHUNK = 500
_BUSY_S = 5.0
_MAX_BYTES = 4_000_000_000
_TABLE = "CREATE TABLE IF NOT EXISTS blobs (key TEXT NOT NULL UNIQUE, facts BLOB NOT NULL, terms BLOB NOT NULL)"
_MISS = (ValueError, TypeError, IndexError)


class BlobRow(NamedTuple):
    """What is known of one blob, packed."""

    facts: bytes
    terms: bytes


class BlobCache:
    """A folder with one SQLite file; safe for several processes and threads at once.

    Without a folder, or with one that can't be written, rows live in a temporary file of this process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / f"blobs-{_FORMAT}.sqlite" if folder is not None else None
        self._lock = Lock()
        self._kept: sqlite3.Connection | None = None
        self._own: sqlite3.Connection | None = None
        self.warnings: list[str] = []
        self._kept = self._open() if self._file is not None else None

    def known(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that have a row."""
        return {row[0] for row in self._select("key, x''", keys)}

    def facts(self, keys: Sequence[str]) -> dict[str, FileFacts]:
        """The facts that are here and whole."""
        found: dict[str, FileFacts] = {}
        for key, sealed in self._select("key, facts", keys):
            with suppress(*_MISS):
                found[key] = unpack_facts(_unseal(sealed))
        return found

    def terms(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """(key, packed terms) of those that are here and whole, in no order."""
        for key, sealed in self._select("key, terms", keys):
            with suppress(*_MISS):
                yield key, _unseal(sealed)

    def store(self, rows: Iterable[tuple[str, BlobRow]], *, for_good: bool = True) -> None:
        """Keep rows; those that are not for good, or that can't be written, last as long as this process."""
        sealed = [(key, _seal(row.facts), _seal(row.terms)) for key, row in rows]
        if not sealed:
            return
        with self._lock:
            if for_good and self._kept is not None and self._write(self._kept, sealed):
                return
            if self._own is None:
                # An empty name: a database of this connection alone, in memory until it grows, then on disk.
                self._own = sqlite3.connect("", check_same_thread=False)
                self._own.execute(_TABLE)
            self._write(self._own, sealed)

    def hand_on(self, keys: Sequence[str], folder: Path) -> None:
        """Write the rows of these keys, as they are, into the cache of another folder."""
        other = BlobCache(folder)
        if other._kept is None:
            return
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            facts, terms = dict(self._select("key, facts", chunk)), dict(self._select("key, terms", chunk))
            other._write(other._kept, [(key, facts[key], terms[key]) for key in facts.keys() & terms.keys()])
        other._kept.close()

    def _write(self, connection: sqlite3.Connection, sealed: list[tuple[str, bytes, bytes]]) -> bool:
        try:
            with connection:
                connection.executemany("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", sealed)
        except (sqlite3.Error, OSError) as error:
            self.warnings.append(f"the cache can't be written: {error}")
            return False
        return True

    def _select(self, columns: str, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        for connection in (self._own, self._kept):
            if connection is None:
                continue
            for start in range(0, len(keys), _CHUNK):
                chunk = keys[start : start + _CHUNK]
                query = f"SELECT {columns} FROM blobs WHERE key IN ({','.join('?' * len(chunk))})"  # noqa: S608
                try:
                    with self._lock:
                        rows = connection.execute(query, chunk).fetchall()
                except (sqlite3.Error, OSError) as error:
                    self._give_up(error)
                    break
                yield from rows

    def _open(self, *, is_retry: bool = False) -> sqlite3.Connection | None:
        assert self._file is not None
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if not is_retry and self._file.is_file() and self._file.stat().st_size > _MAX_BYTES:
                self._discard()
            connection = sqlite3.connect(self._file, timeout=_BUSY_S, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            self.warnings.append(f"the cache {self._file} can't be used: {error}")
            return None
        try:
            connection.execute("PRAGMA synchronous=OFF")
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                connection.execute(_TABLE)
            return connection
        except sqlite3.OperationalError as error:
            # Read-only, or busy for long: what is there may still be read.
            self.warnings.append(f"the cache {self._file} can't be used: {error}")
            connection.close()
            return None
        except sqlite3.Error as error:
            connection.close()
            self.warnings.append(f"the cache {self._file} is damaged and was built anew: {error}")
            self._discard()
            return None if is_retry else self._open(is_retry=True)

    def _give_up(self, error: Exception) -> None:
        """Go on without a file that turned out to be damaged; the next process finds none."""
        self.warnings.append(f"the cache {self._file} is damaged and will be built anew: {error}")
        self._kept = None
        if not isinstance(error, sqlite3.OperationalError):
            self._discard()

    def _discard(self) -> None:
        assert self._file is not None
        for suffix in ("", "-journal"):
            with suppress(OSError):
                self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)


def _seal(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "big") + content


def _unseal(sealed: bytes) -> bytes:
    content = sealed[4:]
    if zlib.crc32(content) != int.from_bytes(sealed[:4], "big"):
        raise ValueError("a row is damaged")
    return content
