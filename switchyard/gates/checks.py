"""Which checks a task must pass, and how a failed one is told to the agent and to a person."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard.packets import CheckResult, TaskId
from switchyard.quoting import block, code


def checks_for(task: TaskId, own: Mapping[str, str], repository: Mapping[str, str]) -> dict[str, str]:
    """The repository's checks and the task's own, by name; a task's check never replaces the repository's."""
    return {**repository, **{f"{task}:{name}" if name in repository else name: own[name] for name in own}}


def describe_failure(check: CheckResult) -> str:
    """A failed check as a passage of Markdown: what ran, how it ended, the end of its output."""
    told = f"Check {code(check.name)} failed: {code(check.command)} {how_it_ended(check)}."
    return f"{told}\n\n{block(check.tail)}" if check.tail else told


def how_it_ended(check: CheckResult) -> str:
    """In words: `exited with 1`, `was ended by the timeout limit`, `was ended by signal 9`."""
    if check.limit:
        return f"was ended by the {check.limit} limit after {check.duration_s:.1f} s"
    if check.signal:
        return f"was ended by signal {check.signal}"
    return f"exited with {check.exit_code}"
