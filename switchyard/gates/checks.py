"""Which checks a task must pass, and how a failed one is told to the agent and to a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from switchyard.packets import CheckResult, GateFinding, GateResult, TaskId
from switchyard.quoting import block, code

MOST_FINDINGS = 30
"""Of one gate that are told one by one."""


def checks_for(
    task: TaskId, own: Mapping[str, str], repository: Mapping[str, str], taken: Collection[str] = ()
) -> dict[str, str]:
    """The repository's checks and the task's own, by name; a task's check never replaces the repository's.

    Args:
        taken: The names under which the repository's checks run in environments.
    """
    mine = {f"{task}:{name}" if name in repository or name in taken else name: own[name] for name in own}
    return {**repository, **mine, **repository}


def in_environments(checks: Mapping[str, str], environments: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, str]]:
    """The checks that run once more, as `CHECK@ENVIRONMENT`: the name of each with the check's and the environment's.

    Args:
        environments: The names of the checks of each; none stands for all.
    """
    return {
        f"{check}@{name}": (check, name)
        for name, chosen in environments.items()
        for check in checks
        if not chosen or check in chosen
    }


def describe_failure(check: CheckResult) -> str:
    """A failed check as a passage of Markdown: what ran, how it ended, how it went before, the end of its output."""
    told = f"Check {code(check.name)} failed: {code(check.command)} {how_it_ended(check)}."
    told += _BEFORE.get(check.base or "", "")
    return f"{told}\n\n{block(check.tail)}" if check.tail else told


def describe_gate(gate: GateResult, findings: Sequence[GateFinding]) -> str:
    """What a gate said, as a passage of Markdown: its line with the first finding, then all of them."""
    told = f"{gate.gate}: {gate.reason}"
    if len(findings) == 1:
        return f"{told}: {findings[0].described}"
    listed = "\n".join(f"- {finding.described}".replace("\n", "\n  ") for finding in findings[:MOST_FINDINGS])
    more = f"\n- and {len(findings) - MOST_FINDINGS} more" if len(findings) > MOST_FINDINGS else ""
    return f"{told}: {findings[0].title} and {len(findings) - 1} more\n\n{listed}{more}"


_BEFORE = {
    "failed_alike": " It failed the same way on the base, before the change.",
    "failed_otherwise": " On the base, before the change, it failed otherwise.",
}


def how_it_ended(check: CheckResult) -> str:
    """In words: `exited with 1`, `was ended by the timeout limit`, `was ended by signal 9`."""
    if check.limit:
        return f"was ended by the {check.limit} limit after {check.duration_s:.1f} s"
    if check.signal:
        return f"was ended by signal {check.signal}"
    return f"exited with {check.exit_code}"
