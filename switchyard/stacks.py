"""Stacks of pull requests, as commands work with them by themselves: opened here, kept and landed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from switchyard.forges import connect
from switchyard.workflow.stores import open_stores
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    from switchyard_merge import Keeper


def factory_stack(workspace: Workspace) -> str:
    """The name under which the factory's own pull requests are recorded."""
    return f"factory/{workspace.config.repository.base}"


def people_stack(name: str) -> str:
    """The name under which a stack that people published is recorded."""
    return f"people/{name}"


def open_keeper(workspace: Workspace, environ: Mapping[str, str] = MappingProxyType({})) -> Keeper:
    """What keeps the stacks of a repository right, whichever their names are; nothing is asked of the forge yet.

    Args:
        environ: Where a token for the forge is looked up.

    Raises:
        UsageError: The forge's configuration does not fit.
    """
    from switchyard_merge import Keeper, stack_bodies

    from switchyard.workflow.factory import signature

    connection = connect(workspace, environ)
    _, quarantine = open_stores(workspace.places)
    quarantine = connection.upstream.let_in(quarantine)
    # The date of a join is its newest parent's, so this one counts for nothing.
    who = signature(0)
    return Keeper(quarantine, connection.open(quarantine), connection.upstream.target, who, stack_bodies)
