"""The past of a tree: which files its newest ancestors changed together, and what was written about it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from switchyard_git import Change, Commit, CommitSha, GitError, Repository

from switchyard_context.history_cache import CommitRow, HistoryCache
from switchyard_context.naming import stems_of, words_of

MAX_COMMITS = 3000
_MAX_PATHS = 300
_MAX_MESSAGE = 20_000
_TEXT = ("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class PastCommit:
    """One commit that the tree descends from; merges are not among them."""

    sha: str
    timestamp: int
    """When it was committed, in seconds since the epoch."""
    message: str
    paths: tuple[str, ...]
    """What it touched, by the names that the files have now; empty where it touched hundreds."""
    words: npt.NDArray[np.uint32]
    """`word_hash` of each stemmed word of the message, ascending."""


def read_history(repository: Repository, revision: str, cache: Path | None) -> list[PastCommit]:
    """The newest ancestors of a revision, itself included, newest first; empty where there is no history.

    Args:
        revision: A commit id, with or without `+dirty`.
        cache: Folder to keep commits in: a later revision then reads only what is new. None keeps nothing.
    """
    head = revision.removesuffix("+dirty")
    if not head:
        return []
    store = HistoryCache(cache) if cache is not None else None
    packed = store.load_past(head) if store else None
    if packed is not None:
        return _unpack(packed)
    try:
        shas = (store.load_walk(head) if store else None) or repository.recent(head, limit=MAX_COMMITS)
        rows = store.load(shas) if store else {}
        fresh = _read(repository, [CommitSha(sha) for sha in shas if sha not in rows])
    except GitError:
        return []
    rows.update(fresh)
    past = list(_under_present_names([(sha, rows[sha]) for sha in shas]))
    if store:
        if fresh:
            store.store(fresh)
        store.store_walk(head, shas)
        store.store_past(head, _pack(past))
    return past


def word_hash(word: str) -> int:
    """The number that stands for a word in `PastCommit.words`."""
    return zlib.crc32(word.encode("utf-8", "replace"))


def _read(repository: Repository, shas: Sequence[CommitSha]) -> dict[str, CommitRow]:
    if not shas:
        return {}
    touched = repository.touched(shas, renames=True)
    return {commit.sha: _row(commit, touched.get(commit.sha, [])) for commit in repository.read_commits(shas)}


def _row(commit: Commit, changes: Sequence[Change]) -> CommitRow:
    message = commit.message[:_MAX_MESSAGE]
    words = np.unique(np.array([word_hash(word) for word in stems_of(words_of(message))], dtype=np.uint32))
    paths = tuple(dict.fromkeys(change.path for change in changes)) if len(changes) <= _MAX_PATHS else ()
    renames = tuple((change.old_path, change.path) for change in changes if change.status == "R")
    return CommitRow(commit.committer.timestamp, message, paths, renames, words)


def _under_present_names(rows: Sequence[tuple[str, CommitRow]]) -> Iterator[PastCommit]:
    """Walk back in time, and carry along under which name a file that was renamed since is known today."""
    present: dict[str, str] = {}
    for sha, row in rows:
        paths = tuple(dict.fromkeys(present.get(path, path) for path in row.paths)) if present else row.paths
        yield PastCommit(sha, row.timestamp, row.message.replace("\0", " "), paths, row.words)
        for old, new in row.renames:
            present[old] = present.get(new, new)


def _pack(past: Sequence[PastCommit]) -> bytes:
    """A history as one value: thousands of rows take five times as long to read.

    The number of commits, how many paths and words each has, words, text: neither messages nor paths hold a NUL.
    """
    counts = [(len(item.paths), len(item.words)) for item in past]
    words = b"".join(item.words.astype("<u4").tobytes() for item in past)
    text = "\0".join([part for item in past for part in (item.sha, str(item.timestamp), item.message, *item.paths)])
    return b"".join((len(past).to_bytes(4, "big"), np.array(counts, "<u4").tobytes(), words, text.encode(*_TEXT)))


def _unpack(value: bytes) -> list[PastCommit]:
    count = int.from_bytes(value[:4], "big")
    counts = np.frombuffer(value, "<u4", 2 * count, 4).reshape(count, 2)
    word_count, start = int(counts[:, 1].sum()), 4 + 8 * count
    words = np.frombuffer(value, "<u4", word_count, start)
    parts = value[start + 4 * word_count :].decode(*_TEXT).split("\0")
    found, part, word = [], 0, 0
    for paths, own_words in counts.tolist():
        end = part + 3 + paths
        sha, timestamp, message = parts[part : part + 3]
        own = words[word : word + own_words]
        found.append(PastCommit(sha, int(timestamp), message, tuple(parts[part + 3 : end]), own))
        part, word = end, word + own_words
    return found
