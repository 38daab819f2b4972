"""Joins: one commit that holds several parents, made of objects alone and the same whenever it is made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from switchyard_git import CommitSha, Merged, MergeMessage, Repository, Signature, TreeSha
from switchyard_git import Conflicted as GitConflicted

from switchyard_merge.errors import MergeError


@dataclass(frozen=True)
class Joined:
    """A commit that holds every head."""

    commit: CommitSha
    parents: tuple[CommitSha, ...]
    """The heads without those that another head holds; with one left, `commit` is that head."""


@dataclass(frozen=True)
class Conflicted:
    """Heads that do not go together."""

    paths: tuple[str, ...]
    between: tuple[CommitSha, ...]
    """The heads that clash."""
    messages: tuple[MergeMessage, ...] = ()


def join_of(repository: Repository, heads: Sequence[CommitSha], *, who: Signature) -> Joined | Conflicted:
    """Merge the heads, in the order given, into one commit that has them as parents. No worktree is involved.

    Args:
        who: The name and e-mail of the commit. Its date is the newest parent's, so that the same parents give the
            same commit whenever, and by whichever run, it is made.
    """
    tips = independent_heads(repository, heads)
    if not tips:
        raise MergeError("a join of no heads was asked for", hint="give at least one commit")
    if len(tips) == 1:
        return Joined(tips[0], tips)
    dates = [commit.committer.timestamp for commit in repository.read_commits(tips)]
    return _fold(repository, tips, replace(who, timestamp=max(dates)))


def independent_heads(repository: Repository, heads: Sequence[CommitSha]) -> tuple[CommitSha, ...]:
    """The heads in order, without duplicates and without those that another one holds."""
    distinct = list(dict.fromkeys(heads))
    if len(distinct) < 2:
        return tuple(distinct)
    independent = set(repository.independent(distinct))
    return tuple(head for head in distinct if head in independent)


def _fold(repository: Repository, tips: tuple[CommitSha, ...], who: Signature) -> Joined | Conflicted:
    so_far, tree = tips[0], TreeSha("")
    for position, tip in enumerate(tips[1:], start=1):
        outcome = repository.merge_tree(so_far, tip)
        if isinstance(outcome, GitConflicted):
            return Conflicted(outcome.paths, _culprits(repository, tips[:position], tip), outcome.messages)
        tree = outcome.tree
        # A commit that only the next merge sees: it gives git the right common ancestors.
        parents, message = ((so_far, tip), "Join, so far\n") if position < len(tips) - 1 else (tips, _message(tips))
        so_far = repository.commit_tree(tree, parents, message, author=who, committer=who)
    return Joined(so_far, tips)


def _culprits(repository: Repository, before: tuple[CommitSha, ...], tip: CommitSha) -> tuple[CommitSha, ...]:
    """Which of the heads before it the tip clashes with; all of them if it takes more than one to clash."""
    outcomes = repository.merge_trees([(head, tip) for head in before])
    clashing = [head for head, outcome in zip(before, outcomes, strict=True) if not isinstance(outcome, Merged)]
    return (*(clashing or before), tip)


def _message(tips: tuple[CommitSha, ...]) -> str:
    return f"Join {len(tips)} branches\n\n" + "".join(f"Joins: {tip}\n" for tip in tips)
