"""Which of the factory's branches nobody needs any more, once what stood on them has landed."""

from __future__ import annotations

from collections.abc import Sequence, Set

from switchyard_git import CommitSha, Repository, Signature

from switchyard_merge.branches import is_factory_branch
from switchyard_merge.queue import Prefix
from switchyard_merge.record import StackRecord
from switchyard_merge.situation import Situation
from switchyard_merge.verdicts import Leftover


def leftovers_of(
    repository: Repository, record: StackRecord, seen: Situation, prefixes: Sequence[Prefix], who: Signature
) -> dict[str, Leftover]:
    """The branches of what is about to land, and the joins that only these needed.

    Args:
        who: The committer of joins; what a person pushed in place of one is not deleted.
    """
    found: dict[str, Leftover] = {}
    for one in prefixes:
        candidate = one.candidate
        # What a person made is not the factory's to delete.
        if is_factory_branch(candidate.branch):
            found[candidate.branch] = Leftover(candidate.number, candidate.tip)
        join = record.branches[candidate.branch].join
        if join in seen.tips and _is_made_by(repository, seen.tips[join], who):
            found[join] = Leftover(candidate.number, seen.tips[join])
    return found


def idle_joins(repository: Repository, record: StackRecord, seen: Situation, who: Signature) -> dict[str, CommitSha]:
    """Joins that no pull request goes to any more, since all but one of their parents landed, with their tips."""
    needed = bases_of(seen)
    found: dict[str, CommitSha] = {}
    for branch, recorded in record.branches.items():
        join, pull = recorded.join, seen.pulls.get(branch)
        is_idle = join in seen.tips and join not in needed and pull is not None and pull.state == "open"
        if is_idle and _is_made_by(repository, seen.tips[join], who):
            found[join] = seen.tips[join]
    return found


def bases_of(seen: Situation) -> Set[str]:
    """The branches that a pull request is based on, an open one or one that a person closed.

    Without its base, one that a person closed would look as if the forge had closed it.
    """
    return {pull.base for pull in seen.pulls.values() if pull.state != "merged"}


def _is_made_by(repository: Repository, join: CommitSha, who: Signature) -> bool:
    (commit,) = repository.read_commits([join])
    return (commit.committer.name, commit.committer.email) == (who.name, who.email)
