"""The shape of `[environments.NAME]`: other surroundings in which checks run as well."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from switchyard.config.table import Host, Said, Table, Value, Variable

EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class EnvironmentConfig(Table):
    """`[environments.NAME]`: each check runs here as `CHECK@NAME` too."""

    env: dict[Variable, Value] = Field(default_factory=dict)
    """Variables beside those of `[sandbox]`; one of the same name wins."""
    setup: tuple[Said, ...] = ()
    """Shell commands that install what checks need; empty: those of `[sandbox]`."""
    setup_network: tuple[Host, ...] = ()
    """Host names open during set-up only; empty: those of `[sandbox]`."""
    image: str = ""
    """docker: the image; "" means the one of `[sandbox]`."""
    checks: tuple[Said, ...] = ()
    """Names of the checks that run here; empty: all."""


def check_environments(environments: Mapping[str, EnvironmentConfig], checks: Collection[str], kind: str) -> None:
    """Refuse environments that name no check, or an image where nothing is made from one.

    Raises:
        ValueError: Which one, and what is wrong with it.
    """
    for name, table in environments.items():
        if twice := [check for check in table.checks or checks if f"{check}@{name}" in checks]:
            raise ValueError(f"[environments.{name}] runs '{twice[0]}@{name}', and so is a check of [checks] named")
        if unknown := [check for check in table.checks if check not in checks]:
            raise ValueError(f"[environments.{name}] names a check '{unknown[0]}' that [checks] does not have")
        if table.image and kind != "docker":
            raise ValueError(
                f'[environments.{name}] has an image, which is for the kind "docker", and this is "{kind}"'
            )
