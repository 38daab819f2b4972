"""Tables and texts about where tasks stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from switchyard.cli.narration import how_it_ended

if TYPE_CHECKING:
    from switchyard.workflow.places import Places

_FACTORY = re.compile("^factory/[^/]+/")

COLUMNS = ("task", "state", "attempts", "pull request", "base", "note")


def rows_of(tasks: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A table row for each task of a status document."""
    return [_row(task) for task in tasks]


def _row(task: Mapping[str, Any]) -> tuple[str, ...]:
    pull = task["pull_request"]
    reason = (task["reason"] or "").splitlines()
    return (
        task["id"],
        task["state"].replace("_", " "),
        str(task["attempts"] or ""),
        f"#{pull['number']}" if pull else "",
        _FACTORY.sub("…/", pull["base"]) if pull else "",
        reason[0] if reason else "",
    )


def describe_task(document: Mapping[str, Any]) -> str:
    """`show TASK` as text."""
    task = document["task"]
    lines = [f"{task['id']}: {task['title']}", f"state     {task['state'].replace('_', ' ')}"]
    lines += [f"{name:<9} {task[name]}" for name in ("run", "branch", "base", "head") if task[name]]
    if task["reason"]:
        told = task["reason"] in [_reasons(attempt) for attempt in document["attempts"]]
        lines.append(f"reason    {task['reason'].splitlines()[0] if told else task['reason']}")
    if task["pull_request"]:
        pull = task["pull_request"]
        lines.append(
            f"pull request #{pull['number']} {pull['state']}: {pull['head']} onto {pull['base']}, {pull['url']}"
        )
    for answer in document["preparation"]:
        lines += ["", *_describe_answer(answer)]
    for attempt in document["attempts"]:
        lines += ["", *_describe_attempt(attempt)]
    if document["findings"]:
        lines += ["", "found besides:", *[f"  {_describe_finding(finding)}" for finding in document["findings"]]]
    if document["escalation"]:
        lines += ["", f"escalation pack: {document['escalation']}"]
    return "\n".join(lines)


def attempt_diff(places: Places, document: Mapping[str, Any], number: int | None) -> str:
    """What an attempt changed against its task's base; the last attempt where no number is given.

    Raises:
        UsageError: There was no such attempt.
    """
    return _read(places, _attempt(document, number)["diff"])


def attempt_logs(places: Places, document: Mapping[str, Any], number: int | None) -> str:
    """All that an attempt's agent and checks printed, a heading over each part that is not empty.

    Raises:
        UsageError: There was no such attempt.
    """
    attempt = _attempt(document, number)
    parts = [("agent", attempt["stdout"]), ("agent, errors", attempt["stderr"])]
    parts += [(f"check {check['name']}, {_word(check)}", check["output"]) for check in attempt["checks"]]
    texts = [(heading, _read(places, reference)) for heading, reference in parts]
    return "\n\n".join(f"== {heading} ==\n{text}" for heading, text in texts if text)


def _describe_answer(answer: Mapping[str, Any]) -> list[str]:
    if answer["kind"] == "refused":
        return [f"{answer['role']}: an answer was refused", *[f"  {line}" for line in answer["fault"].splitlines()]]
    return [f"{answer['role']}: agent {answer['agent'] or 'default'}, answer {answer['packet']}"]


def _describe_finding(finding: Mapping[str, Any]) -> str:
    told = {"filed": "filed as", "merged": "the same as", "kept": "not filed:"}[finding["outcome"]]
    return f"{finding['title']} ({told} {finding['task'] or finding['reason']})"


def _describe_account(result: Mapping[str, Any] | None) -> list[str]:
    """What the agent says of its own work, which proves nothing."""
    if result is None:
        return []
    if result["fault"]:
        return [f"  result   not as its schema asks, {result['artifact']}"]
    sure = f" (confidence {result['confidence']:g})" if result["confidence"] is not None else ""
    told = [("summary", f"{result['summary']}{sure}"), ("because", result.get("rationale", ""))]
    lines = [f"  {head:<8} {line}".rstrip() for name, text in told for head, line in _headed(name, text)]
    return [*lines, f"  result   {result['artifact']}"]


def _headed(name: str, text: str) -> list[tuple[str, str]]:
    return [(name if number == 0 else "", line) for number, line in enumerate(text.splitlines())]


def _describe_attempt(attempt: Mapping[str, Any]) -> list[str]:
    took = f"{attempt['duration_s']:.1f} s"
    lines = [f"attempt {attempt['attempt']}: agent {how_it_ended(attempt)} after {took}, commit {attempt['commit']}"]
    lines += [f"  changed  {path}" for path in attempt["changed"]]
    lines += _describe_account(attempt.get("result"))
    for check in attempt["checks"]:
        lines.append(
            f"  check    {check['name']}: {_word(check)} ({check['duration_s']:.1f} s), output {check['output']}"
        )
    lines += [f"  gate     {_gate(gate)}" for gate in attempt.get("gates", ())]
    lines += [f"  verdict  {_verdict(verdict)}" for verdict in attempt.get("verdicts", ())]
    if attempt["decision"]:
        lines.append(f"  decided  {attempt['decision']['verdict'].replace('_', ' ')}")
        lines += [f"           {line}".rstrip() for line in _reasons(attempt).splitlines()]
    lines.append(f"  diff     {attempt['diff']}")
    return lines


def _gate(gate: Mapping[str, Any]) -> str:
    words = {"passed": "passed", "failed": "FAILED", "not_applicable": "does not apply"}
    reason = f" ({gate['reason']})" if gate.get("reason") else ""
    return f"{gate['gate']}: {words.get(gate['outcome'], gate['outcome'])}{reason}"


def _verdict(verdict: Mapping[str, Any]) -> str:
    judge = " ".join(str(verdict[key]) for key in ("agent", "kind", "model") if verdict.get(key))
    reason = f": {verdict['reason']}" if verdict.get("reason") else ""
    return f"{verdict['reviewer']}: {verdict['verdict']}, by {judge or 'default'}{reason}, {verdict['document']}"


def _reasons(attempt: Mapping[str, Any]) -> str:
    return "\n\n".join(attempt["decision"]["reasons"]) if attempt["decision"] else ""


def _attempt(document: Mapping[str, Any], number: int | None) -> Mapping[str, Any]:
    from switchyard.errors import UsageError

    name, attempts = document["task"]["id"], document["attempts"]
    if not attempts:
        raise UsageError(f"{name} has had no attempt yet", hint="`switchyard run` makes one")
    if number is None:
        found: Mapping[str, Any] = attempts[-1]
        return found
    for attempt in attempts:
        if attempt["attempt"] == number:
            return dict(attempt)
    raise UsageError(f"{name} has no attempt {number}", hint=f"its last is attempt {attempts[-1]['attempt']}")


def _read(places: Places, reference: str) -> str:
    from switchyard.ledger import ArtifactStore
    from switchyard.packets import ArtifactRef

    return ArtifactStore(places.artifacts).get(ArtifactRef(reference)).decode("utf-8", "replace").rstrip("\n")


def _word(check: Mapping[str, Any]) -> str:
    again = ", run again" if check.get("again") else ""
    return f"{'passed' if check['passed'] else 'FAILED'}{again}"
