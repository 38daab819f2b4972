"""Branches to a remote and pull requests onto them: look first, adopt what is there, act only on the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from switchyard_git import CommitSha, PushRejected, RefMoved, RefName, RefUpdate, RemoteUnavailable, Repository

from switchyard_merge.body import merge_body, read_marker
from switchyard_merge.branches import checked_factory_ref
from switchyard_merge.errors import BranchInUse, ForgeRefused, StaleBranch
from switchyard_merge.forge.contract import Forge, NewPullRequest, PullRequest
from switchyard_merge.targets import Target, look, move, opened, shown


@dataclass(frozen=True)
class BranchUpdate:
    """One branch that should be at `new`."""

    branch: str
    new: CommitSha
    expected: CommitSha | None
    """Where the factory left it; None: it must not exist yet."""


@dataclass(frozen=True)
class PushedBranch:
    """What became of one branch."""

    branch: str
    sha: CommitSha
    outcome: Literal["pushed", "adopted"]
    """`adopted`: it was already there, so nothing was pushed."""


def push_branches(factory: Repository, target: Target, updates: Sequence[BranchUpdate]) -> list[PushedBranch]:
    """Move branches to where they should be, all of them or none; those that are there already are adopted.

    A target with a work tree is a person's repository: refs land in it without its hooks, its index or its files
    being touched.

    Raises:
        ForbiddenRef: One is not a branch of the factory's.
        StaleBranch: One is neither where the factory left it nor where it should be; no branch was moved.
        BranchInUse: A person's worktree is on it.
    """
    refs = {checked_factory_ref(update.branch): update for update in updates}
    place = opened(target)
    there = look(factory, place, list(refs))
    due = {ref: update for ref, update in refs.items() if there.get(ref) != update.new}
    _refuse_stale(place, {ref: update for ref, update in due.items() if there.get(ref) != update.expected}, there)
    moves = [RefUpdate(ref, update.new, update.expected) for ref, update in due.items()]
    try:
        move(factory, place, moves)
    except (PushRejected, RefMoved) as err:
        _explain(factory, place, due, err)
    except RemoteUnavailable:
        # What got lost may be the answer alone.
        if not _is_done(factory, place, due):
            raise
    return [
        PushedBranch(update.branch, update.new, "pushed" if ref in due else "adopted") for ref, update in refs.items()
    ]


def delete_branches(factory: Repository, target: Target, tips: Mapping[str, CommitSha]) -> list[str]:
    """Delete branches of the factory's that are where it left them; what somebody moved or works on stays.

    Args:
        tips: Branch → where it was left.

    Raises:
        ForbiddenRef: One is not a branch of the factory's.
    """
    refs = {checked_factory_ref(branch): branch for branch in tips}
    place = opened(target)
    there = look(factory, place, list(refs)) if refs else {}
    due = [RefUpdate(ref, None, tips[branch]) for ref, branch in refs.items() if there.get(ref) == tips[branch]]
    deleted: list[str] = []
    for update in due:
        try:
            move(factory, place, [update])
        except (PushRejected, RefMoved, BranchInUse):
            continue
        deleted.append(refs[update.ref])
    return deleted


def open_or_adopt(
    forge: Forge, new: NewPullRequest, *, is_renewed_later: bool = False, is_known_absent: bool = False
) -> PullRequest:
    """The pull request from branch `new.head`: the one that is there, brought up to date, or a new one.

    A person's title and their text outside the generated parts stay. A merged or closed one is returned as it is:
    whoever ended it has decided.

    Args:
        is_renewed_later: Whether the caller writes the body once more by itself: labels that are owed wait for that.

        is_known_absent: Whether the caller has listed them and saw none; one that is open all the same is adopted.

    Raises:
        ForgeRefused: The one that is there was made for another task, or the forge takes no pull request from it.
    """
    found = None if is_known_absent else forge.find(new.head)
    found = found or open_or_find(forge, new)
    if is_renewed_later:
        found = replace(found, owes_labels=False)
    return brought_up_to_date(forge, found, new)


def open_or_find(forge: Forge, new: NewPullRequest) -> PullRequest:
    """Open one that was looked for and not there, or find the one that somebody opened meanwhile.

    Raises:
        ForgeRefused: The forge takes no pull request from that branch.
    """
    try:
        return forge.open(new)
    except ForgeRefused:
        # Only when it is there now, the refusal is no failure.
        found = forge.find(new.head)
        if found is None:
            raise
        return found


def refresh_body(forge: Forge, number: int, generated: str) -> PullRequest:
    """Renew the generated parts of a pull request's body; nothing is written when they stand there already."""
    found = forge.get(number)
    body = merge_body(found.body, generated)
    return found if body == found.body else forge.edit(number, body=body)


def brought_up_to_date(forge: Forge, found: PullRequest, new: NewPullRequest) -> PullRequest:
    """A pull request that is there, with what differs written; a merged or closed one as it is.

    Raises:
        ForgeRefused: It was made for another task.
    """
    ours, theirs = read_marker(new.body), read_marker(found.body)
    if ours and theirs and ours.task != theirs.task:
        raise ForgeRefused(
            f"pull request #{found.number} from {new.head} was made for task {theirs.task!r}, not {ours.task!r}",
            hint="close it, or give the task another id",
        )
    if found.state != "open":
        return found
    body = merge_body(found.body, new.body)
    base = None if found.base == new.base else new.base
    is_due = body != found.body or found.owes_labels
    if not is_due and base is None:
        return found
    return forge.edit(found.number, body=body if is_due else None, base=base)


def _refuse_stale(target: Target, stale: Mapping[RefName, BranchUpdate], there: Mapping[RefName, CommitSha]) -> None:
    if stale:
        told = {
            update.branch: f"is at {there.get(ref, 'nothing')}, expected {update.expected or 'nothing'}"
            for ref, update in stale.items()
        }
        raise StaleBranch(shown(target), told)


def _is_done(factory: Repository, target: Target, due: Mapping[RefName, BranchUpdate]) -> bool:
    there = look(factory, target, list(due))
    return all(there.get(ref) == update.new for ref, update in due.items())


def _explain(
    factory: Repository, target: Target, due: Mapping[RefName, BranchUpdate], err: PushRejected | RefMoved
) -> None:
    """Tell a race that was lost from a rule of the remote; a rival who pushed the very same commits is no problem."""
    if _is_done(factory, target, due):
        return
    there = look(factory, target, list(due))
    moved = {ref: update for ref, update in due.items() if there.get(ref) != update.expected}
    try:
        _refuse_stale(target, moved, there)
    except StaleBranch as stale:
        raise stale from err
    raise ForgeRefused(f"nothing was pushed: {err}", hint=err.hint) from err
