"""Tables and texts about where tasks stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from switchyard.workflow.places import Places

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
        pull["base"] if pull else "",
        reason[0] if reason else "",
    )


def describe_task(document: Mapping[str, Any]) -> str:
    """`show TASK` as text."""
    task = document["task"]
    lines = [f"{task['id']}: {task['title']}", f"state     {task['state'].replace('_', ' ')}"]
    lines += [f"{name:<9} {task[name]}" for name in ("run", "branch", "base", "head", "reason") if task[name]]
    if task["pull_request"]:
        pull = task["pull_request"]
        lines.append(
            f"pull request #{pull['number']} {pull['state']}: {pull['head']} onto {pull['base']}, {pull['url']}"
        )
    for attempt in document["attempts"]:
        lines += ["", *_describe_attempt(attempt)]
    if document["escalation"]:
        lines += ["", f"escalation pack: {document['escalation']}"]
    return "\n".join(lines)


def _describe_attempt(attempt: Mapping[str, Any]) -> list[str]:
    ended = f"ended by the {attempt['limit']} limit" if attempt["limit"] else f"exited with {attempt['exit_code']}"
    lines = [
        f"attempt {attempt['attempt']}: agent {ended} after {attempt['duration_s']:.1f} s, commit {attempt['commit']}"
    ]
    lines += [f"  changed  {path}" for path in attempt["changed"]]
    for check in attempt["checks"]:
        word = "passed" if check["passed"] else "FAILED"
        lines.append(f"  check    {check['name']}: {word} ({check['duration_s']:.1f} s), output {check['output']}")
    if attempt["decision"]:
        lines.append(f"  decided  {attempt['decision']['verdict'].replace('_', ' ')}")
        lines += [f"           {line}" for reason in attempt["decision"]["reasons"] for line in reason.splitlines()]
    lines.append(f"  diff     {attempt['diff']}")
    return lines


def last_output(places: Places, document: Mapping[str, Any], name: str) -> str:
    """The bytes behind an artifact of the last attempt, as text.

    Raises:
        UsageError: There was no attempt yet.
    """
    from switchyard.errors import UsageError
    from switchyard.ledger import ArtifactStore

    if not document["attempts"]:
        raise UsageError(f"{document['task']['id']} has had no attempt yet", hint="`switchyard run` makes one")
    content = ArtifactStore(places.artifacts).get(document["attempts"][-1][name])
    return content.decode("utf-8", "replace").rstrip("\n")
