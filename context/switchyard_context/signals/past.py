"""What the history says: who was changed by commits that read like the text, who changes often, and with whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


def arrange(history: Sequence[PastCommit], ids: Mapping[str, int], size: int) -> Past:
    """Lay the history out; commits that touched very many files say nothing about any of them."""
    commits, files = [], []
    for position, commit in enumerate(history):
        if len(commit.paths) <= _MAX_PATHS:
            for path in commit.paths:
                file = ids.get(path)
                if file is not None:
                    commits.append(position)
                    files.append(file)
    breadths = np.array([max(1, len(commit.paths)) for commit in history], dtype=np.float64)
    return Past(size, np.array(commits, dtype=np.int64), np.array(files, dtype=np.int64), breadths, history)


def resembling(past: Past, words: Mapping[str, float]) -> Scores:
    """Commits by how their messages resemble the text (BM25), only the nearest, the best one 1."""
    count = len(past.history)
    if not count or not words:
        return np.zeros(count)
    lengths = np.array([len(commit.words) for commit in past.history])
    held = np.concatenate([commit.words for commit in past.history])
    owners = np.repeat(np.arange(count), lengths)
    wanted = {word_hash(word): weight for word, weight in words.items()}
    keys = np.array(sorted(wanted), dtype=np.uint32)
    places = np.minimum(np.searchsorted(keys, held), len(keys) - 1)
    hits = keys[places] == held
    places, owners = places[hits], owners[hits]
    frequencies = np.bincount(places, minlength=len(keys))
    rarities = np.log(1 + (count - frequencies + 0.5) / (frequencies + 0.5))
    gains = rarities * np.array([wanted[int(key)] for key in keys])
    norms = 0.4 + 0.6 * lengths / max(1.0, float(lengths.mean()))
    scores = np.bincount(owners, gains[places], minlength=count) * 2.2 / (1 + 1.2 * norms)
    if not scores.any():
        return scores
    floor = np.sort(scores)[-min(_NEAREST, count)]
    return np.where(scores >= floor, scores / scores.max(), 0.0) ** 2


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
