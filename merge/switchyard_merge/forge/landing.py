"""What a forge's merge button does, by git objects: the commit that lands a branch, and its base moved onto it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from switchyard_git import (
    Commit,
    CommitSha,
    GitError,
    Merged,
    PushRejected,
    RefMoved,
    RefName,
    RefUpdate,
    Repository,
    Signature,
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


def bring(repository: Repository, target: Target, landing: Landing) -> None:
    """Bring the objects of both branches here.

    Raises:
        ForgeUnavailable: The target does not give them.
    """
    missing = [sha for sha in (landing.head, landing.base) if not repository.has_commit(sha)]
    if missing:
        try:
            repository.fetch(target.git_dir if isinstance(target, Repository) else target, missing)
        except GitError as err:
            raise ForgeUnavailable(f"cannot read the branches of {shown(target)}: {err}", hint=err.hint) from err


def obstacle(repository: Repository, target: Target, landing: Landing) -> tuple[bool, str]:
    """Whether the branches go together, and what keeps the base from moving; empty: nothing."""
    outcome = repository.merge_tree(landing.base, landing.head)
    if not isinstance(outcome, Merged):
        return False, f"conflicts with {landing.base_ref.removeprefix('refs/heads/')}: {', '.join(outcome.paths)}"
    try:
        refuse_in_use(target, [landing.base_ref])
    except BranchInUse as err:
        return True, str(err)
    return True, ""


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
