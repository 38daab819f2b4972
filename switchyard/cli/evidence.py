"""`show --evidence`, `--statement` and `--verify`: what is claimed of tasks, what backs it, and whether it holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from switchyard.errors import UsageError

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

    from switchyard.cli.render import Output
    from switchyard.workspace import Workspace

OutcomeWord = Literal["holds", "fails", "not_applicable", "missing"]
Evidence = Annotated[bool, typer.Option("--evidence", help="What is claimed and what backs it; without TASK of all.")]
ClaimName = Annotated[str, typer.Option("--claim", metavar="NAME", help="With --evidence: this claim alone.")]
OutcomeName = Annotated[OutcomeWord | None, typer.Option("--outcome", help="With --evidence: these alone.")]
PrintStatement = Annotated[bool, typer.Option("--statement", help="Print the signed statement: a DSSE envelope.")]
Verify = Annotated[
    bool, typer.Option("--verify", help="Whether the signed statement holds; exit 1 names what does not.")
]
Key = Annotated[
    Path | None,
    typer.Option("--key", metavar="PUBLIC.pem", help="With --verify: who must have signed. Default: this host."),
]
Envelope = Annotated[
    Path | None,
    typer.Option("--envelope", metavar="FILE", help="With --verify: a statement that was kept elsewhere."),
]
COLUMNS = ("task", "claim", "outcome", "attempt", "commit", "row", "artifact", "what was seen")


@dataclass(frozen=True)
class Asked:
    """What `show` was asked for beyond a task's standing."""

    task: str
    evidence: bool = False
    statement: bool = False
    verify: bool = False
    claim: str = ""
    outcome: OutcomeWord | None = None
    key: Path | None = None
    envelope: Path | None = None

    @property
    def is_for_evidence(self) -> bool:
        """Whether one of the three is asked for.

        Raises:
            UsageError: More than one is, an option stands where it means nothing, or the task is not named.
        """
        if sum((self.evidence, self.statement, self.verify)) > 1:
            raise UsageError("--evidence, --statement and --verify are three questions", hint="ask one at a time")
        if (self.claim or self.outcome) and not self.evidence:
            raise UsageError("--claim and --outcome choose among evidence", hint="add --evidence")
        if (self.key or self.envelope) and not self.verify:
            raise UsageError("--key and --envelope say what is verified", hint="add --verify")
        if not self.task and not self.evidence:
            raise UsageError("Missing argument 'TASK'.", hint="see 'switchyard show --help'")
        return self.evidence or self.statement or self.verify


def show_evidence(workspace: Workspace, asked: Asked, output: Output) -> int:
    """Answer one of the three; the exit code.

    Raises:
        UsageError, WorkFailed, LedgerError: There is no such task, claim or statement, or it can't be read.
    """
    if asked.evidence:
        _show_claims(workspace, asked, output)
        return 0
    if asked.statement:
        _print_statement(workspace, asked.task, output)
        return 0
    return _verify(workspace, asked, output)


def _show_claims(workspace: Workspace, asked: Asked, output: Output) -> None:
    from switchyard.workflow.evidence import Query, evidence_document

    query = Query(asked.task, asked.claim, asked.outcome or "")
    document = evidence_document(workspace.places, workspace.view(), query)
    rows = [_row(claim) for claim in document["claims"]]
    rows += [(one["task"], _named(one), "MISSING", "", "", "", "", "no row backs it") for one in document["missing"]]
    output.table(document, COLUMNS, rows, empty="no such claim: `switchyard run` makes them")


def _row(claim: Mapping[str, Any]) -> tuple[str, ...]:
    words = {"fails": "FAILS", "not_applicable": "does not apply"}
    states = {None: "", "whole": (claim["artifact"] or "")[:14], "missing": "MISSING", "damaged": "DAMAGED"}
    return (
        claim["task"],
        _named(claim),
        words.get(claim["outcome"], claim["outcome"]),
        "" if claim["attempt"] is None else str(claim["attempt"]),
        (claim["commit"] or "")[:10],
        str(claim["seq"]),
        states[claim["artifact_state"]],
        claim["reason"],
    )


def _named(claim: Mapping[str, Any]) -> str:
    return f"{claim['claim']} ({claim['about']})" if claim["about"] else str(claim["claim"])


def _print_statement(workspace: Workspace, task: str, output: Output) -> None:
    import json

    from switchyard.workflow.attesting import read_statement

    envelope = read_statement(workspace.places, task)
    output.document(json.loads(envelope), envelope.decode())


def _verify(workspace: Workspace, asked: Asked, output: Output) -> int:
    from switchyard.workflow.attesting import Inquiry, verify_task

    inquiry = Inquiry(
        task=asked.task,
        key=lambda: _public_key(workspace, asked.key),
        heads=lambda branch: _heads(workspace, branch),
        envelope=_given(asked.envelope),
    )
    document = verify_task(workspace.places, inquiry).as_json()
    lines = [f"does not hold: {fault['kind']}: {fault['detail']}" for fault in document["faults"]]
    if document["ok"]:
        signed = f"{document['branch']} at {document['commit'][:10]}, signed by key {document['key'][:16]}"
        held = f"{document['claims']} claims and {document['artifacts']} artifacts"
        lines = [f"holds: {signed}; {held} are as they were signed"]
    output.document(document, "\n".join(lines))
    for note in document["notes"]:
        output.note(note)
    return 0 if document["ok"] else 1


def _public_key(workspace: Workspace, path: Path | None) -> SSlibKey:
    from switchyard.attestation import HostKey, read_public

    if path is not None:
        return read_public(path)
    return HostKey.of(os.environ, workspace.config.evidence.signing_key_env).public()


def _heads(workspace: Workspace, branch: str) -> Mapping[str, str]:
    from switchyard.forges import connect

    upstream = connect(workspace, os.environ).upstream
    let_in = upstream.let_in(workspace.repository)
    return {str(ref): commit for ref, commit in let_in.ls_remote(upstream.target, [f"refs/heads/{branch}"]).items()}


def _given(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as err:
        raise UsageError(f"no statement at {path}: {err.strerror or err}") from err
