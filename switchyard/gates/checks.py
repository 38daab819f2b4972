"""Which checks a task must pass, and how a failed one is told to the agent and to a person."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard.packets import CheckResult, PlannedTask


def checks_for(task: PlannedTask, repository: Mapping[str, str]) -> dict[str, str]:
    """The repository's checks and the task's own, by name; a task's check never replaces the repository's."""
    own = {name if name not in repository else f"{task.id}:{name}": command for name, command in task.checks.items()}
    return {**repository, **own}


def describe_failure(check: CheckResult) -> str:
    """A failed check as a passage of Markdown: what ran, how it ended, the end of its output."""
    lines = [f"Check `{check.name}` failed: `{check.command}` {how_it_ended(check)}."]
    if check.tail:
        fence = "`" * max(3, _longest_backticks(check.tail) + 1)
        lines += ["", fence, check.tail, fence]
    return "\n".join(lines)


def how_it_ended(check: CheckResult) -> str:
    """In words: `exited with 1`, `was ended by the timeout limit`, `was ended by signal 9`."""
    if check.limit:
        return f"was ended by the {check.limit} limit after {check.duration_s:.1f} s"
    if check.signal:
        return f"was ended by signal {check.signal}"
    return f"exited with {check.exit_code}"


def _longest_backticks(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
