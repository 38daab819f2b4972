"""What a person gets when the factory can't go on alone: the request, every diff, every output, the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switchyard.gates import describe_failure
from switchyard.ledger import ArtifactStore, LedgerError
from switchyard.packets import ArtifactRef, AttemptResult, Decision, PlannedTask, Proof, RunPlan

DIFF_CAP_CHARS = 60_000


@dataclass(frozen=True)
class Trial:
    """One attempt with what speaks for and against it, and what was decided."""

    attempt: AttemptResult
    proof: Proof
    decision: Decision


def write_escalation(
    artifacts: ArtifactStore, plan: RunPlan, task: PlannedTask, trials: Sequence[Trial], reason: str
) -> ArtifactRef:
    """The escalation pack as one Markdown artifact."""
    lines = [
        f"# {task.title}",
        "",
        f"Task `{task.id}` of run `{plan.run_id}`, branch `{task.branch}`, needs a person:",
        "",
        reason,
        "",
        "## What to do",
        "",
        f"- publish the last attempt as it is: `switchyard escalation accept {task.id}`",
        f"- try again, with a word to the agent: `switchyard escalation retry {task.id} --note '…'`",
        f"- give it up: `switchyard escalation reject {task.id}`",
        "",
        "## The request",
        "",
        task.body,
        "",
        *[f"- {line}" for line in task.acceptance],
    ]
    for trial in trials:
        lines += _describe_trial(artifacts, trial)
    return artifacts.put("\n".join(lines).encode("utf-8", "backslashreplace"))


def _describe_trial(artifacts: ArtifactStore, trial: Trial) -> list[str]:
    attempt = trial.attempt
    lines = ["", f"## Attempt {attempt.attempt}: {trial.decision.verdict}", ""]
    lines += [f"- commit `{attempt.commit}`, {len(attempt.changed)} paths changed, agent {_how(attempt)}"]
    lines += [f"- output: `{attempt.stdout}`, errors: `{attempt.stderr}`, diff: `{attempt.diff}`"]
    for check in trial.proof.checks:
        lines.append(f"- check `{check.name}`: {'passed' if check.passed else 'FAILED'}, output `{check.output}`")
    for check in trial.proof.checks:
        if not check.passed:
            lines += ["", describe_failure(check)]
    if attempt.said:
        lines += ["", "The agent's last words:", "", *_indented(attempt.said)]
    diff = _read(artifacts, attempt.diff)
    lines += ["", "The diff against the task's base:", "", *_indented(diff[:DIFF_CAP_CHARS])]
    if len(diff) > DIFF_CAP_CHARS:
        lines += ["", f"(cut; the whole is `{attempt.diff}`)"]
    return lines


def _read(artifacts: ArtifactStore, reference: ArtifactRef) -> str:
    """An artifact as text; one that is lost must not keep a person from hearing the rest."""
    try:
        return artifacts.get(reference).decode("utf-8", "replace")
    except LedgerError as err:
        return f"({err})"


def _how(attempt: AttemptResult) -> str:
    if attempt.limit:
        return f"ended by the {attempt.limit} limit"
    return f"ended by signal {attempt.signal}" if attempt.signal else f"exited with {attempt.exit_code}"


def _indented(text: str) -> list[str]:
    # An indented block needs no fence, so nothing in the text can close it.
    return [f"    {line}" for line in text.splitlines()]
