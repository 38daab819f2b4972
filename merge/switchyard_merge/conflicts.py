"""Which branches would conflict, before anything is pushed.

git alone decides; a path filter only spares it the pairs that cannot conflict. The filter knows every path that any
commit of a branch touched, so it is exact about plain edits and deliberately coarse about directory renames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from switchyard_git import Change, CommitSha, Conflicted, MergeMessage, Repository

_MERGES_PER_COMMIT = 2
"""Reading what one commit touched takes as long as this many merges; where the filter costs more, it is left out."""
_PROCESSES = 2


@dataclass(frozen=True)
class Conflict:
    """Two branches that git cannot merge."""

    head: str
    other: str
    paths: tuple[str, ...]
    messages: tuple[MergeMessage, ...]


@dataclass(frozen=True)
class Footprint:
    """Every path that a branch touched, as far as a merge could trip over it."""

    paths: frozenset[str]
    folders: frozenset[str]
    """The directories above `paths`."""
    added_under: frozenset[str]
    """The directories above paths that some commit added: a file may have to follow a renamed directory."""
    emptied: frozenset[str]
    """The directories above paths that some commit removed: one of them may have been renamed."""

    def may_clash(self, other: Footprint) -> bool:
        """Whether a merge of the two could conflict; never false for two that do."""
        return not (
            self.paths.isdisjoint(other.paths)
            and self.paths.isdisjoint(other.folders)
            and self.folders.isdisjoint(other.paths)
            and self.emptied.isdisjoint(other.added_under)
            and self.added_under.isdisjoint(other.emptied)
        )


def find_conflicts(
    repository: Repository, head: CommitSha, others: Mapping[str, CommitSha], *, name: str = "head"
) -> list[Conflict]:
    """What `head` would conflict with, in the order of `others`; one that holds the other is no conflict.

    Raises:
        UnrelatedHistories: Two of them have no common ancestor here.
    """
    pairs = [((name, head), other) for other in others.items()]
    return _conflicts_of(repository, pairs)


def find_all_conflicts(repository: Repository, heads: Mapping[str, CommitSha]) -> list[Conflict]:
    """Every pair of the heads that would conflict."""
    return _conflicts_of(repository, list(combinations(heads.items(), 2)))


_Named = tuple[str, CommitSha]


def _conflicts_of(repository: Repository, pairs: Sequence[tuple[_Named, _Named]]) -> list[Conflict]:
    distinct = [(one, other) for one, other in pairs if one[1] != other[1]]
    chosen = _candidates(repository, distinct)
    outcomes = repository.merge_trees([(one[1], other[1]) for one, other in chosen], processes=_PROCESSES)
    return [
        Conflict(one[0], other[0], outcome.paths, outcome.messages)
        for (one, other), outcome in zip(chosen, outcomes, strict=True)
        if isinstance(outcome, Conflicted)
    ]


def _candidates(repository: Repository, pairs: Sequence[tuple[_Named, _Named]]) -> Sequence[tuple[_Named, _Named]]:
    """The pairs that git has to decide."""
    tips = list(dict.fromkeys(tip for pair in pairs for _, tip in pair))
    base = repository.common_base(tips) if tips else None
    if base is None:
        return pairs
    ancestry = repository.ancestry(tips, base)
    held = {tip: _reachable(tip, ancestry) | {base} for tip in tips}
    apart = [pair for pair in pairs if pair[0][1] not in held[pair[1][1]] and pair[1][1] not in held[pair[0][1]]]
    if len(ancestry) * _MERGES_PER_COMMIT > len(apart):
        return apart
    touched = repository.touched(ancestry)
    prints = {tip: footprint(change for commit in held[tip] for change in touched.get(commit, ())) for tip in tips}
    return [pair for pair in apart if prints[pair[0][1]].may_clash(prints[pair[1][1]])]


def _reachable(tip: CommitSha, ancestry: Mapping[CommitSha, tuple[CommitSha, ...]]) -> set[CommitSha]:
    found: set[CommitSha] = set()
    waiting = [tip]
    while waiting:
        commit = waiting.pop()
        if commit in ancestry and commit not in found:
            found.add(commit)
            waiting.extend(ancestry[commit])
    return found


def footprint(changes: Iterable[Change]) -> Footprint:
    """The footprint of changes that were read without rename detection: a rename is a removal and an addition."""
    paths: set[str] = set()
    added: set[str] = set()
    removed: set[str] = set()
    for change in changes:
        paths.add(change.path)
        if change.status == "A":
            added.add(change.path)
        elif change.status == "D":
            removed.add(change.path)
    return Footprint(frozenset(paths), _folders(paths), _folders(added), _folders(removed))


def _folders(paths: Iterable[str]) -> frozenset[str]:
    """Every directory above the paths but the root, which git never takes for renamed."""
    found: set[str] = set()
    for path in paths:
        while "/" in path:
            path = path.rpartition("/")[0]
            if path in found:
                break
            found.add(path)
    return frozenset(found)
