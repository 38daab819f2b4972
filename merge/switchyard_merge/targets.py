"""The repository that branches are pushed to: a remote, or a person's own repository on this machine.

A target with a work tree is a person's repository: refs land in it without its hooks, its index or its files being
touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from switchyard_git import CommitSha, RefName, RefUpdate, Repository, without_password
from switchyard_git.errors import NotARepository

from switchyard_merge.errors import BranchInUse

Target = str | Path | Repository
"""A URL, a path, or a repository on this machine."""


def opened(target: Target) -> Target:
    """The target, opened when it is a person's repository on this machine."""
    if isinstance(target, Repository) or not Path(target).is_dir():
        return target
    try:
        repository = Repository.open(Path(target))
    except NotARepository:
        return target
    return repository if repository.worktree is not None else target


def look(factory: Repository, target: Target, refs: Sequence[RefName]) -> Mapping[RefName, CommitSha]:
    """Where the refs are in an opened target; those that it lacks are left out."""
    if isinstance(target, Repository):
        here = target.refs("refs/heads")
        return {ref: here[ref] for ref in refs if ref in here}
    return factory.ls_remote(target, refs)


def refuse_in_use(target: Target, refs: Sequence[RefName]) -> None:
    """Refuse to move what a person's worktree is on.

    Raises:
        BranchInUse: One of the refs is checked out.
    """
    if isinstance(target, Repository):
        in_use = target.checked_out_branches()
        clashing = {ref.removeprefix("refs/heads/"): str(in_use[ref]) for ref in refs if ref in in_use}
        if clashing:
            raise BranchInUse(clashing)


def move(factory: Repository, target: Target, moves: Sequence[RefUpdate]) -> None:
    """Move refs of an opened target, each only from where it is expected: all of them or none.

    Raises:
        BranchInUse: A person's worktree is on one of them.
        PushRejected: A ref is elsewhere, or the target refuses it.
        RefMoved: A ref is elsewhere.
    """
    if not moves:
        return
    if not isinstance(target, Repository):
        factory.push(target, moves)
        return
    refuse_in_use(target, [update.ref for update in moves])
    brought = [update.new for update in moves if update.new]
    if brought:
        target.fetch(factory.git_dir, brought)
    target.update_refs(moves)


def shown(target: Target) -> str:
    """The target as people may see it, without a password."""
    return str(target.git_dir) if isinstance(target, Repository) else without_password(str(target))
