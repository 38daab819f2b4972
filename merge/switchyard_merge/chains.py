"""The linear parts of a stack, told to a forge that has stacks of its own; the rest does with chained bases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from switchyard_merge.errors import ForgeRefused
from switchyard_merge.forge.contract import Forge, PullRequest, StackForge

if TYPE_CHECKING:
    from switchyard_merge.record import StackRecord


def declare_chains(forge: Forge, record: StackRecord, pulls: Mapping[str, PullRequest]) -> None:
    """Tell the forge which pull requests form chains; a forge without stacks is asked nothing.

    One that refuses, because somebody stacked them otherwise say, is left alone: chained bases mean the same to people.

    Args:
        pulls: The newest pull request from each branch.
    """
    if not isinstance(forge, StackForge):
        return
    for chain in linear_chains(record, pulls):
        try:
            forge.declare_stack(chain)
        except ForgeRefused:
            continue


def linear_chains(record: StackRecord, pulls: Mapping[str, PullRequest]) -> list[list[int]]:
    """The numbers of open pull requests that stand on one another and share no one, bottom first; two or more each."""
    parents = {
        name: branch.aim.parents
        for name, branch in record.branches.items()
        if name in pulls and pulls[name].state == "open"
    }
    children: dict[str, list[str]] = {}
    for name, below in parents.items():
        for parent in below:
            children.setdefault(parent, []).append(name)
    chains = []
    for name, below in parents.items():
        if any(parent in parents for parent in below):
            continue
        chain = [name]
        while len(above := children.get(chain[-1], [])) == 1:
            chain += above
        is_linear = not above and all(len(parents[one]) <= 1 for one in chain)
        if is_linear and len(chain) > 1:
            chains.append([pulls[one].number for one in chain])
    return chains
