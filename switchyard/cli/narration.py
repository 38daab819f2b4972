"""What the ledger's rows say, in words for people who watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from switchyard.ledger import Event

Data = Mapping[str, Any]


def narrate(event: Event) -> str:
    """One line for a row; empty for rows that only machines need."""
    told = _WORDS.get(event.event_type)
    return told(event.data) if told else ""


def describe_doing(event_type: str, data: Data) -> str:
    """What a task is busy with once this row is written."""
    doing = _DOING.get(event_type)
    return doing(data) if doing else event_type.replace("_", " ")


def how_it_ended(data: Data) -> str:
    """What ended a command: a limit, a signal, or itself with a code."""
    if data["limit"]:
        return f"ended by the {data['limit']} limit"
    return f"ended by signal {data['signal']}" if data["signal"] else f"exited with {data['exit_code']}"


def describe_wait(reason: str, seconds: float) -> str:
    """Why nothing happens for a while, as the forge wants it."""
    return f"waiting for GitHub: {seconds:.0f} s ({reason})"


def _run_started(data: Data) -> str:
    count = _counted(len(data["tasks"]), "task")
    return f"run started: {count} on {data['base_branch']} ({data['base_commit'][:10]})"


def _claimed(data: Data) -> str:
    return f"claimed: branch {data['branch']} on {data['base_branch'] or 'no base'}"


def _dispatched(data: Data) -> str:
    if data["attempt"] > 1 or not data.get("setup"):
        return ""
    return f"{_stage(data)}: making a sandbox; the set-up runs first where the base is new, and can take a while"


def _stage(data: Data) -> str:
    """`attempt 2`, or the role of an agent that works before the first."""
    role = str(data.get("role", ""))
    return role if role in ("clarify", "plan") else f"attempt {data['attempt']}"


def _planned(data: Data) -> str:
    return f"{_stage(data)}: done after {data['duration_s']:.1f} s"


def _refused(data: Data) -> str:
    return f"{_stage(data)}: its answer was refused: {_first_line(data['fault'])}"


def _found(data: Data) -> str:
    return f"found besides, and filed as draft {data['task']}: {data['title']}"


def _extracted(data: Data) -> str:
    paths = f"{_counted(data['changed_count'], 'path')} changed"
    return f"attempt {data['attempt']}: agent {how_it_ended(data)} after {data['duration_s']:.1f} s, {paths}"


def _check(word: str) -> Callable[[Data], str]:
    return lambda data: f"check {_run_of(data)} {word} ({data['duration_s']:.1f} s)"


def _run_of(data: Data) -> str:
    """Which run of which check it was."""
    return f"{data['name']}{_PLACES[data.get('on', 'change')]}{' again' if data.get('again') else ''}"


def _for_review(data: Data) -> str:
    """` for the quality review`; empty for the agent that builds."""
    kind, _, reviewer = str(data.get("role", "")).partition(":")
    return f" for the {reviewer} review" if kind == "review" else ""


def _verdict(data: Data) -> str:
    return f"none ({data['reason']})" if data["verdict"] == "none" else str(data["verdict"])


def _decided(data: Data) -> str:
    first = _first_line(data["reasons"][0]) if data["reasons"] else ""
    return f"attempt {data['attempt']}: {data['verdict'].replace('_', ' ')}{f' ({first})' if first else ''}"


def _finished(data: Data) -> str:
    reason = _first_line(data["reason"])
    return f"{data['state']}".replace("_", " ") + (f": {reason}" if reason else "")


def _restacked(data: Data) -> str:
    # A row of the whole stack ends the act; those of its tasks tell what came of it.
    return f"restacked onto {data['base_branch']} ({data['head'][:10]})" if "head" in data else ""


def _notified(data: Data) -> str:
    return "" if data["ok"] else f"warning: nobody was told by {data['channel']}: {data['fault']}"


def _commented(data: Data) -> str:
    if data["fault"]:
        return f"warning: no comment on the pull request: {_first_line(data['fault'])}"
    return f"commented on pull request #{data['number']}" if data["number"] else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")


def _signed(data: Data) -> str:
    told = {"holds": "statement signed", "fails": f"statement NOT signed: {_first_line(data['reason'])}"}
    return told.get(data["outcome"], "")


_PLACES = {"change": "", "base": " on the base", "base tests": " with the base's own tests"}
_WORDS: Mapping[str, Callable[[Data], str]] = {
    "run_started": _run_started,
    "task_claimed": _claimed,
    "context_selected": lambda data: f"context: {_counted(data['files'], 'file')}, {data['tokens']} tokens",
    "assignment_dispatched": _dispatched,
    "sandbox_created": lambda data: f"{_stage(data)}: sandbox {data['box']}{_for_review(data)}",
    "attempt_extracted": _extracted,
    "check_passed": _check("passed"),
    "check_failed": _check("FAILED"),
    "canary_passed": lambda data: f"canary {data['canary']}: the {data['reviewer']} reviewer got it right",
    "canary_failed": lambda data: (
        f"canary {data['canary']}: the {data['reviewer']} reviewer does not count: {data['told']}"
    ),
    "verdict_sealed": lambda data: f"attempt {data['attempt']}: the {data['reviewer']} verdict is sealed",
    "verdict_revealed": lambda data: f"attempt {data['attempt']}: {data['reviewer']} verdict: {_verdict(data)}",
    "policy_decided": _decided,
    "branch_published": lambda data: f"pushed {data['branch']} ({data['head'][:10]})",
    "pull_request_opened": lambda data: f"pull request #{data['number']} onto {data['base']}: {data['url']}",
    "statement_signed": _signed,
    "forge_waiting": lambda data: describe_wait(data["reason"], data["seconds"]),
    "pull_request_changed": _finished,
    "restacked": _restacked,
    "landed": lambda data: f"landed as {data['commit'][:10]}" if data["commit"] else "landed",
    "task_clarified": _planned,
    "plan_generated": _planned,
    "packet_refused": _refused,
    "finding_filed": _found,
    "task_finished": _finished,
    "run_finished": lambda data: "run finished",
    "commented": _commented,
    "notified": _notified,
    "operator_action": lambda data: f"a person said: {data['action']}",
}
_DOING: Mapping[str, Callable[[Data], str]] = {
    "run_started": lambda data: "waiting",
    "task_claimed": lambda data: "selecting context",
    "context_selected": lambda data: "making a sandbox",
    "assignment_dispatched": lambda data: f"{_stage(data)}: making a sandbox",
    "sandbox_created": lambda data: f"{_stage(data)}: {'reviewer' if _for_review(data) else 'agent'} at work",
    "task_clarified": lambda data: "waiting for its turn",
    "plan_generated": lambda data: "waiting for its turn",
    "attempt_extracted": lambda data: f"attempt {data['attempt']}: checks",
    "check_passed": lambda data: f"attempt {data['attempt']}: checks",
    "check_failed": lambda data: f"attempt {data['attempt']}: checks",
    "verdict_sealed": lambda data: f"attempt {data['attempt']}: reviews",
    "verdict_revealed": lambda data: f"attempt {data['attempt']}: reviews",
    "policy_decided": lambda data: "deciding",
    "retry_scheduled": lambda data: f"attempt {data['attempt']}: making a sandbox",
    "branch_published": lambda data: "opening the pull request",
    "pull_request_opened": lambda data: "signing what is claimed of it",
    "pull_request_changed": lambda data: data["state"].replace("_", " "),
    "task_finished": lambda data: data["state"].replace("_", " "),
}
