"""What the tables of `switchyard.toml` are made of: their root, and values that are checked as they are read."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from switchyard_git import is_valid_ref

_HOST = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")
_ADDRESS = re.compile(r"[0-9.]+(:\d{1,5})?")
_ENDPOINT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_host(host: str) -> str:
    if not _HOST.fullmatch(host):
        raise ValueError(f"'{host}' is not a host name; write the name alone, such as 'pypi.org'")
    if _ADDRESS.fullmatch(host):
        raise ValueError(f"'{host}' is an address; only host names are let through")
    return host


def check_variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"'{name}' is not the name of an environment variable")
    return name


def check_value(value: str) -> str:
    if "\0" in value:
        raise ValueError("a variable's value holds NUL, which no process can be given")
    return value


def check_endpoint(name: str) -> str:
    if not _ENDPOINT.fullmatch(name):
        raise ValueError(f"'{name}' cannot name an endpoint: use letters, digits, '-' and '_'")
    return name


def check_inside(path: str) -> str:
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts:
        raise ValueError(f"'{path}' must be a path inside the repository")
    return path


def check_branch(name: str) -> str:
    if name.startswith("-") or not is_valid_ref(f"refs/heads/{name}"):
        raise ValueError(f"'{name}' cannot be the name of a branch")
    return name


Host = Annotated[str, AfterValidator(check_host)]
Variable = Annotated[str, AfterValidator(check_variable)]
Value = Annotated[str, AfterValidator(check_value)]
EndpointName = Annotated[str, AfterValidator(check_endpoint)]
Said = Annotated[str, StringConstraints(min_length=1)]
Minutes = Annotated[float, Field(gt=0, le=525_600)]
"""Up to a year: what is longer overflows one clock or another."""
TurnMinutes = Minutes | None


class Table(BaseModel):
    """Root of every table: frozen, unknown keys refused, "4" is no number."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )
