"""Places that a text names: paths, dotted modules, the frames of a stack trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from switchyard_context.mentions import Mentions
from switchyard_context.signals.lexical import Scores
from switchyard_context.term_index import TermIndex

_FRAME_DECAY = 0.8
_MAX_FRAMES = 30
_MAX_HOLDERS = 2000


def named_paths(index: TermIndex, files: Sequence[str], mentions: Mentions) -> Scores:
    """Files whose path ends as a path of the text does; a folder of the text speaks a little for what lies in it."""
    scores = np.zeros(len(files))
    for path in mentions.paths:
        for file, agreed in _agreeing(index, files, path):
            scores[file] = max(scores[file], agreed)
    for chain in mentions.chains:
        for end in range(len(chain), 1, -1):
            hits = list(_modules(index, files, [part.lower() for part in chain[:end]]))
            for file, agreed in hits:
                scores[file] = max(scores[file], agreed - 0.5)
            if hits:
                break
    return scores


def framed(index: TermIndex, files: Sequence[str], mentions: Mentions) -> Scores:
    """Files in a stack trace, most of all where it ends."""
    scores = np.zeros(len(files))
    worth = 1.0
    for frame in sorted(mentions.frames, key=lambda frame: frame.depth)[:_MAX_FRAMES]:
        hits = list(_agreeing(index, files, frame.path))
        for file, _ in hits:
            scores[file] = max(scores[file], worth / len(hits))
        if hits:
            worth *= _FRAME_DECAY
    return scores


def _agreeing(index: TermIndex, files: Sequence[str], path: str) -> Iterator[tuple[int, float]]:
    """The files that share the longest end with a path, and how many parts that is."""
    parts = [part for part in path.lower().split("/") if part not in ("", ".", "..")]
    if not parts:
        return
    holders = index.postings("path_part", parts[-1]).files
    if len(holders) > _MAX_HOLDERS:
        return
    own = [(int(file), _common_end(parts, files[file].lower().split("/"))) for file in holders]
    best = max((agreed for _, agreed in own), default=0)
    alone = sum(agreed == best for _, agreed in own) == 1
    if best > 1 or (best == 1 and (alone or len(parts) == 1)):
        equals = [file for file, agreed in own if agreed == best]
        yield from ((file, best / np.sqrt(len(equals))) for file in equals)


def _modules(index: TermIndex, files: Sequence[str], chain: Sequence[str]) -> Iterator[tuple[int, float]]:
    """The files that a dotted name means: `a.b` is `a/b.py`, `a/b/__init__.py`, `a/b/index.ts`, `a/b/mod.rs`."""
    holders = [index.postings("path_part", name).files for name in (f"{chain[-1]}.", chain[-1])]
    if sum(map(len, holders)) > _MAX_HOLDERS:
        return
    for file in np.unique(np.concatenate(holders)):
        *folders, name = files[file].lower().split("/")
        stem = name.partition(".")[0]
        parts = folders if stem in ("__init__", "index", "mod") else [*folders, stem]
        if list(parts[-len(chain) :]) == list(chain):
            yield int(file), float(len(chain))


def _common_end(one: Iterable[str], other: Iterable[str]) -> int:
    count = 0
    for left, right in zip(reversed(list(one)), reversed(list(other)), strict=False):
        if left != right:
            break
        count += 1
    return count
