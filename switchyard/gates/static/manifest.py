"""What a manifest asks for, whatever kind of file it is, and how its parts are taken without trust."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


class UnreadableManifest(Exception):
    """A manifest that its parser refuses."""


@dataclass(frozen=True)
class Wanted:
    """One dependency that a manifest names."""

    name: str
    version: str = ""
    """As it is written."""
    runs: bool = True
    """Whether what is shipped needs it; else development, tests or another dependency do."""
    source: str = ""
    """A URL, a repository, a path or another name; "": the usual registry."""


@dataclass
class Manifest:
    """What one file asks for."""

    wanted: dict[str, Wanted] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    """Registries and replacements that hold for many."""
    scripts: set[str] = field(default_factory=set)
    """What an installation runs."""
    licences: tuple[str, ...] = ()

    def add(self, name: str, version: str = "", runs: bool = True, source: str = "") -> None:
        known = self.wanted.get(name)
        runs = runs or (known is not None and known.runs)
        self.wanted[name] = Wanted(name, version, runs, source or (known.source if known else ""))


def table_of(value: Any, *keys: str) -> dict[str, Any]:
    """The table behind keys; empty where there is none."""
    for key in keys:
        value = value.get(key, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, dict) else {}


def items_of(value: Any) -> list[Any]:
    """The list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def shown(value: Any) -> str:
    """A value as text that tells it from others."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
