"""What a signed statement says, and who signs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from switchyard_git import CommitSha

from switchyard.attestation import HostKey, KeyUnavailable, Statement, unseal
from switchyard.errors import UsageError
from switchyard.ledger.readings import NEEDED_GATES
from switchyard.workflow.evidence import Query, evidence_document
from switchyard.workflow.signing import Published, sign_claims
from workflow.signing_desk import Desk, desk, original, view_of

__all__ = ["desk", "original"]


def test_what_nobody_touched_holds(desk: Desk) -> None:
    found = desk.verify()
    assert (found.faults, found.notes) == ([], [])
    told = found.as_json()
    assert (told["ok"], told["claims"], told["artifacts"]) == (True, 6 + len(NEEDED_GATES), 3)
    assert told["branch"] == "factory/r1/one"
    assert told["commit"] == desk.yard.heads()["factory/r1/one"]


def test_a_statement_tells_where_a_commit_comes_from(desk: Desk) -> None:
    statement = desk.statement()
    definition = statement.predicate.build_definition
    assert definition.external_parameters.task.content_hash == "h"
    assert definition.external_parameters.task.allow == ("tests",)
    assert definition.external_parameters.checks == {"unit": "make test"}
    assert (definition.internal_parameters.agent_kind, definition.internal_parameters.sandbox) == (
        "command",
        "embedded",
    )
    assert definition.internal_parameters.models == ("m-1",)
    assert [(one.name, one.digest["gitCommit"]) for one in definition.resolved_dependencies] == [
        ("main", desk.yard.base)
    ]
    assert not definition.resolved_dependencies[0].uri, "a path of this machine is nobody's business"
    metadata = statement.predicate.run_details.metadata
    assert metadata.invocation_id == "r1/one"
    assert metadata.started_on < metadata.finished_on
    assert statement.predicate.missing == ()


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        ("https://lovelace:hunter2@example.org:8443/r.git?hunter2", "git+https://example.org:8443/r.git"),
        ("ssh://git@example.org/r.git", "git+ssh://example.org/r.git"),
        ("git@example.org:r.git", ""),
        ("file:///home/lovelace/r.git", ""),
    ],
)
def test_a_remote_is_named_without_what_stands_for_a_person(desk: Desk, target: str, uri: str) -> None:
    yard, task = desk.yard, desk.yard.plan.tasks[0]
    plan = yard.plan.model_copy(update={"target": target})
    head = CommitSha(yard.heads()[task.branch])
    signed = sign_claims(yard.factory, Published(plan, task, yard.ground(), {}, head), desk.read)
    payload = unseal(yard.factory.artifacts.get(signed.envelope or ""), desk.key.public())
    (base,) = Statement.read(payload).predicate.build_definition.resolved_dependencies
    assert base.uri == uri
    assert b"hunter2" not in payload
    assert b"lovelace" not in payload


def test_parents_are_among_what_a_commit_was_made_of(desk: Desk) -> None:
    yard, (one, two) = desk.yard, desk.yard.plan.tasks
    head = CommitSha(yard.heads()[one.branch])
    ground = yard.ground(commit_of := yard.commit(yard.base, {"b": "joined"}), "factory/r1/join-two")
    signed = sign_claims(yard.factory, Published(yard.plan, two, ground, yard.settled(one=head), head), desk.read)
    payload = unseal(yard.factory.artifacts.get(signed.envelope or ""), desk.key.public())
    made_of = Statement.read(payload).predicate.build_definition.resolved_dependencies
    assert {(part.name, part.digest["gitCommit"]) for part in made_of} == {
        ("main", yard.base),
        ("factory/r1/join-two", commit_of),
        ("factory/r1/one", head),
    }


def test_a_key_that_cannot_be_had_is_a_claim_that_fails(desk: Desk) -> None:
    yard = desk.yard
    desk.yard = replace(yard, factory=replace(yard.factory, key=HostKey(Path("/nowhere"), "FACTORY_KEY")))
    signed = desk.publish(yard.plan.tasks[0], "x\n")
    assert (signed.outcome, signed.envelope) == ("fails", None)
    assert "FACTORY_KEY" in signed.reason
    ((kind, detail),) = desk.faults()
    assert kind == "envelope"
    assert "FACTORY_KEY" in detail
    view = view_of(desk)
    document = evidence_document(yard.factory.places, view, Query("one", "statement-signed", "fails"))
    assert "FACTORY_KEY" in document["claims"][0]["reason"]


def test_signing_can_be_switched_off(desk: Desk) -> None:
    yard = desk.yard
    config = yard.factory.config.model_copy(
        update={"evidence": yard.factory.config.evidence.model_copy(update={"sign": False})}
    )
    desk.yard = replace(yard, factory=replace(yard.factory, config=config))
    assert desk.publish(yard.plan.tasks[0], "x\n").outcome == "not_applicable"


def test_evidence_is_asked_for_by_task_claim_and_outcome(desk: Desk) -> None:
    places, view = desk.yard.factory.places, view_of(desk)
    whole = evidence_document(places, view, Query())
    assert {claim["task"] for claim in whole["claims"]} == {"one", "two"}
    assert (whole["task"], whole["missing"]) == (None, [])
    one = evidence_document(places, view, Query("one", "tests-executed"))
    ((claim,), head) = one["claims"], desk.yard.heads()["factory/r1/one"]
    assert (claim["about"], claim["outcome"], claim["commit"]) == ("unit", "holds", head)
    assert claim["artifact_state"] == "whole"
    assert (one["run"], one["head"]) == ("r1", head)
    assert evidence_document(places, view, Query("one", outcome="fails"))["claims"] == []
    desk.file_of(claim["artifact"]).write_bytes(b"another")
    damaged = evidence_document(places, view, Query("one", "tests-executed"))["claims"][0]
    assert damaged["artifact_state"] == "damaged"
    desk.file_of(claim["artifact"]).unlink()
    lost = evidence_document(places, view, Query("one", "tests-executed"))["claims"][0]
    assert lost["artifact_state"] == "missing"
    with pytest.raises(UsageError, match="did you mean 'tests-executed'"):
        evidence_document(places, view, Query(claim="test-executed"))
    with pytest.raises(UsageError, match="never run"):
        evidence_document(places, view, Query("three"))


def test_no_key_lies_in_the_state(desk: Desk) -> None:
    body = desk.key.signer().private_bytes.splitlines()[1]
    for file in desk.yard.factory.places.state.rglob("*"):
        assert not file.is_file() or body not in file.read_bytes(), file
    assert (desk.key.folder / "signing.pem").stat().st_mode & 0o777 == 0o600


def test_no_key_is_told(desk: Desk) -> None:
    key = HostKey(Path("/x"), "FACTORY_KEY", "secret words")
    assert "secret" not in repr(key)
    with pytest.raises(KeyUnavailable) as caught:
        key.signer()
    assert "secret" not in str(caught.value)
