"""What each kind of row claims, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from switchyard.ledger.events import Event
from switchyard.quoting import code

Outcome = Literal["holds", "fails", "not_applicable"]

GATE_CLAIMS: Mapping[str, tuple[str, str]] = {
    "weakening": ("tests-not-weakened", "No existing test demands less than before"),
    "convergence": ("attempts-converge", "The attempts get on, and none takes back another"),
    "protected": ("protected-paths-untouched", "No protected path was touched"),
    "secrets": ("secrets-scanned", "No secret was added"),
    "dependencies": ("dependencies-listed", "Every change of a dependency is listed, and none needs a person"),
    "licences": ("licences-kept", "No licence was changed or brought in"),
    "content": ("no-risky-content", "Nothing was added, and no path touched, that a person must see"),
    "workflows": ("workflows-untouched", "Nothing that machines or agents obey was changed"),
    "files": ("files-plain", "No file is binary, huge or disguised"),
    "surface": ("surface-attested", "What the change newly reaches is listed"),
    "coverage": ("changed-lines-covered", "The tests run the changed lines"),
    "mutation": ("mutants-killed", "The tests notice when a changed line is broken"),
    "baseline": ("regression-baseline-confirmed", "The base's own tests pass on the change"),
    "verifiers": ("verifiers-agree", "The blind reviewers agree that nothing speaks against it"),
}
"""Gate → its claim's name, and the claim."""

NEEDED_GATES = ("weakening", "convergence")
"""The gates that say something of every commit before it is published, were it why they do not apply."""


@dataclass(frozen=True)
class Said:
    """A claim before it is tied to its row."""

    claim: str
    statement: str
    outcome: Outcome = "holds"
    reason: str = ""
    about: str = ""
    commit: str = ""


@dataclass
class Memory:
    """What earlier rows of a task's execution tell about a later one."""

    commits: dict[int, str] = field(default_factory=dict)
    """Attempt → the commit that it made."""
    published: str = ""
    seals: dict[tuple[int, str], str] = field(default_factory=dict)
    """Attempt and reviewer → the seal of the verdict."""
    revealed: set[int] = field(default_factory=set)
    """Attempts of which a verdict was revealed."""


def _context(event: Event, memory: Memory) -> Said:
    data = event.data
    told = f"{data.get('files', 0)} files, {data.get('tokens', 0)} tokens"
    return Said("context-selected", "The agent's context was selected from the import graph", reason=told)


def _extracted(event: Event, memory: Memory) -> Said:
    data = event.data
    memory.commits[_attempt(data)] = _text(data, "commit")
    refused = sum(bool(finding.get("refused")) for finding in data.get("findings", ()))
    told = f"{data.get('changed_count', 0)} paths changed, {refused} refused"
    return Said("result-extracted", "What the agent left came out of its sandbox through the quarantine", reason=told)


def _checked(event: Event, memory: Memory) -> Said:
    data = event.data
    name, passed = _text(data, "name"), event.event_type == "check_passed"
    outcome: Outcome = "holds" if passed else "fails"
    told = f"{_ending(data)} after {data.get('duration_s', 0):.1f} s: {code(_text(data, 'command'))}"
    if data.get("on") == "base":
        words = f"Check {code(name)} passes on the base, so what fails is the change's own"
        return Said("regression-baseline-confirmed", words, outcome, told, about=_where(data))
    words = f"Check {code(name)} was run where the agent could not reach it, and passed"
    return Said("tests-executed", words, outcome, told, about=_where(data), commit=_text(data, "commit"))


def _gate(event: Event, memory: Memory) -> Said:
    data = event.data
    name = _text(data, "gate")
    claim, words = GATE_CLAIMS.get(name, (f"gate-{name}", f"Gate {code(name)} finds nothing that asks for an act"))
    outcomes: Mapping[Any, Outcome] = {"passed": "holds", "not_applicable": "not_applicable"}
    titles = [_text(finding, "title") for finding in data.get("findings", ()) if finding.get("asks") != "note"]
    reason = "; ".join([_text(data, "reason"), *titles[:3]]).strip("; ")
    return Said(claim, words, outcomes.get(data.get("outcome"), "fails"), reason, commit=_text(data, "commit"))


def _sealed(event: Event, memory: Memory) -> Said:
    data = event.data
    name, number = _text(data, "reviewer"), _attempt(data)
    early = number in memory.revealed
    memory.seals[number, name] = _text(data, "seal")
    words = f"The verdict of the {name} reviewer was sealed before any was revealed"
    told = "another had been revealed" if early else f"seal {_text(data, 'seal')[:16]}"
    outcome: Outcome = "fails" if early else "holds"
    return Said("verdicts-sealed", words, outcome, told, about=name, commit=_text(data, "commit"))


def _revealed(event: Event, memory: Memory) -> Said:
    data = event.data
    name, number, verdict = _text(data, "reviewer"), _attempt(data), _text(data, "verdict")
    memory.revealed.add(number)
    is_sealed = memory.seals.get((number, name)) == _text(data, "seal")
    words = f"The {name} reviewer, who is not the author, finds nothing against it"
    judge = " ".join(filter(None, (_text(data, "agent") or "default", _text(data, "kind"), _text(data, "model"))))
    told = f"{verdict}, judged by {judge}" if is_sealed else "it is not the verdict that was sealed"
    outcome: Outcome = "holds" if is_sealed and verdict == "pass" else "fails"
    return Said("verdicts-revealed", words, outcome, told, about=name, commit=_text(data, "commit"))


def _decided(event: Event, memory: Memory) -> Said:
    data = event.data
    verdict = _text(data, "verdict")
    outcome: Outcome = "fails" if verdict in ("repair", "needs_person") else "holds"
    reasons = [_first_line(str(reason)) for reason in data.get("reasons", ())]
    reason = "; ".join([verdict.replace("_", " "), *reasons[:3]])
    return Said("policy-decided", "The policy lets the attempt be published", outcome, reason)


def _escalated(event: Event, memory: Memory) -> Said:
    reason = _first_line(_text(event.data, "reason"))
    return Said("person-asked", "A person was asked, with all that is known", reason=reason)


def _published(event: Event, memory: Memory) -> Said:
    data = event.data
    memory.published = _text(data, "head")
    return Said(
        "branch-published", f"Branch {code(_text(data, 'branch'))} was pushed at this commit", commit=memory.published
    )


def _opened(event: Event, memory: Memory) -> Said:
    data = event.data
    words = f"Pull request #{data.get('number')} of this commit is open onto {code(_text(data, 'base'))}"
    return Said("pull-request-opened", words, reason=_text(data, "url"), commit=memory.published)


def _signed(event: Event, memory: Memory) -> Said:
    data = event.data
    outcome: Outcome = data.get("outcome", "fails")
    told = _text(data, "reason") or f"key {_text(data, 'key')}"
    words = "A signed statement binds the claims to the commit"
    return Said("statement-signed", words, outcome, told, commit=_text(data, "commit"))


def _restacked(event: Event, memory: Memory) -> Said | None:
    data = event.data
    if "head" not in data:
        return None
    words = f"The branch was replayed onto {code(_text(data, 'base_branch'))}"
    return Said("branch-restacked", words, commit=_text(data, "head"))


def _landed(event: Event, memory: Memory) -> Said:
    return Said("landed", "The base holds the work", commit=_text(event.data, "commit"))


CLAIMS = (
    "accepted-by-person",
    "branch-published",
    "branch-restacked",
    "context-selected",
    "landed",
    "person-asked",
    "policy-decided",
    "pull-request-opened",
    "result-extracted",
    "statement-signed",
    "tests-executed",
    "verdicts-revealed",
    "verdicts-sealed",
    *(claim for claim, _ in GATE_CLAIMS.values()),
)
"""The names of all claims, but for gates that have none of their own: `gate-<name>`."""

READINGS: Mapping[str, Callable[[Event, Memory], Said | None]] = {
    "context_selected": _context,
    "attempt_extracted": _extracted,
    "check_passed": _checked,
    "check_failed": _checked,
    "gate_decided": _gate,
    "verdict_sealed": _sealed,
    "verdict_revealed": _revealed,
    "policy_decided": _decided,
    "escalated": _escalated,
    "branch_published": _published,
    "pull_request_opened": _opened,
    "statement_signed": _signed,
    "restacked": _restacked,
    "landed": _landed,
}
"""Event type → what a row of it claims; None: nothing."""


def accepted_in(event: Event) -> list[tuple[str, Said]]:
    """The tasks of a starting run whose commit a person took as it is, each with the claim of that."""
    words = "A person took the commit as it is"
    return [
        (task["id"], Said("accepted-by-person", words, commit=task["accepted"]))
        for task in event.data.get("tasks", ())
        if task.get("accepted")
    ]


def _attempt(data: Mapping[str, Any]) -> int:
    number = data.get("attempt", 0)
    return number if isinstance(number, int) else 0


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)


def _where(data: Mapping[str, Any]) -> str:
    """A check's name, with the environment that it ran in where there are several."""
    return " in ".join(filter(None, (_text(data, "name"), _text(data, "environment"))))


def _ending(data: Mapping[str, Any]) -> str:
    if data.get("limit"):
        return f"ended by the {data['limit']} limit"
    return f"ended by signal {data['signal']}" if data.get("signal") else f"exited with {data.get('exit_code')}"


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")
