"""What the history says: who was changed by commits that read like the text, who changes often, and with whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from switchyard_context.graph import ImportGraph
from switchyard_context.history import PastCommit, word_hash
from switchyard_context.signals.lexical import Scores, tally

_MAX_PATHS = 40
_NEAREST = 60
_HALF_LIFE = 400
"""Commits after which a change counts half."""


@dataclass(frozen=True)
class Past:
    """The history as arrays: one entry a commit and file that is still there."""

    size: int
    commits: npt.NDArray[np.int64]
    """By position in the history, newest first."""
    files: npt.NDArray[np.int64]
    breadths: npt.NDArray[np.float64]
    """How many files each commit touched, whether still there or not."""
    history: Sequence[PastCommit]

    def votes(self, worths: Scores) -> Scores:
        """Let each commit give its worth to the files it touched, the less to each the more they were."""
        shares = worths[self.commits] / np.sqrt(self.breadths[self.commits])
        return tally(self.files, shares, self.size)


def arrange(history: Sequence[PastCommit], graph: ImportGraph) -> Past:
    """Lay the history out; commits that touched very many files say nothing about any of them."""
    commits, files = [], []
    for position, commit in enumerate(history):
        if len(commit.paths) <= _MAX_PATHS:
            for path in commit.paths:
                if path in graph:
                    commits.append(position)
                    files.append(graph.id_of(path))
    breadths = np.array([max(1, len(commit.paths)) for commit in history], dtype=np.float64)
    return Past(len(graph.files), np.array(commits, dtype=np.int64), np.array(files, dtype=np.int64), breadths, history)


def resembling(past: Past, words: Mapping[str, float]) -> Scores:
    """Commits by how their messages resemble the text (BM25), only the nearest, the best one 1."""
    count = len(past.history)
    if not count or not words:
        return np.zeros(count)
    lengths = np.array([len(commit.words) for commit in past.history])
    wanted = {word_hash(word): weight for word, weight in words.items()}
    keys = np.array(sorted(wanted), dtype=np.uint32)
    owners, places = _hits(past.history, lengths, keys)
    frequencies = np.bincount(places, minlength=len(keys))
    rarities = np.log(1 + (count - frequencies + 0.5) / (frequencies + 0.5))
    gains = rarities * np.array([wanted[int(key)] for key in keys])
    norms = 0.4 + 0.6 * lengths / max(1.0, float(lengths.mean()))
    scores = np.bincount(owners, gains[places], minlength=count) * 2.2 / (1 + 1.2 * norms)
    if not scores.any():
        return scores
    floor = np.sort(scores)[-min(_NEAREST, count)]
    return np.where(scores >= floor, scores / scores.max(), 0.0) ** 2


def described(past: Past, words: Mapping[str, float]) -> Scores:
    """Files by the words of all messages of commits that touched them, taken together as one document (BM25)."""
    if not len(past.commits) or not words:
        return np.zeros(past.size)
    wanted = {word_hash(word): weight for word, weight in words.items()}
    keys = np.array(sorted(wanted), dtype=np.uint32)
    lengths = np.array([len(commit.words) for commit in past.history])
    owners, places = _hits(past.history, lengths, keys)
    shares = 1 / np.sqrt(past.breadths)
    sizes = tally(past.files, (shares * lengths)[past.commits], past.size)
    norms = 1.2 * (0.5 + 0.5 * sizes / max(1e-9, float(sizes[sizes > 0].mean()))) if sizes.any() else sizes
    starts = np.searchsorted(past.commits, owners)
    counts = np.searchsorted(past.commits, owners, side="right") - starts
    rows = np.repeat(starts, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    cells, inverse = np.unique(past.files[rows] * len(keys) + np.repeat(places, counts), return_inverse=True)
    held = tally(inverse, np.repeat(shares[owners], counts), len(cells))
    files, terms = cells // len(keys), cells % len(keys)
    holders = np.bincount(terms, minlength=len(keys))
    rarity = np.log(1 + (np.count_nonzero(sizes) - holders + 0.5) / (holders + 0.5))
    worths = rarity * np.array([wanted[int(key)] for key in keys])
    return tally(files, worths[terms] * held * 2.2 / (held + norms[files]), past.size)


def _hits(
    history: Sequence[PastCommit], lengths: npt.NDArray[np.int64], keys: npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(commit, position of the word in `keys`) of each word of a message that is one of the keys."""
    held = np.concatenate([commit.words for commit in history])
    owners = np.repeat(np.arange(len(history)), lengths)
    places = np.minimum(np.searchsorted(keys, held), len(keys) - 1)
    found = keys[places] == held
    return owners[found], places[found]


def churn(past: Past) -> Scores:
    """How often files were changed, lately most of all."""
    worths = 0.5 ** (np.arange(len(past.history)) / _HALF_LIFE)
    return past.votes(worths)


def changed_together(past: Past, seeds: Scores) -> Scores:
    """Files that were changed in commits with the seeds, by the seeds' worth and the commits' narrowness."""
    worths = np.bincount(past.commits, seeds[past.files], minlength=len(past.history))
    shared = past.votes(worths / np.maximum(1.0, past.breadths))
    often = np.bincount(past.files, minlength=past.size)
    return shared / np.sqrt(np.maximum(1, often))


def in_scope(past: Past, scope: str) -> Scores:
    """Files that commits with the same scope in their subject touched."""
    marks = (f"({scope})", f"{scope}:", f"[{scope}]")
    worths = np.array(
        [float(bool(scope) and any(mark in commit.message[:100] for mark in marks)) for commit in past.history]
    )
    return past.votes(worths) if len(worths) else np.zeros(past.size)
