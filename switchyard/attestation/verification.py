"""Whether what a signed statement says is what the ledger and the artifacts hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from switchyard.attestation.statement import StatedClaim, Statement
from switchyard.ledger import ArtifactStore, Claim, Event, LedgerError, claims_of


@dataclass(frozen=True)
class Fault:
    """One thing that does not hold."""

    kind: str
    """`key`, `envelope`, `ledger`, `claim`, `artifact`, `subject`, `remote`."""
    detail: str


def compare_ledger(statement: Statement, events: Sequence[Event]) -> list[Fault]:
    """Whether the ledger still holds every row that was signed, as it was.

    Args:
        events: Every row of it.
    """
    rows = {event.sequence: event for event in events}
    signed = statement.predicate.ledger
    faults = []
    if signed.sequence not in rows:
        end = max(rows, default=0)
        told = f"it ends at row {end}, and the statement was signed at row {signed.sequence}"
        faults.append(Fault("ledger", told))
    elif rows[signed.sequence].hash != signed.hash:
        faults.append(Fault("ledger", f"row {signed.sequence} is not the one that was there at signing"))
    read = {(claim.seq, claim.claim, claim.about): claim for claim in claims_of(events)}
    return faults + [
        fault for claim in statement.predicate.claims if (fault := _compare_claim(claim, rows, read, statement))
    ]


def compare_artifacts(statement: Statement, artifacts: ArtifactStore) -> list[Fault]:
    """Whether every artifact that was signed is there, byte for byte."""
    faults = []
    for one in statement.predicate.run_details.byproducts:
        try:
            artifacts.get(f"sha256:{one.digest.get('sha256', '')}")
        except LedgerError as err:
            faults.append(Fault("artifact", f"{one.name}: {err}"))
    return faults


def compare_subject(statement: Statement, task: str, run: str, events: Sequence[Event]) -> list[Fault]:
    """Whether the statement is of this task, of its branch and of the commit that was published.

    Args:
        run: The run whose statement it should be.
    """
    if statement.task != task:
        return [Fault("subject", f"the statement is of task {statement.task!r}, not of {task!r}")]
    invocation = statement.predicate.run_details.metadata.invocation_id
    if invocation != f"{run}/{task}":
        return [Fault("subject", f"the statement is of {invocation}, and the newest run is {run}")]
    own = [event for event in events if event.run_id == run and event.task_id == task]
    published = [event for event in own if event.event_type == "branch_published"]
    subject = statement.subject[0]
    if not published:
        return [Fault("subject", f"the ledger knows of no branch of {task!r} that was published")]
    told = published[-1].data
    if (told["branch"], told["head"]) != (subject.name, statement.commit):
        stated = f"{subject.name} at {statement.commit[:10]}"
        return [
            Fault("subject", f"the ledger published {told['branch']} at {told['head'][:10]}, and {stated} was signed")
        ]
    moved = [event.data for event in own if event.event_type == "restacked" and "head" in event.data]
    if moved and moved[-1]["head"] != statement.commit:
        where = f"{moved[-1]['head'][:10]} on {moved[-1]['base_branch']}"
        return [Fault("subject", f"the branch was replayed since, to {where}; {statement.commit[:10]} was signed")]
    landed = [event.data["head"] for event in own if event.event_type == "landed" and event.data.get("head")]
    if landed and landed[-1] != statement.commit:
        return [Fault("subject", f"what landed was {landed[-1][:10]}, and {statement.commit[:10]} was signed")]
    return []


def compare_remote(statement: Statement, heads: Mapping[str, str]) -> list[Fault]:
    """Whether the branch on the remote is at the commit that was signed.

    Args:
        heads: Its branches that were asked for, by full name.
    """
    branch = statement.subject[0].name
    there = heads.get(f"refs/heads/{branch}")
    if there == statement.commit:
        return []
    told = f"is at {there[:10]}" if there else "is not there"
    return [Fault("remote", f"{branch} {told}, and {statement.commit[:10]} was signed")]


def _compare_claim(
    stated: StatedClaim,
    rows: Mapping[int, Event],
    read: Mapping[tuple[int, str, str], Claim],
    statement: Statement,
) -> Fault | None:
    name = " ".join(filter(None, (stated.claim, stated.about)))
    row = rows.get(stated.seq)
    if row is None:
        return Fault("claim", f"{name}: row {stated.seq} is gone")
    if row.hash != stated.hash:
        return Fault("claim", f"{name}: row {stated.seq} is not the one that was signed")
    claim = read.get((stated.seq, stated.claim, stated.about))
    if claim is None or claim.task != statement.task:
        return Fault("claim", f"{name}: row {stated.seq} ({row.event_type}) claims no such thing of {statement.task!r}")
    if (claim.outcome, claim.commit, claim.artifact) != (stated.outcome, stated.commit or "", stated.artifact or ""):
        return Fault("claim", f"{name}: row {stated.seq} says {claim.outcome}, and {stated.outcome} was signed")
    return None
