"""One orchestrator at a time, however the last one ended; and a ledger that tells when it was edited."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from chaos.ground import PAIR, ChaosYard

SLOW_AGENT = "sleep 30\n"
APPENDED = """INSERT INTO ledger SELECT sequence + 1, 'forged', run_id, task_id, agent, event_type, timestamp,
              artifact_reference, data, previous_hash, hash FROM ledger ORDER BY sequence DESC LIMIT 1"""


@contextmanager
def working(yard: ChaosYard) -> Iterator[Popen[bytes]]:
    """A run whose agent is at work; killed at the end."""
    process = yard.start("run")
    try:
        patience = time.monotonic() + 60
        while not list(yard.state.glob("boxes/*/exec/*/process.json")):
            assert process.poll() is None and time.monotonic() < patience
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.sandbox
def test_a_second_orchestrator_is_refused_until_the_first_is_gone_even_by_kill(tmp_path: Path) -> None:
    yard = ChaosYard(tmp_path / "yard", PAIR)
    agent = yard.repo / ".agents" / "edit.sh"
    quick = agent.read_text()
    yard.commit({".agents/edit.sh": SLOW_AGENT + quick})

    with working(yard) as first:
        refused = json.loads(yard.run("run", "--json", expect=1))["error"]
        assert refused["kind"] == "orchestrator_running"
        assert f"process {first.pid} " in refused["message"]
        assert refused["hint"]
        assert first.poll() is None
        assert {row["state"] for row in yard.status().values()} == {"running", "waiting"}

    yard.kill_at("driver.execute before")


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE ledger SET data = replace(data, 'a', 'b') WHERE sequence = 5", 5),
        ("UPDATE ledger SET timestamp = '2020-01-01T00:00:00Z' WHERE sequence = 1", 1),
        ("DELETE FROM ledger WHERE sequence = 7", 7),
        ("DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)", None),
        (APPENDED, None),
    ],
    ids=["edited", "first edited", "deleted", "last deleted", "inserted"],
)
def test_a_tampered_ledger_is_found_and_its_first_bad_row_is_named(
    finished: ChaosYard, statement: str, broken: int | None
) -> None:
    rows = len(finished.events())
    expected = broken or (rows if statement.startswith("DELETE") else rows + 1)
    database = finished.state / "switchyard.db"
    before = database.read_bytes()
    try:
        finished.tamper(statement)
        told = json.loads(finished.run("ledger", "verify", "--json", expect=1))
        assert told["ok"] is False
        assert told["first_broken"] == expected
        assert f"row {expected}" in told["message"]
    finally:
        database.write_bytes(before)
    assert json.loads(finished.run("ledger", "verify", "--json"))["rows"] == rows


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> ChaosYard:
    """A yard whose run is over, its database in one file."""
    yard = ChaosYard(tmp_path_factory.mktemp("finished") / "yard", PAIR)
    yard.run("run")
    with yard.database() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return yard
