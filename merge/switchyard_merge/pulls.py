"""The pull requests of a whole stack at once: one look for all of them, then only what differs is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from switchyard_merge.forge.contract import Forge, NewPullRequest, PullRequest
from switchyard_merge.navigation import StackEntry
from switchyard_merge.publish import brought_up_to_date, open_or_find


@dataclass(frozen=True)
class StackMember:
    """One pull request that there should be. `branch` and `base` are names of branches that are pushed."""

    task: str
    branch: str
    base: str
    title: str
    parents: tuple[str, ...] = ()
    """Tasks."""
    labels: tuple[str, ...] = ()


Describe = Callable[[StackMember, Sequence[StackEntry]], str]
"""The generated body of a member, given the whole stack as far as its numbers are known."""


def publish_pulls(forge: Forge, members: Sequence[StackMember], describe: Describe) -> list[PullRequest]:
    """Open what is missing and bring the rest up to date, in the order given; a run with nothing to do writes nothing.

    At most two writes for each; one listing for all. Killed after any of
    them and run again, it adopts what is there. What somebody merged or closed is left as it is.

    Args:
        members: Parents before children.

    Raises:
        ForgeRefused: A branch is missing or has nothing new, or its pull request was made for another task.
    """
    if not members:
        return []
    # Characters, not folders, are what a forge's prefix means.
    prefix = os.path.commonprefix([member.branch for member in members])  # noqa: RUF071
    # By number, so that of several from one branch the newest counts.
    there = {pull.head: pull for pull in forge.list(heads_prefix=prefix)}
    for member in members:
        if member.branch not in there:
            body = describe(member, _entries(members, there))
            new = NewPullRequest(member.title, body, member.branch, member.base, member.labels)
            there[member.branch] = open_or_find(forge, new)
    stack = _entries(members, there)
    return [
        brought_up_to_date(
            forge,
            there[member.branch],
            NewPullRequest(member.title, describe(member, stack), member.branch, member.base, member.labels),
        )
        for member in members
    ]


def _entries(members: Sequence[StackMember], there: Mapping[str, PullRequest]) -> list[StackEntry]:
    entries = []
    for member in members:
        pull = there.get(member.branch)
        state = pull.state if pull and pull.state != "open" else ""
        entries.append(StackEntry(member.task, member.title, pull.number if pull else None, member.parents, state))
    return entries
