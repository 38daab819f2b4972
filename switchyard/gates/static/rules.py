"""What the static gates go by: the repository's rules, and what the task allows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from switchyard.config import Config


@dataclass(frozen=True)
class Rules:
    """The rules of one inspection."""

    escalate_paths: tuple[str, ...] = ()
    """Patterns, as in .gitignore, of paths whose change waits for a person."""
    escalate_content: tuple[str, ...] = ()
    """Added text that makes a change wait for a person; case does not count, nor how much white space there is."""
    max_file_kb: int = 1024
    allow: frozenset[str] = frozenset()
    """What the task allows: `protected`, `dependencies`."""

    @classmethod
    def of(cls, config: Config, allow: Collection[str]) -> Self:
        """As `switchyard.toml` and the task have them."""
        review = config.review
        return cls(review.escalate_paths, review.escalate_content, config.gates.max_file_kb, frozenset(allow))
