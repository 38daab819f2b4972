"""What becomes of an attempt: published, sent back once more, or put before a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from switchyard.gates.checks import describe_failure, describe_gate
from switchyard.packets import Asks, AttemptResult, Decision, PlannedTask, Proof
from switchyard.quoting import block, code

OBEYED_PATTERNS = (
    ".gitmodules",
    "**/.gitattributes",
    "**/AGENTS.md",
    "**/AGENTS.override.md",
    "**/CLAUDE.md",
    "**/CLAUDE.local.md",
    "**/GEMINI.md",
    "**/.mcp.json",
    "**/.aider.conf.yml",
    "**/.claude",
    "**/.codex",
    "**/.cursor",
    "**/.gemini",
    "/.devcontainer",
    "/.vscode",
)
"""What git, editors and agents obey where the change is checked out: protected whatever the configuration says."""

LAST_WORDS_CHARS = 160
NOT_STARTED = (126, 127)
"""How a shell, and bubblewrap's caller, say that there is no such command: no repair could mend that."""


@dataclass(frozen=True)
class Policy:
    """The repository's rules."""

    protected: tuple[str, ...] = ()
    """Patterns, as in .gitignore, that no task touches unless it says `allow: [protected]`."""


def decide(
    task: PlannedTask,
    attempt: AttemptResult,
    proof: Proof,
    policy: Policy,
) -> Decision:
    """Judge one attempt.

    Args:
        task: Says what it may touch and how many repairs it has.
        attempt: The diff, the findings and how the agent ended.
        proof: What the checks and the gates said of the attempt's commit.
        policy: The repository's rules.
    """
    grave = [*_for_a_person(task, attempt, policy), *_asked(proof, "person")]
    wrong = _for_the_agent(attempt, proof)
    if grave:
        # Whoever decides wants to know what else there is.
        return Decision(verdict="needs_person", reasons=(*grave, *wrong))
    if not wrong:
        return Decision(verdict="publish")
    if attempt.attempt <= task.repairs:
        return Decision(verdict="repair", reasons=(*wrong, *_asked(proof, "note", of="convergence")))
    tries = f"{attempt.attempt} attempt{'s' if attempt.attempt > 1 else ''} failed"
    return Decision(verdict="needs_person", reasons=(f"{tries}; the last one: {wrong[0]}", *wrong[1:]))


def touches_protected(paths: Collection[str], patterns: Sequence[str]) -> list[str]:
    """The paths that match a protected pattern, sorted."""
    return sorted(GitIgnoreSpec.from_lines(patterns).match_files(paths))


def _for_a_person(task: PlannedTask, attempt: AttemptResult, policy: Policy) -> list[str]:
    reasons = []
    protected = (*policy.protected, *OBEYED_PATTERNS)
    if "protected" not in task.allow and (paths := touches_protected(attempt.changed, protected)):
        reasons.append(f"protected paths were touched: {_listed(paths)}")
    if attempt.exit_code in NOT_STARTED and not attempt.changed:
        said = f"\n\n{block(attempt.said)}" if attempt.said else ""
        reasons.append(f"the agent's command could not be started in the sandbox (exit {attempt.exit_code}){said}")
    if attempt.told and not attempt.told.ok and _no_model_answered(attempt):
        reasons.append(f"no model answered the agent: {code(attempt.told.reason)}")
    return reasons


def _no_model_answered(attempt: AttemptResult) -> bool:
    """Whether it asked, and got nothing but errors: a key that is not accepted, say. No repair could mend that."""
    asked = sum(use.requests for use in attempt.models)
    return asked > 0 and asked == sum(use.failed for use in attempt.models) and not attempt.changed


def _for_the_agent(attempt: AttemptResult, proof: Proof) -> list[str]:
    wrong = [f"{code(note.path)} was refused ({note.kind}): {note.detail}" for note in attempt.findings if note.refused]
    if attempt.limit:
        wrong.append(f"The agent was ended by the {attempt.limit} limit after {attempt.duration_s:.0f} s.")
    elif attempt.signal:
        wrong.append(f"The agent was ended by signal {attempt.signal}.")
    elif attempt.told and not attempt.told.ok:
        wrong.append(f"The agent failed: {code(attempt.told.reason)}")
    elif attempt.exit_code:
        wrong.append(_describe_exit(attempt))
    if not attempt.changed:
        wrong.append("Nothing was changed.")
    wrong += [describe_failure(check) for check in proof.checks if not check.passed]
    return wrong + _asked(proof, "repair")


def _asked(proof: Proof, asks: Asks, *, of: str = "") -> list[str]:
    """What gates, or one of them, ask for, a passage each."""
    found = [(gate, findings) for gate, findings in proof.asking(asks) if of in ("", gate.gate)]
    return [describe_gate(gate, findings) for gate, findings in found]


def _describe_exit(attempt: AttemptResult) -> str:
    """How a failed agent ended; its last line stands in the first, which is all that a table shows."""
    said = [line.strip() for line in attempt.said.splitlines() if line.strip()]
    if not said:
        return f"The agent exited with {attempt.exit_code}."
    last = said[-1] if len(said[-1]) <= LAST_WORDS_CHARS else f"…{said[-1][-LAST_WORDS_CHARS:]}"
    more = "" if said == [last] else f"\n\n{block(attempt.said)}"
    return f"The agent exited with {attempt.exit_code}; its last words: {code(last)}{more}"


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(code(path) for path in paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"
