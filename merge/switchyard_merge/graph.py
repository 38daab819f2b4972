"""The commits above a base, read by one git and then asked about as often as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from switchyard_git import CommitSha, Repository


@dataclass(frozen=True)
class CommitGraph:
    """Commits and how they hang together."""

    parents: Mapping[CommitSha, tuple[CommitSha, ...]]
    """Each commit's parents, newest commits first; what the base holds is left out."""

    @classmethod
    def read(cls, repository: Repository, heads: Sequence[CommitSha], base: CommitSha) -> Self:
        """All that the heads hold and the base does not."""
        return cls(repository.ancestry(list(dict.fromkeys(heads)), base))

    def own(self, tip: CommitSha, below: Iterable[CommitSha]) -> dict[CommitSha, tuple[CommitSha, ...]]:
        """What a commit holds that neither the base nor any of `below` does, with its parents, newest first.

        Args:
            below: Heads that the graph was read for, or commits that one of them or the base holds.
        """
        held = self._held([tip]) - self._held(below)
        return {commit: parents for commit, parents in self.parents.items() if commit in held}

    def _held(self, commits: Iterable[CommitSha]) -> set[CommitSha]:
        found: set[CommitSha] = set()
        waiting = list(commits)
        while waiting:
            commit = waiting.pop()
            if commit in self.parents and commit not in found:
                found.add(commit)
                waiting.extend(self.parents[commit])
        return found
