"""The roots of what the factory's own packages raise, so that one handler can turn any into text and an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Self


class SwitchyardError(Exception):
    """Root of what the factory raises: UsageError, ConfigError, TaskFileError, WorkFailed.

    `kind` is the stable name in `{"error": {"kind", …}}`; `exit_code` is what the command ends with.
    """

    kind = "failed"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class WorkFailed(SwitchyardError):
    """The command was right and the work did not succeed: a task failed, or waits for a person."""

    kind = "work_failed"


class UsageError(SwitchyardError):
    """The command line asks for something that does not exist or makes no sense."""

    kind = "usage"
    exit_code = 2


class LocatedError(UsageError):
    """A file that people write is wrong, at a place that can be named.

    `line` counts from 1; None where the fault has no line. `key` is the dotted key, or "". Where several faults were
    found, `others` holds the rest and the message lists them all.
    """

    others: tuple[LocatedError, ...] = ()

    def __init__(self, problem: str, *, file: Path, line: int | None = None, key: str = "", hint: str = "") -> None:
        place = f"{file}:{line}" if line is not None else str(file)
        super().__init__(f"{place}: {problem}", hint=hint)
        self.problem = problem
        self.file = file
        self.line = line
        self.key = key

    @classmethod
    def joined(cls, errors: Sequence[Self]) -> Self:
        """One error that says all of them; the first gives the fields."""
        first = errors[0]
        if len(errors) == 1:
            return first
        whole = cls(first.problem, file=first.file, line=first.line, key=first.key, hint=first.hint)
        whole.args = ("\n".join(str(error) for error in errors),)
        rest = list(first.others)
        for error in errors[1:]:
            rest += [error, *error.others]
        whole.others = tuple(rest)
        return whole


class ConfigError(LocatedError):
    """switchyard.toml, or what overrides it, is wrong."""

    kind = "config"


class TaskFileError(LocatedError):
    """A task file or a plan is wrong."""

    kind = "task_file"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question to append to a message about an unknown word, or "" where nothing is close."""
    close = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
