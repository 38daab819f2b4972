"""The shape of `[verify]`: which agents review a change blindly, and how they are tried themselves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from switchyard.config.table import Minutes, Table


class VerifyConfig(Table):
    """`[verify]`: agents that review a change without knowing who made it; none unless they are named."""

    quality: str = ""
    """The `[agent.NAME]` that asks whether the change does the task; "" is none. A task may name another."""
    security: str = ""
    """The `[agent.NAME]` that looks for what an attacker could use; "" is none."""
    operations: str = ""
    """The `[agent.NAME]` that looks for what breaks where it runs; "" is none."""
    minutes: Minutes = 15
    """The time of one review."""
    canary_days: Annotated[float, Field(gt=0)] = 7
    """How old a canary's pass may be; a reviewer without a fresh one does not count."""
    canaries_per_run: Annotated[int, Field(ge=0)] = 2
    """Canaries that one run may put before each reviewer; 0: none, and none is asked for."""

    @property
    def named(self) -> dict[str, str]:
        """The reviewers that are configured, each with its agent's name."""
        return {"quality": self.quality, "security": self.security, "operations": self.operations}
