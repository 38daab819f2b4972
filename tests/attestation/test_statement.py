"""A signed statement is one for everybody's tools: opened, verified and read here without any of ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.statement import Statement as InToto
from in_toto_attestation.v1.statement_pb2 import Statement as Message

from switchyard.attestation import (
    Asked,
    Chosen,
    EnvelopeInvalid,
    HostKey,
    LedgerHead,
    Origin,
    Resource,
    StatedTask,
    Statement,
    make_statement,
    plain,
    seal,
    unseal,
)
from switchyard.ledger import Claim, Missing

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence.md"
CLAIM = Claim(
    claim="tests-executed",
    about="unit",
    statement="Check `unit` was run",
    outcome="holds",
    reason="a name that is no UTF-8: \udcff",
    run="r1",
    task="t",
    attempt=1,
    commit="c1" * 20,
    seq=7,
    hash="ab" * 32,
    artifact=f"sha256:{'cd' * 32}",
    timestamp="2026-01-01T00:00:00.000000Z",
)
ORIGIN = Origin(
    asked=Asked(task=StatedTask(id="t", title="Do it", content_hash="h"), checks={"unit": "make test"}),
    chosen=Chosen(agent="default", agent_kind="claude", model="m", models=("m-1",), sandbox="embedded"),
    materials=[Resource(name="main", uri="git+https://example.org/r.git", digest={"gitCommit": "b0" * 20})],
    branch="factory/r1/t",
    commit="c1" * 20,
    run="r1",
    started="2026-01-01T00:00:00.000000Z",
    finished="2026-01-01T00:01:00.000000Z",
    version="0.1.0",
)


@pytest.fixture
def key(tmp_path: Path) -> HostKey:
    return HostKey(tmp_path / "switchyard")


def made() -> Statement:
    return make_statement(ORIGIN, [CLAIM], [Missing("t", "mutants-killed")], LedgerHead(sequence=9, hash="ef" * 32))


def sealed(key: HostKey) -> bytes:
    return seal(made().as_bytes(), key.signer())


def test_anybody_with_the_public_half_can_verify_it_as_the_page_says(key: HostKey, tmp_path: Path) -> None:
    script, envelope = tmp_path / "verify.py", tmp_path / "statement.json"
    script.write_text(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0])
    command = (sys.executable, "-I", str(script), str(envelope), str(key.folder / "signing.pub.pem"))
    whole = sealed(key)
    envelope.write_bytes(whole)
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert json.loads(done.stdout)["subject"] == [{"name": "factory/r1/t", "digest": {"gitCommit": "c1" * 20}}]
    at = whole.index(b'"payload": "') + 60
    envelope.write_bytes(whole[:at] + (b"A" if whole[at : at + 1] != b"A" else b"B") + whole[at + 1 :])
    broken = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "InvalidSignature" in broken.stderr


def test_the_in_toto_library_takes_it(key: HostKey) -> None:
    document = json.loads(unseal(sealed(key), key.public()))
    message = ParseDict(document, Message())
    InToto.copy_from_pb(message).validate()
    predicate = {name: value for name, value in document["predicate"].items() if not name.startswith("switchyard_")}
    provenance = ParseDict(predicate, Provenance())
    assert provenance.build_definition.resolved_dependencies[0].digest["gitCommit"] == "b0" * 20
    assert provenance.run_details.byproducts[0].digest["sha256"] == "cd" * 32
    assert provenance.run_details.metadata.invocation_id == "r1/t"


def test_a_statement_is_read_as_it_was_written() -> None:
    statement = made()
    assert Statement.read(statement.as_bytes()) == statement
    assert statement.as_bytes() == made().as_bytes()
    (claim,) = statement.predicate.claims
    assert (claim.seq, claim.hash, claim.reason) == (7, "ab" * 32, "a name that is no UTF-8: \\udcff")
    assert plain("\udcff") == "\\udcff"


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"payload": 1, "payloadType": "x", "signatures": []}',
        b'{"payload": "", "payloadType": "x", "signatures": [1]}',
        b'{"payload": "", "payloadType": "x", "signatures": [{"keyid": ["a"], "sig": "AA=="}]}',
        b'{"payload": "", "payloadType": "x", "signatures": [{"keyid": "a", "sig": ""}, {"keyid": "a", "sig": ""}]}',
        b"[" * 100_000,
    ],
    ids=range(9),
)
def test_what_is_no_envelope_is_refused(key: HostKey, envelope: bytes) -> None:
    key.signer()
    with pytest.raises(EnvelopeInvalid):
        unseal(envelope, key.public())


def test_an_envelope_that_nobody_signed_is_refused(key: HostKey) -> None:
    document = json.loads(sealed(key))
    unsigned = json.dumps({**document, "signatures": []}).encode()
    with pytest.raises(EnvelopeInvalid, match="signed by nobody"):
        unseal(unsigned, key.public())
    other = json.dumps({**document, "payloadType": "text/plain"}).encode()
    with pytest.raises(EnvelopeInvalid, match="text/plain"):
        unseal(other, key.public())


def test_a_signature_under_a_borrowed_name_is_refused(key: HostKey, tmp_path: Path) -> None:
    key.signer()
    other = HostKey(tmp_path / "other")
    document = json.loads(sealed(other))
    document["signatures"][0]["keyid"] = key.public().keyid
    with pytest.raises(EnvelopeInvalid, match="is not of this statement"):
        unseal(json.dumps(document).encode(), key.public())


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b'{"_type": "https://in-toto.io/Statement/v0.1"}'])
def test_what_is_no_statement_of_a_task_is_refused(payload: bytes) -> None:
    with pytest.raises(EnvelopeInvalid, match="no statement of a task"):
        Statement.read(payload)
