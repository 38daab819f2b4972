"""What one kind of project in a repository needs: the value that each survey gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Project:
    """How one kind of project is set up and tested."""

    name: str
    """The check's name where a repository has several."""
    setup: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    """Hosts that the set-up reaches."""
    test: str = ""
    """"" where no tests were found."""
    env: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
