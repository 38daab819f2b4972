"""What a person gets when the factory can't go on alone: the request, every diff, every output, the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switchyard_merge import ForgeRefused, MergeError

from switchyard.gates import describe_failure
from switchyard.gates.advice import advise
from switchyard.gates.reading import place_of
from switchyard.ledger import ArtifactStore, Event, LedgerError
from switchyard.packets import (
    ArtifactRef,
    AttemptResult,
    CheckResult,
    Decision,
    GateFinding,
    GateResult,
    Packet,
    PlannedTask,
    Proof,
    RunPlan,
)
from switchyard.quoting import code, plain, told
from switchyard.workflow.factory import Factory
from switchyard.workflow.timeline import timeline

DIFF_CAP_CHARS = 60_000
OUTPUT_CAP_CHARS = 8_000
"""The end of each output that stands in the pack itself."""
COMMENT_CAP_CHARS = 60_000
"""GitHub takes 65,536."""


@dataclass(frozen=True)
class Trial:
    """One attempt with what speaks for and against it, and what was decided."""

    attempt: AttemptResult
    proof: Proof
    decision: Decision


class Pack(Packet):
    """A written escalation pack."""

    reference: ArtifactRef


class Commented(Packet):
    """What became of the comment on a pull request."""

    number: int | None = None
    """None: the task has no open pull request to comment on."""
    fault: str = ""
    """What kept the comment from being written; the task waits for a person all the same."""


def write_escalation(
    artifacts: ArtifactStore,
    plan: RunPlan,
    task: PlannedTask,
    trials: Sequence[Trial],
    reason: str,
    rows: Sequence[Event] = (),
) -> ArtifactRef:
    """The escalation pack as one Markdown artifact.

    Args:
        rows: What the ledger says of the task, for the timeline.
    """
    lines = [
        *_head(plan, task, trials, reason),
        "",
        "## The request",
        "",
        task.body,
        "",
        *[f"- {line}" for line in task.acceptance],
    ]
    for row in rows:
        lines += _describe_refusal(artifacts, row) if row.event_type == "packet_refused" else []
    for trial in trials:
        lines += _describe_trial(artifacts, trial)
    lines += ["", "## Timeline", "", *timeline(rows)]
    return artifacts.put("\n".join(lines).encode("utf-8", "backslashreplace"))


def comment_on(
    factory: Factory,
    plan: RunPlan,
    task: PlannedTask,
    trials: Sequence[Trial],
    reason: str,
    pack: ArtifactRef,
    row: int,
) -> Commented:
    """Tell the reviewers of a task that was published before that it waits for a person; once for each escalation.

    Args:
        pack: The whole, of which the comment is the beginning.
        row: The sequence of the ledger's row that said so; with it the comment is found again.
    """
    lines = [*_head(plan, task, trials, reason), "", *_judged(trials), f"The whole, with every diff: {code(pack)}."]
    text = "\n".join(lines)
    if len(text) > COMMENT_CAP_CHARS:
        lines = [*_head(plan, task, trials, plain(reason, most=2_000)), "", f"(cut; the whole is {code(pack)})"]
        text = "\n".join(lines)
    try:
        pull = factory.forge.find(task.branch)
        if pull is None or pull.state != "open":
            return Commented()
        factory.forge.comment(pull.number, f"escalation {row}", text)
    except ForgeRefused as err:
        return Commented(fault=str(err))
    except MergeError as err:
        return Commented(fault=f"{err} ({err.hint})" if err.hint else str(err))
    return Commented(number=pull.number)


def _head(plan: RunPlan, task: PlannedTask, trials: Sequence[Trial], reason: str) -> list[str]:
    is_built = bool(trials or task.pushed or task.accepted or task.proven)
    advice = advise(task, reason, trials[-1].proof if trials else None, is_built=is_built)
    return [
        f"# {plain(task.title)}",
        "",
        f"Task `{task.id}` of run `{plan.run_id}`, branch `{task.branch}`, needs a person:",
        "",
        reason,
        "",
        "## What to do",
        "",
        *[f"- {line}" for line in advice],
        "",
        *([f"- publish the last attempt as it is: `switchyard escalation accept {task.id}`"] if is_built else []),
        f"- try again, with a word to the agent: `switchyard escalation retry {task.id} --note '…'`",
        f"- give it up: `switchyard escalation reject {task.id}`",
    ]


def _describe_refusal(artifacts: ArtifactStore, row: Event) -> list[str]:
    """An answer of an agent before the builder that could not be taken."""
    lines = ["", f"## Refused: what the {plain(str(row.data.get('role', '')))} agent answered", ""]
    lines += _indented(str(row.data.get("fault", "")))
    if row.artifact_reference:
        lines += _end_of(artifacts, "Its answer", ArtifactRef(row.artifact_reference), "")
    if row.data.get("output"):
        lines += _end_of(artifacts, "Its output", ArtifactRef(row.data["output"]), "")
    return lines


def _describe_trial(artifacts: ArtifactStore, trial: Trial) -> list[str]:
    attempt = trial.attempt
    lines = ["", f"## Attempt {attempt.attempt}: {trial.decision.verdict}", ""]
    lines += [f"- commit `{attempt.commit}`, {len(attempt.changed)} paths changed, agent {_how(attempt)}"]
    lines += [f"- output: `{attempt.stdout}`, errors: `{attempt.stderr}`, diff: `{attempt.diff}`"]
    lines += [f"- agent's own account, no proof: {plain(attempt.result.summary)}"] if attempt.result else []
    for check in trial.proof.checks:
        lines.append(f"- check {code(check.name)}: {'passed' if check.passed else 'FAILED'}, output `{check.output}`")
    lines += _gate_lines(trial.proof.gates)
    for check in trial.proof.checks:
        lines += _describe_check(artifacts, check)
    lines += _end_of(artifacts, "The agent's output", attempt.stdout, attempt.said)
    lines += _end_of(artifacts, "The agent's errors", attempt.stderr, "")
    diff = _read(artifacts, attempt.diff)
    lines += ["", "The diff against the task's base:", "", *_indented(diff[:DIFF_CAP_CHARS])]
    if len(diff) > DIFF_CAP_CHARS:
        lines += ["", f"(cut; the whole is `{attempt.diff}`)"]
    return lines


def _describe_check(artifacts: ArtifactStore, check: CheckResult) -> list[str]:
    title = f"The output of check {code(check.name)}"
    if check.passed:
        return _end_of(artifacts, title, check.output, "")
    return ["", describe_failure(check), *_end_of(artifacts, title, check.output, "")]


def _judged(trials: Sequence[Trial]) -> list[str]:
    """What each attempt came to, without outputs and diffs."""
    lines: list[str] = []
    for trial in trials:
        lines += [f"## Attempt {trial.attempt.attempt}: {trial.decision.verdict}", ""]
        lines += [f"- check {code(one.name)}: {'passed' if one.passed else 'FAILED'}" for one in trial.proof.checks]
        lines += [*_gate_lines(trial.proof.gates), ""]
    return lines


def _gate_lines(gates: Sequence[GateResult]) -> list[str]:
    words = {"passed": "passed", "failed": "FAILED", "not_applicable": "does not apply"}
    lines: list[str] = []
    for gate in gates:
        reason = f" ({told(gate.reason)})" if gate.reason else ""
        lines.append(f"- gate {code(gate.gate)}: {words[gate.outcome]}{reason}")
        for finding in gate.findings[:50]:
            lines += _finding_lines(finding)
    return lines


def _finding_lines(finding: GateFinding) -> list[str]:
    place = place_of(finding)
    line = f"  - {finding.asks}: {told(finding.title)}{f' ({place})' if place else ''}"
    if not finding.detail:
        return [line]
    # Below an item within an item, that deep is a block of code, and it has no fence that could be closed.
    return [line, "", *[f"          {one}" for one in finding.detail.splitlines()[:40]], ""]


def _end_of(artifacts: ArtifactStore, title: str, reference: ArtifactRef, fallback: str) -> list[str]:
    """The end of an output, if there is any."""
    text = _read(artifacts, reference)
    if fallback and fallback not in text:
        text = f"{text}\n{fallback}"
    if not text.strip():
        return []
    cut = f"; cut, the whole is `{reference}`" if len(text) > OUTPUT_CAP_CHARS else ""
    return ["", f"{title}{cut}:", "", *_indented(text[-OUTPUT_CAP_CHARS:])]


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
