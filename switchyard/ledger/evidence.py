"""The evidence store: what the factory claims of tasks and what backs it, folded from the ledger and kept nowhere else.

A claim is the reading of one row. What is learnt later adds a claim and changes none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from switchyard.ledger.events import Event
from switchyard.ledger.readings import GATE_CLAIMS, NEEDED_GATES, READINGS, Memory, Outcome, Said, accepted_in


@dataclass(frozen=True)
class Claim:
    """One thing that is claimed, with the row of the ledger that says so."""

    claim: str
    """Which: a stable name such as `tests-executed`."""
    about: str
    """Of what in particular: a check, a reviewer; "" where there is only one."""
    statement: str
    """The claim in words; `outcome` says whether it is so."""
    outcome: Outcome
    reason: str
    """In one line: what was seen, or why the claim does not apply."""
    run: str
    task: str
    attempt: int | None
    """0: no attempt of this run made the commit; None: the claim is about no attempt."""
    commit: str
    """Its subject; "" where it is about no commit."""
    seq: int
    hash: str
    """Of the row."""
    artifact: str
    """Reference of the whole of what was seen; "" where the row holds it all."""
    timestamp: str

    def as_json(self) -> dict[str, Any]:
        """As `switchyard.evidence/1` and signed statements have it."""
        return {**asdict(self), "commit": self.commit or None, "artifact": self.artifact or None}


@dataclass(frozen=True)
class Missing:
    """A claim that publishing a task takes and that no row backs."""

    task: str
    claim: str
    about: str = ""


def claims_of(events: Iterable[Event]) -> list[Claim]:
    """What rows claim, in their order."""
    memories: dict[tuple[str, str], Memory] = {}
    found: list[Claim] = []
    for event in events:
        if event.event_type == "run_started":
            found += [_claim(event, task, said) for task, said in accepted_in(event)]
        elif event.task_id and event.event_type in READINGS:
            memory = memories.setdefault((event.run_id, event.task_id), Memory())
            said = READINGS[event.event_type](event, memory)
            if said is not None:
                found.append(_claim(event, event.task_id, said, memory))
    return found


def missing_claims(claims: Sequence[Claim], task: str, checks: Collection[str], *, signs: bool = True) -> list[Missing]:
    """What is not there of what a published task must have.

    Args:
        claims: Those of the task's newest run.
        checks: The names of the checks that the run was to execute.
        signs: Whether the statement is to be there already.
    """
    commit = _subject(claims)
    backed = {(one.claim, one.about) for one in claims if one.commit in ("", commit)}
    names = {name for name, _ in backed}
    wanted = [*_beginnings(claims), *(GATE_CLAIMS[gate][0] for gate in NEEDED_GATES), *_ENDS]
    found = [Missing(task, name) for name in wanted if name not in names and (signs or name != "statement-signed")]
    tested = {about for name, about in backed if name == "tests-executed"}
    untested = [Missing(task, "tests-executed", check) for check in checks if check not in tested]
    return [*found, *(untested if checks or tested else [Missing(task, "tests-executed")])]


_ENDS = ("branch-published", "pull-request-opened", "statement-signed")


def _subject(claims: Sequence[Claim]) -> str:
    """The commit that was published; where none was, the one that was proven last."""
    published = [one.commit for one in claims if one.claim == "branch-published"]
    proven = [one.commit for one in claims if one.claim in ("tests-executed", "result-extracted", "accepted-by-person")]
    return (published or proven or [""])[-1]


def _beginnings(claims: Sequence[Claim]) -> tuple[str, ...]:
    """Where the commit comes from: a person, an earlier run, or an attempt of this one."""
    if any(one.claim == "accepted-by-person" for one in claims):
        return ("accepted-by-person",)
    if any(one.attempt == 0 for one in claims):
        return ()
    return ("context-selected", "result-extracted", "policy-decided")


def _claim(event: Event, task: str, said: Said, memory: Memory | None = None) -> Claim:
    number = event.data.get("attempt")
    attempt = number if isinstance(number, int) else None
    made = memory.commits.get(attempt, "") if memory and attempt is not None else ""
    return Claim(
        claim=said.claim,
        about=said.about,
        statement=said.statement,
        outcome=said.outcome,
        reason=said.reason,
        run=event.run_id,
        task=task,
        attempt=attempt,
        commit=said.commit or made,
        seq=event.sequence,
        hash=event.hash,
        artifact="" if event.event_type == "run_started" else event.artifact_reference,
        timestamp=event.timestamp,
    )
