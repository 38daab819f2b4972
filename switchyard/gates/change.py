"""What an attempt changed, as gates read it: every path with its content on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

Status = Literal["added", "deleted", "modified"]

MOST_BYTES = 5_000_000
"""Of one side of a file; of a longer one only the size is known."""


@dataclass(frozen=True)
class ChangedFile:
    """One path that differs between the task's base and the attempt."""

    path: str
    """As git has it; bytes that are no UTF-8 as surrogates."""
    before: bytes | None
    """Content on the base (a link's target for a link); None: there is none, or it is longer than MOST_BYTES."""
    after: bytes | None
    mode_before: str = "100644"
    """git's mode, six octal digits; "" where the path is absent."""
    mode_after: str = "100644"
    size_before: int = 0
    """Bytes."""
    size_after: int = 0

    @property
    def status(self) -> Status:
        if not self.mode_before:
            return "added"
        return "modified" if self.mode_after else "deleted"

    @property
    def is_binary(self) -> bool:
        """Whether a side holds what is no text, as git judges: a NUL in its first 8,000 bytes."""
        return any(b"\0" in side[:8000] for side in (self.before, self.after) if side)

    @cached_property
    def added_lines(self) -> tuple[int, ...]:
        """Numbers of the lines of `after`, from 1, that `before` does not have in that place."""
        old, new = (self.before or b"").splitlines(), (self.after or b"").splitlines()
        if not old:
            return tuple(range(1, len(new) + 1))
        spans = SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 20_000).get_opcodes()
        return tuple(line + 1 for tag, _, _, start, end in spans if tag != "equal" for line in range(start, end))


@dataclass(frozen=True)
class Change:
    """A whole attempt against its task's base."""

    files: tuple[ChangedFile, ...] = ()
    """Sorted by path."""

    @property
    def before(self) -> Mapping[str, bytes]:
        """Path → content on the base, of what is there and not too long."""
        return {one.path: one.before for one in self.files if one.before is not None}

    @property
    def after(self) -> Mapping[str, bytes]:
        """Path → content after the attempt, of what is there and not too long."""
        return {one.path: one.after for one in self.files if one.after is not None}
