"""What a forge's merge button does, by git objects: the commit that lands a branch, and its base moved onto it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from switchyard_git import (
    Commit,
    CommitSha,
    Conflicted,
    GitError,
    Merged,
    PushRejected,
    RefMoved,
    RefName,
    RefUpdate,
    Repository,
    Signature,
    UnrelatedHistories,
)

from switchyard_merge.errors import BranchInUse, ForgeUnavailable, NotMergeable
from switchyard_merge.forge.contract import MergeMethod
from switchyard_merge.restack import Restacked, replay_branch
from switchyard_merge.targets import Target, move, refuse_in_use, shown

_FORGE = Signature("Switchyard", "switchyard@localhost", 0)


@dataclass(frozen=True)
class Landing:
    """One branch to land on another, both as they are now."""

    number: int
    head: CommitSha
    base: CommitSha
    base_ref: RefName
    title: str
    message: str = ""


def bring(repository: Repository, target: Target, landings: Sequence[Landing]) -> None:
    """Bring the objects of both branches of each here.

    Raises:
        ForgeUnavailable: The target does not give them.
    """
    missing = repository.missing_commits([sha for landing in landings for sha in (landing.head, landing.base)])
    if missing:
        try:
            repository.fetch(target.git_dir if isinstance(target, Repository) else target, missing)
        except GitError as err:
            raise ForgeUnavailable(f"cannot read the branches of {shown(target)}: {err}", hint=err.hint) from err


def obstacles(repository: Repository, target: Target, landings: Sequence[Landing]) -> list[tuple[bool, str]]:
    """Whether the branches of each go together, and what keeps its base from moving; empty: nothing."""
    outcomes = _merges(repository, landings)
    in_use = {base: _in_use(target, base) for base in dict.fromkeys(landing.base_ref for landing in landings)}
    found: list[tuple[bool, str]] = []
    for landing, outcome in zip(landings, outcomes, strict=True):
        base = landing.base_ref.removeprefix("refs/heads/")
        match outcome:
            case Merged():
                found.append((True, in_use[landing.base_ref]))
            case Conflicted():
                found.append((False, f"conflicts with {base}: {', '.join(outcome.paths)}"))
            case None:
                found.append((False, f"shares no history with {base}"))
    return found


def _merges(repository: Repository, landings: Sequence[Landing]) -> list[Merged | Conflicted | None]:
    """What comes of merging each; None where the branches have no common ancestor."""
    try:
        return [*repository.merge_trees([(landing.base, landing.head) for landing in landings])]
    except UnrelatedHistories:
        # One such pair keeps git from all the others.
        if len(landings) == 1:
            return [None]
    half = len(landings) // 2
    return _merges(repository, landings[:half]) + _merges(repository, landings[half:])


def _in_use(target: Target, base: RefName) -> str:
    try:
        refuse_in_use(target, [base])
    except BranchInUse as err:
        return str(err)
    return ""


def landed_commit(repository: Repository, landing: Landing, method: MergeMethod) -> CommitSha:
    """The commit that the base is to move to; made of the branches alone, so it is the same when made again.

    Raises:
        NotMergeable: They conflict, or the base holds all of it already.
    """
    match method:
        case "rebase":
            commit = _rebased(repository, landing)
        case "squash" | "merge":
            commit = _merged(repository, landing, is_squash=method == "squash")
    if repository.tree_of(commit) == repository.tree_of(landing.base):
        raise NotMergeable(landing.number, "its base holds all of it already", hint="close it")
    return commit


def put_on_base(repository: Repository, target: Target, landing: Landing, commit: CommitSha) -> None:
    """Move the base, if it still is where it was.

    Raises:
        NotMergeable: It moved, a rule of the target protects it, or a person's worktree is on it.
        ForgeUnavailable: The target cannot be reached.
    """
    try:
        move(repository, target, [RefUpdate(landing.base_ref, commit, landing.base)])
    except (PushRejected, RefMoved, BranchInUse) as err:
        raise NotMergeable(landing.number, str(err), hint=err.hint) from err
    except GitError as err:
        raise ForgeUnavailable(f"{shown(target)} did not take the merge: {err}", hint=err.hint) from err


def _merged(repository: Repository, landing: Landing, *, is_squash: bool) -> CommitSha:
    outcome = repository.merge_tree(landing.base, landing.head)
    if not isinstance(outcome, Merged):
        raise _conflict(landing, outcome.paths)
    head, base = repository.read_commits([landing.head, landing.base])
    forge = _dated(head, base)
    title = f"{landing.title or head.subject} (#{landing.number})\n"
    message = f"{title}\n{landing.message.rstrip()}\n" if landing.message else title
    parents = (landing.base,) if is_squash else (landing.base, landing.head)
    author = replace(head.author, timestamp=forge.timestamp) if is_squash else forge
    return repository.commit_tree(outcome.tree, parents, message, author=author, committer=forge)


def _rebased(repository: Repository, landing: Landing) -> CommitSha:
    floor = repository.common_base([landing.base, landing.head])
    if floor is None:
        raise NotMergeable(landing.number, "it shares no history with its base")
    outcome = replay_branch(repository, floor=floor, tip=landing.head, onto=landing.base)
    if not isinstance(outcome, Restacked):
        raise _conflict(landing, outcome.paths)
    return outcome.tip


def _dated(head: Commit, base: Commit) -> Signature:
    return replace(_FORGE, timestamp=max(head.committer.timestamp, base.committer.timestamp))


def _conflict(landing: Landing, paths: tuple[str, ...]) -> NotMergeable:
    base = landing.base_ref.removeprefix("refs/heads/")
    return NotMergeable(landing.number, f"conflicts with {base}: {', '.join(paths)}", hint="restack it, then try again")
