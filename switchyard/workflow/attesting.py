"""Whether a task's signed statement holds: the signature, the ledger, every claim and artifact, and the branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from switchyard_git import GitError
from switchyard_merge import MergeError

from switchyard.attestation import (
    AttestationError,
    Fault,
    Statement,
    compare_artifacts,
    compare_ledger,
    compare_remote,
    compare_subject,
    unseal,
)
from switchyard.errors import SwitchyardError, UsageError, WorkFailed
from switchyard.gates.verdicts import check_seals
from switchyard.ledger import ArtifactStore, Event, LedgerBroken, LedgerError, connect, read_events, verify_chain
from switchyard.workflow.places import Places

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

SCHEMA = "switchyard.verification/1"


@dataclass(frozen=True)
class Inquiry:
    """What is to be verified, and with what."""

    task: str
    key: Callable[[], SSlibKey]
    """Raises AttestationError where there is none."""
    heads: Callable[[str], Mapping[str, str]]
    """A branch → what the remote has of it, by full name."""
    envelope: bytes | None = None
    """None: the one that the ledger names."""


@dataclass
class Verification:
    """What does not hold, what does, and what could not be looked at."""

    task: str
    key: str = ""
    statement: Statement | None = None
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """`switchyard.verification/1`."""
        statement = self.statement
        return {
            "schema": SCHEMA,
            "task": self.task,
            "ok": not self.faults,
            "key": self.key or None,
            "branch": statement.subject[0].name if statement else None,
            "commit": statement.commit if statement else None,
            "claims": len(statement.predicate.claims) if statement else 0,
            "artifacts": len(statement.predicate.run_details.byproducts) if statement else 0,
            "faults": [{"kind": fault.kind, "detail": fault.detail} for fault in self.faults],
            "notes": self.notes,
        }


def read_statement(places: Places, task: str) -> bytes:
    """The envelope of a task's newest statement.

    Raises:
        UsageError: There is no such task in the ledger.
        WorkFailed: None was signed.
        LedgerError: It is lost, or the ledger can't be read.
    """
    return ArtifactStore(places.artifacts).get(_signed_row(_read_events(places), task).artifact_reference)


def verify_task(places: Places, inquiry: Inquiry) -> Verification:
    """Look at everything that a statement says; what does not hold is a fault, never an exception.

    Raises:
        UsageError: There is no such task in the ledger, and no statement was given.
    """
    found = Verification(inquiry.task)
    broken, events = _read_ledger(places)
    # Of a ledger that can't be read nobody can say that the task was never run.
    if events or inquiry.envelope is not None or broken is None:
        _open_statement(found, places, inquiry, events)
    if broken is not None:
        found.faults.append(Fault("ledger", str(broken)))
    if (statement := found.statement) is None:
        return found
    if broken is not None:
        resting = [claim for claim in statement.predicate.claims if claim.seq == broken.sequence]
        found.faults += [Fault("claim", f"{claim.claim} rests on row {claim.seq}") for claim in resting]
    else:
        found.faults += compare_ledger(statement, events)
    artifacts = ArtifactStore(places.artifacts)
    found.faults += compare_artifacts(statement, artifacts)
    if broken is None:
        own = [event for event in events if event.task_id == inquiry.task]
        found.faults += [Fault("claim", told) for told in check_seals(own, artifacts.get)]
        found.faults += compare_subject(statement, inquiry.task, _newest_run(events, inquiry.task), events)
        _look_at_remote(found, statement, inquiry, own)
    return found


def _read_events(places: Places) -> list[Event]:
    engine = connect(places.database, read_only=True)
    try:
        with engine.connect() as connection:
            return list(read_events(connection))
    finally:
        engine.dispose()


def _read_ledger(places: Places) -> tuple[LedgerBroken | None, list[Event]]:
    """Where the chain breaks, and the rows as far as they can be read at all."""
    engine = connect(places.database, read_only=True)
    try:
        with engine.connect() as connection:
            verify_chain(connection)
            return None, list(read_events(connection))
    except LedgerBroken as err:
        return err, _readable(places)
    finally:
        engine.dispose()


def _readable(places: Places) -> list[Event]:
    try:
        return _read_events(places)
    except LedgerBroken:
        return []


def _signed_row(events: Sequence[Event], task: str) -> Event:
    own = [event for event in events if event.task_id == task]
    if not own:
        raise UsageError(f"{task!r} was never run", hint="`switchyard status` lists tasks")
    rows = [event for event in own if event.event_type == "statement_signed"]
    if not rows:
        raise WorkFailed(f"no statement of {task!r} was signed", hint="one is once its pull request is open")
    if not rows[-1].artifact_reference:
        raise WorkFailed(f"no statement of {task!r} was signed: {rows[-1].data.get('reason', '')}")
    return rows[-1]


def _open_statement(found: Verification, places: Places, inquiry: Inquiry, events: Sequence[Event]) -> None:
    """Take the statement out of its envelope; without the right signature on it nothing that it says counts."""
    try:
        data = inquiry.envelope
        if data is None:
            data = ArtifactStore(places.artifacts).get(_signed_row(events, inquiry.task).artifact_reference)
        key = inquiry.key()
        found.key = key.keyid
        found.statement = Statement.read(unseal(data, key))
    except (LedgerError, WorkFailed) as err:
        found.faults.append(Fault("envelope", str(err)))
    except AttestationError as err:
        kind = "envelope" if found.key else "key"
        found.faults.append(Fault(kind, f"{err}{f' ({err.hint})' if err.hint else ''}"))


def _newest_run(events: Sequence[Event], task: str) -> str:
    started = [event for event in events if event.event_type == "run_started"]
    runs = [event.run_id for event in started if any(one["id"] == task for one in event.data["tasks"])]
    return runs[-1] if runs else ""


def _look_at_remote(found: Verification, statement: Statement, inquiry: Inquiry, events: Sequence[Event]) -> None:
    if any(event.event_type == "landed" for event in events):
        found.notes.append("the work has landed, so its branch may be gone: the remote was not asked")
        return
    try:
        found.faults += compare_remote(statement, inquiry.heads(statement.subject[0].name))
    except (SwitchyardError, GitError, MergeError) as err:
        found.notes.append(f"the remote could not be asked where the branch is: {err}")
