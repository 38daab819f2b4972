"""Published and signed tasks on a real repository and ledger, and a pen for those who forge."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from switchyard_git import Repository

from switchyard.attestation import HostKey, Statement, unseal
from switchyard.ledger import ArtifactStore, Event, EventType, NewEvent, append, connect, create_tables
from switchyard.ledger.events import NewEvent as Row
from switchyard.ledger.events import hash_row
from switchyard.ledger.readings import NEEDED_GATES
from switchyard.packets import CheckResult, PlannedTask, Signed
from switchyard.workflow.attesting import Inquiry, Verification, read_statement, verify_task
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
        return next(one for one in self.read(rows_of) if (one.event_type, one.task_id) == (event_type, task))

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


def rows_of(connection: sa.Connection) -> list[Event]:
    from switchyard.ledger import read_events

    return list(read_events(connection))


def view_of(desk: Desk) -> Any:
    from switchyard.ledger import fold

    return fold(desk.read(rows_of))
