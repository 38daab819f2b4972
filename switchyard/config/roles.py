"""The shape of `[roles]`: which agents look at a task before one builds it."""

from __future__ import annotations

from collections.abc import Collection

from switchyard.config.table import Minutes, Table
from switchyard.errors import did_you_mean

DEFAULT = "default"


class RolesConfig(Table):
    """`[roles]`: agents that work before the builder; none unless they are named."""

    clarify: str = ""
    """The `[agent.NAME]` that asks a person what a task leaves open; "default" is `[agent]`, "" is none."""
    plan: str = ""
    """The `[agent.NAME]` that says which files a task will change, and how; "default" is `[agent]`, "" is none."""
    minutes: Minutes = 10
    """The time of each of them."""


def agent_of(role: str) -> str | None:
    """The name of a role's agent as the agents are kept, where "" is the default one; None: the role is off."""
    return None if not role else "" if role == DEFAULT else role


def check_roles(roles: RolesConfig, agents: Collection[str], *, has_default: bool) -> None:
    """Refuse a role whose agent is not there.

    Raises:
        ValueError: Which role, and the name.
    """
    for key, name in (("clarify", roles.clarify), ("plan", roles.plan)):
        if name == DEFAULT and not has_default:
            raise ValueError(f"{key}: '{DEFAULT}' stands for [agent], which is not there")
        if name and name != DEFAULT and name not in agents:
            raise ValueError(f"{key}: no agent '{name}'{did_you_mean(name, agents)}")
