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
    "secrets": ("secrets-scanned", "No secret was added"),
    "dependencies": ("dependencies-listed", "Every change of a dependency is listed, and none needs a person"),
    "licences": ("licences-kept", "No licence was changed or brought in"),
    "content": ("no-risky-content", "Nothing was added, and no path touched, that a person must see"),
    "workflows": ("workflows-untouched", "Nothing that machines, agents or editors obey was changed"),
    "files": ("files-plain", "No file is binary, huge or disguised"),
    "surface": ("surface-attested", "What the change newly reaches for is listed"),
    "covering-tests": ("covering-tests-found", "It is known which changed sources tests reach through imports"),
    "baseline": ("regression-baseline-confirmed", "What passed on the base passes on the change"),
    "flakiness": ("checks-steady", "No check passes or fails by chance"),
    "base-tests": ("base-tests-pass", "The change passes the tests that the base has"),
    "coverage": ("changed-lines-covered", "The tests run the changed lines"),
    "mutation": ("mutants-killed", "The tests notice when a changed line is broken"),
    "convergence": ("attempts-converge", "The attempts get on, and none takes back another"),
    "verifiers": ("verifiers-agree", "The blind reviewers agree that nothing speaks against it"),
}
"""Gate → its claim's name, and the claim."""

NEEDED_GATES = tuple(GATE_CLAIMS)
"""The gates that say something of every commit before it is published, were it why they do not apply."""

_LEFT_OUT = "check:"
"""A gate of that name tells why a check was not run."""


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
    told = _how_it_went(data)
    if data.get("on") == "base":
        words = f"How check {code(name)} goes on the base is known"
        return Said("baseline-recorded", words, "holds", told, about=name, commit=_text(data, "commit"))
    if data.get("on") == "base tests":
        words = f"Check {code(name)} passes on the change with the base's own tests put back"
        return Said("base-tests-executed", words, outcome, told, about=name)
    words = f"Check {code(name)} was run where the agent could not reach it, and passed"
    return Said("tests-executed", words, outcome, told, about=name, commit=_text(data, "commit"))


def _gate(event: Event, memory: Memory) -> Said:
    data = event.data
    name = _text(data, "gate")
    if name.startswith(_LEFT_OUT):
        about = name.removeprefix(_LEFT_OUT)
        words = f"Check {code(about)} was run where the agent could not reach it, and passed"
        reason = _text(data, "reason")
        return Said("tests-executed", words, "not_applicable", reason, about=about, commit=_text(data, "commit"))
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
    "base-tests-executed",
    "baseline-recorded",
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


def _how_it_went(data: Mapping[str, Any]) -> str:
    """How a check ended, in one line, with what is special about this run of it."""
    if data.get("limit"):
        ended = f"ended by the {data['limit']} limit"
    else:
        ended = f"ended by signal {data['signal']}" if data.get("signal") else f"exited with {data.get('exit_code')}"
    where = f" in {data['environment']}" if data.get("environment") else ""
    again = ", run again" if data.get("again") else ""
    return f"{ended} after {data.get('duration_s', 0):.1f} s{where}{again}: {code(_text(data, 'command'))}"


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")
