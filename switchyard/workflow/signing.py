"""The signed statement of a published task: what is claimed of it, bound to its commit by the host's key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa
from switchyard_git import CommitSha

from switchyard.attestation import (
    Asked,
    AttestationError,
    Chosen,
    LedgerHead,
    Origin,
    Resource,
    StatedTask,
    Statement,
    make_statement,
    plain,
    seal,
)
from switchyard.ledger import Event, claims_of, missing_claims, read_head
from switchyard.packets import Ground, PlannedTask, RunPlan, Settled, Signed, TaskId
from switchyard.workflow.evidence import read_execution
from switchyard.workflow.factory import Factory
from switchyard.workflow.journal import Journal

Read = Callable[[Callable[[sa.Connection], Any]], Any]


@dataclass(frozen=True)
class Published:
    """A task whose pull request is open."""

    plan: RunPlan
    task: PlannedTask
    ground: Ground
    parents: Mapping[TaskId, Settled]
    head: CommitSha


def sign_published(journal: Journal, factory: Factory, published: Published) -> None:
    """Sign what is claimed of a task, and tell the ledger; where that fails, the claim that it is signed fails."""
    recorded = journal.step("sign", lambda: sign_claims(factory, published, journal.read))
    signed = Signed.model_validate(recorded)
    journal.record("signed", "statement_signed", signed.facts, artifact=signed.envelope or "")


def sign_claims(factory: Factory, published: Published, read: Read) -> Signed:
    """Sign what the ledger claims of a task so far; the envelope is an artifact.

    Args:
        read: Asks the database.
    """
    head = published.head
    if not factory.config.evidence.sign:
        return Signed(outcome="not_applicable", commit=head, reason="sign = false under [evidence]")
    if factory.key is None:
        return Signed(outcome="fails", commit=head, reason="there is no key")
    try:
        signer = factory.key.signer()
    except AttestationError as err:
        return Signed(outcome="fails", commit=head, reason=f"{err}{f' ({err.hint})' if err.hint else ''}")
    run, task = published.plan.run_id, published.task.id
    events: list[Event] = read(lambda connection: read_execution(connection, run, task))
    row, row_hash = read(read_head)
    statement = _statement(factory, published, events, LedgerHead(sequence=row, hash=row_hash))
    envelope = factory.artifacts.put(seal(statement.as_bytes(), signer))
    return Signed(outcome="holds", commit=head, key=signer.public_key.keyid, row=row, envelope=envelope)


def _statement(factory: Factory, published: Published, events: Sequence[Event], head: LedgerHead) -> Statement:
    task = published.task
    claims = [claim for claim in claims_of(events) if claim.task == task.id]
    own = [event for event in events if event.task_id == task.id]
    origin = Origin(
        asked=Asked(
            task=StatedTask(
                id=task.id, title=plain(task.title), content_hash=task.content_hash, allow=tuple(sorted(task.allow))
            ),
            checks={plain(name): plain(command) for name, command in task.checks.items()},
        ),
        chosen=_chosen(factory, task, own),
        materials=_materials(published),
        branch=task.branch,
        commit=published.head,
        run=published.plan.run_id,
        started=own[0].timestamp,
        finished=own[-1].timestamp,
        version=version("switchyard-factory"),
    )
    missing = missing_claims(claims, task.id, task.checks, signs=False)
    return make_statement(origin, claims, missing, head)


def _chosen(factory: Factory, task: PlannedTask, events: Sequence[Event]) -> Chosen:
    config = factory.config
    table = config.agents.get(task.agent) if task.agent else config.agent
    used = {str(use["model"]) for event in events for use in event.data.get("models", ()) if use.get("model")}
    return Chosen(
        agent=task.agent or "default",
        agent_kind=table.kind if table else "",
        model=table.model if table else "",
        models=tuple(sorted(plain(model) for model in used)),
        sandbox=config.sandbox.kind,
    )


def _materials(published: Published) -> list[Resource]:
    """The base, what the work was laid on, and the parents' branches."""
    plan, ground = published.plan, published.ground
    named = {plan.base_commit: plan.base_branch, ground.commit: ground.branch}
    named |= {settled.head: settled.branch for settled in published.parents.values()}
    uri = _public(plan.target)
    return [Resource(name=name, uri=uri, digest={"gitCommit": commit}) for commit, name in named.items()]


def _public(target: str) -> str:
    """A remote's URL without what stands for a person; "" where it is a path of this machine."""
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https", "ssh") or not parts.hostname:
        return ""
    return f"git+{urlunsplit((parts.scheme, parts.netloc.rpartition('@')[2], parts.path, '', ''))}"
