"""A statement holds as long as nothing of what it says was touched; whatever is touched is named."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from switchyard_git import CommitSha, GitError, RefName, RefUpdate

from switchyard.attestation import HostKey, read_public
from switchyard.ledger import NewEvent, append
from switchyard.workflow.signing import Published, sign_claims
from workflow.signing_desk import Desk, desk, original, rows_of

__all__ = ["desk", "original"]


def test_a_changed_or_lost_artifact_is_named(desk: Desk) -> None:
    (file,) = {
        desk.file_of(claim.artifact) for claim in desk.statement().predicate.claims if claim.claim == "tests-executed"
    }
    data = file.read_bytes()
    file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    ((kind, detail),) = desk.faults()
    assert kind == "artifact"
    assert detail.startswith("tests-executed unit: ")
    assert "damaged" in detail
    file.unlink()
    assert "no artifact" in desk.faults()[0][1]


def test_a_changed_envelope_is_named(desk: Desk) -> None:
    file = desk.file_of(desk.row("statement_signed").artifact_reference)
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"sig": "', b'"sig": "A', 1))
    assert [kind for kind, _ in desk.faults()] == ["envelope"]
    file.unlink()
    assert desk.faults()[0][0] == "envelope"


def test_no_byte_of_an_envelope_can_be_changed(desk: Desk) -> None:
    whole, payload = desk.envelope(), desk.statement().as_bytes()
    rng = random.Random(1)
    passed = 0
    for _ in range(150):
        at = rng.randrange(len(whole))
        data = whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :]
        found = desk.verify(envelope=data)
        if not found.faults:
            # Between JSON's words a space may become another.
            passed += 1
            assert found.statement is not None
            assert found.statement.as_bytes() == payload
    assert passed < 15


def test_an_edited_row_is_named_with_the_claims_that_rest_on_it(desk: Desk) -> None:
    row = next(event for event in desk.read(rows_of) if event.event_type == "check_passed")
    desk.forge(
        f"UPDATE ledger SET data = replace(data, '\"exit_code\":0', '\"exit_code\":1') WHERE sequence = {row.sequence}"
    )
    faults = desk.faults()
    assert [kind for kind, _ in faults] == ["ledger", "claim"]
    assert f"breaks at row {row.sequence}" in faults[0][1]
    assert faults[1][1] == f"tests-executed rests on row {row.sequence}"


@pytest.mark.parametrize("data", ["nonsense", "[]", "null", "1", "[" * 100_000])
def test_a_row_that_is_no_json_object_any_more_is_named(desk: Desk, data: str) -> None:
    desk.forge(f"UPDATE ledger SET data = '{data}' WHERE sequence = 4")
    envelope = json.dumps({})
    assert [kind for kind, _ in desk.faults(envelope=envelope.encode())] == ["envelope", "ledger"]
    ((kind, told),) = desk.faults()
    assert (kind, "breaks at row 4" in told) == ("ledger", True)


def test_a_chain_that_was_made_to_fit_again_is_another(desk: Desk) -> None:
    row = next(event for event in desk.read(rows_of) if event.event_type == "check_passed")
    desk.forge(
        f"UPDATE ledger SET data = replace(data, '\"exit_code\":0', '\"exit_code\":1') WHERE sequence = {row.sequence}"
    )
    desk.rehash()
    faults = desk.faults()
    assert faults[0][0] == "ledger"
    assert ("claim", f"tests-executed unit: row {row.sequence} is not the one that was signed") in faults
    before = [claim for claim in desk.statement().predicate.claims if claim.seq < row.sequence]
    assert len(faults) == 1 + len(desk.statement().predicate.claims) - len(before)


def test_a_ledger_that_was_cut_off_is_told_by_a_statement_that_was_kept(desk: Desk) -> None:
    kept, signed_at = desk.envelope(), desk.statement().predicate.ledger.sequence
    desk.forge(f"DELETE FROM ledger WHERE sequence > {signed_at - 2}")
    desk.rehash()
    assert desk.faults()[0] == ("envelope", "no statement of 'one' was signed")
    faults = desk.faults(envelope=kept)
    assert faults[0] == ("ledger", f"it ends at row {signed_at - 2}, and the statement was signed at row {signed_at}")
    assert ("claim", f"branch-published: row {signed_at - 1} is gone") in faults
    assert ("subject", "the ledger knows of no branch of 'one' that was published") in faults


def test_another_key_is_not_taken(desk: Desk, tmp_path: Path) -> None:
    other = HostKey(tmp_path / "other")
    other.signer()
    ((kind, detail),) = desk.faults(key=other.public)
    assert kind == "envelope"
    assert "not by key" in detail
    assert desk.faults(key=lambda: read_public(desk.key.folder / "signing.pub.pem")) == []


def test_verifying_makes_no_key(desk: Desk, tmp_path: Path) -> None:
    faults = desk.faults(key=HostKey(tmp_path / "nothing").public)
    assert faults[0][0] == "key"
    assert "--key PUBLIC.pem" in faults[0][1]
    assert not (tmp_path / "nothing").exists()


def test_a_statement_of_another_task_is_not_taken(desk: Desk) -> None:
    faults = desk.faults("one", envelope=desk.envelope("two"))
    assert ("subject", "the statement is of task 'two', not of 'one'") in faults


def test_a_statement_of_another_execution_is_not_taken(desk: Desk) -> None:
    rows = desk.read(rows_of)
    with desk.engine.begin() as connection:
        append(connection, NewEvent("again", "run_started", "2026-02-01T00:00:00.000000Z", "r2", data=rows[0].data))
    assert ("subject", "the statement is of r1/one, and the newest run is r2") in desk.faults()


def test_a_statement_of_a_commit_that_was_not_published_is_not_taken(desk: Desk) -> None:
    yard, task = desk.yard, desk.yard.plan.tasks[0]
    signed = sign_claims(yard.factory, Published(yard.plan, task, yard.ground(), {}, yard.base), desk.read)
    faults = desk.faults(envelope=yard.factory.artifacts.get(signed.envelope or ""))
    head = desk.yard.heads()[task.branch]
    told = f"the ledger published {task.branch} at {head[:10]}, and {task.branch} at {yard.base[:10]} was signed"
    assert faults[0] == ("subject", told)


def test_a_branch_that_moved_is_named(desk: Desk) -> None:
    branch = RefName("refs/heads/factory/r1/one")
    head = CommitSha(desk.yard.heads()["factory/r1/one"])
    desk.yard.origin.update_refs([RefUpdate(branch, desk.yard.base, head)])
    told = f"factory/r1/one is at {desk.yard.base[:10]}, and {head[:10]} was signed"
    assert desk.faults() == [("remote", told)]
    desk.yard.origin.update_refs([RefUpdate(branch, None, desk.yard.base)])
    assert desk.faults() == [("remote", f"factory/r1/one is not there, and {head[:10]} was signed")]


def test_a_branch_that_the_factory_replayed_is_named(desk: Desk) -> None:
    desk.write("restacked", "one", {"branch": "factory/r1/one", "head": "f" * 40, "base_branch": "main"})
    assert desk.faults()[0][0] == "subject"
    assert "replayed since" in desk.faults()[0][1]


def test_a_remote_that_cannot_be_asked_is_a_note_and_no_fault(desk: Desk) -> None:
    def unreachable(branch: str) -> Mapping[str, str]:
        raise GitError("no route to it")

    found = desk.verify(heads=unreachable)
    assert found.faults == []
    assert "no route to it" in found.notes[0]


def test_what_landed_with_more_than_was_signed_does_not_hold(desk: Desk) -> None:
    head = desk.yard.heads()["factory/r1/one"]
    desk.write("landed", "one", {"commit": "f" * 40, "head": head, "pull_request": "merged"})
    assert desk.faults() == []
    desk.write("landed", "one", {"commit": "f" * 40, "head": "e" * 40, "pull_request": "merged"})
    assert desk.faults() == [("subject", f"what landed was eeeeeeeeee, and {head[:10]} was signed")]


def test_what_landed_needs_no_branch(desk: Desk) -> None:
    desk.write("landed", "one", {"commit": "f" * 40, "pull_request": "merged"})
    found = desk.verify(heads=lambda branch: {})
    assert found.faults == []
    assert "has landed" in found.notes[0]


def test_a_verdict_that_was_not_sealed_first_does_not_hold(desk: Desk) -> None:
    desk.write("verdict_revealed", "one", {"attempt": 1, "reviewer": "quality", "seal": "s", "verdict": "pass"})
    assert [kind for kind, _ in desk.faults()] == ["claim"]
