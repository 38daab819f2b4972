"""A statement holds as long as nothing of what it says was touched; whatever is touched is named."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from switchyard_git import CommitSha, GitError, RefName, RefUpdate, Repository

from switchyard.attestation import HostKey, KeyUnavailable, Statement, read_public, unseal
from switchyard.errors import UsageError
from switchyard.ledger import ArtifactStore, Event, EventType, NewEvent, append, connect, create_tables
from switchyard.ledger.events import NewEvent as Row
from switchyard.ledger.events import hash_row
from switchyard.ledger.readings import NEEDED_GATES
from switchyard.packets import CheckResult, PlannedTask, Signed
from switchyard.workflow.attesting import Inquiry, Verification, read_statement, verify_task
from switchyard.workflow.evidence import Query, evidence_document
from switchyard.workflow.places import Places
from switchyard.workflow.publishing import push_if_clean
from switchyard.workflow.signing import Published, sign_claims
from workflow.conftest import Yard, make_yard, with_tasks

Data = Mapping[str, Any]
PASSED_ANYWAY = """UPDATE ledger SET data = replace(data, '"exit_code":0', '"exit_code":1') WHERE sequence = {}"""
NAMES = ("one", "two")


@dataclass
class Desk:
    """A factory with published and signed tasks, and a pen for those who forge."""

    yard: Yard
    engine: sa.Engine
    key: HostKey
    now: int = 0

    def write(self, event_type: EventType, task: str, data: Data, artifact: str = "") -> Event:
        self.now += 1
        timestamp = f"2026-01-01T00:00:{self.now:02d}.000000Z"
        event = NewEvent(f"k{self.now}", event_type, timestamp, "r1", task, "", artifact, data)
        with self.engine.begin() as connection:
            written = append(connection, event)
        assert written is not None
        return written

    def publish(self, task: PlannedTask, text: str) -> Signed:
        """What a run writes down of a task whose first attempt is published."""
        factory, plan, put = self.yard.factory, self.yard.plan, self.yard.factory.artifacts.put
        ground, head = self.yard.ground(), self.yard.commit(self.yard.base, {"a": text})
        claimed = {"branch": task.branch, "content_hash": "h", "base": ground.commit, "base_branch": "main", "join": ""}
        self.write("task_claimed", task.id, claimed)
        self.write("context_selected", task.id, {"files": 1, "tokens": 9}, put(f"context {text}".encode()))
        diff = put(f"diff {text}".encode())
        made = {"attempt": 1, "commit": head, "changed_count": 1, "findings": [], "models": [{"model": "m-1"}]}
        self.write("attempt_extracted", task.id, made, diff)
        for gate in NEEDED_GATES:
            looked = {"attempt": 1, "commit": head, "gate": gate, "outcome": "passed", "reason": "", "findings": []}
            self.write("gate_decided", task.id, looked)
        check = CheckResult(
            name="unit", command="make test", passed=True, exit_code=0, signal=None, limit=None, duration_s=1.0,
            output=put(f"1 passed {text}".encode()),
        )  # fmt: skip
        self.write("check_passed", task.id, {"attempt": 1, "commit": head, **check.facts}, check.output)
        self.write("policy_decided", task.id, {"attempt": 1, "verdict": "publish", "reasons": []})
        push_if_clean(factory, plan, task, ground, head)
        self.write("branch_published", task.id, {"branch": task.branch, "head": head, "base_branch": "main"})
        opened = {"number": 1, "url": "file:///1", "state": "open", "base": "main", "head": task.branch}
        self.write("pull_request_opened", task.id, opened)
        signed = sign_claims(factory, Published(plan, task, ground, {}, head), self.read)
        self.write("statement_signed", task.id, signed.facts, signed.envelope or "")
        return signed

    def read(self, question: Callable[[sa.Connection], Any]) -> Any:
        with self.engine.connect() as connection:
            return question(connection)

    def verify(self, task: str = "one", **fields: Any) -> Verification:
        inquiry = Inquiry(task, self.key.public, self.heads)
        return verify_task(self.yard.factory.places, replace(inquiry, **fields))

    def heads(self, branch: str) -> Mapping[str, str]:
        return {f"refs/heads/{name}": head for name, head in self.yard.heads().items() if name == branch}

    def faults(self, task: str = "one", **fields: Any) -> list[tuple[str, str]]:
        return [(fault.kind, fault.detail) for fault in self.verify(task, **fields).faults]

    def envelope(self, task: str = "one") -> bytes:
        return read_statement(self.yard.factory.places, task)

    def statement(self, task: str = "one") -> Statement:
        return Statement.read(unseal(self.envelope(task), self.key.public()))

    def forge(self, *statements: str) -> None:
        """Edit the tables as somebody would who first takes the triggers away."""
        with self.engine.begin() as connection:
            names = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rehash(self) -> None:
        """Make the chain fit again, as somebody would who knows how it is made."""
        with self.engine.begin() as connection:
            previous = "0" * 64
            for row in connection.execute(sa.text("SELECT * FROM ledger ORDER BY sequence")).mappings().all():
                names = ("key", "event_type", "timestamp", "run_id", "task_id", "agent", "artifact_reference")
                event = Row(**{name: row[name] for name in names})
                found = hash_row(previous, row["sequence"], event, row["data"])
                values = {"previous": previous, "hash": found, "sequence": row["sequence"]}
                change = "UPDATE ledger SET previous_hash = :previous, hash = :hash WHERE sequence = :sequence"
                connection.execute(sa.text(change), values)
                previous = found
            last = connection.execute(sa.text("SELECT max(sequence) FROM ledger")).scalar_one()
            change = "UPDATE ledger_head SET sequence = :sequence, hash = :hash"
            connection.execute(sa.text(change), {"sequence": last, "hash": previous})

    def row(self, event_type: str, task: str = "one") -> Event:
        """The first of that type."""
        return next(one for one in self.read(_rows) if (one.event_type, one.task_id) == (event_type, task))

    def file_of(self, reference: str | None) -> Path:
        assert reference
        return self.yard.factory.artifacts.path(reference)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("signed")
    yard = make_yard(folder)
    tasks = [yard.task(name, checks={"unit": "make test"}, content_hash="h", allow=("tests",)) for name in NAMES]
    key = HostKey(folder / "config")
    yard = replace(with_tasks(yard, *tasks), factory=replace(yard.factory, key=key))
    engine = connect(yard.factory.places.database)
    create_tables(engine)
    desk = Desk(yard, engine, key)
    plan = yard.factory.artifacts.put(yard.plan.model_dump_json().encode())
    planned = [{**task.model_dump(mode="json"), "accepted": "", "proven": ""} for task in tasks]
    desk.write("run_started", "", {"base_branch": "main", "base_commit": yard.base, "tasks": planned}, plan)
    for task in tasks:
        desk.publish(task, "x\n")
    engine.dispose()
    return desk


@pytest.fixture
def desk(original: Desk, tmp_path: Path) -> Iterator[Desk]:
    """Two published and signed tasks, to be forged at will."""
    folder = tmp_path / "copy"
    shutil.copytree(original.key.folder.parent, folder, symlinks=True)
    before = original.yard
    origin, places = Repository.open(folder / "the origin.git"), Places(folder / "the state")
    key = HostKey(folder / "config")
    quarantine = Repository.open(places.factory)
    artifacts = ArtifactStore(places.artifacts)
    factory = replace(before.factory, places=places, origin=origin, quarantine=quarantine, artifacts=artifacts, key=key)
    plan = before.plan.model_copy(update={"target": str(origin.common_dir)})
    engine = connect(places.database)
    yield Desk(replace(before, factory=factory, origin=origin, plan=plan), engine, key, original.now)
    engine.dispose()


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
    row = next(event for event in desk.read(_rows) if event.event_type == "check_passed")
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
    row = next(event for event in desk.read(_rows) if event.event_type == "check_passed")
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
    rows = desk.read(_rows)
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


def test_a_key_that_cannot_be_had_is_a_claim_that_fails(desk: Desk) -> None:
    yard = desk.yard
    desk.yard = replace(yard, factory=replace(yard.factory, key=HostKey(Path("/nowhere"), "FACTORY_KEY")))
    signed = desk.publish(yard.plan.tasks[0], "x\n")
    assert (signed.outcome, signed.envelope) == ("fails", None)
    assert "FACTORY_KEY" in signed.reason
    ((kind, detail),) = desk.faults()
    assert kind == "envelope"
    assert "FACTORY_KEY" in detail
    view = _view(desk)
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
    places, view = desk.yard.factory.places, _view(desk)
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


def _rows(connection: sa.Connection) -> list[Event]:
    from switchyard.ledger import read_events

    return list(read_events(connection))


def _view(desk: Desk) -> Any:
    from switchyard.ledger import fold

    return fold(desk.read(_rows))
