"""What a real run claims can be asked for, is signed with a key that no sandbox sees, and is verified by others."""

from __future__ import annotations

import base64
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from end_to_end.plot import Plot

pytestmark = pytest.mark.sandbox

NOSY = """\
echo by one > by-one.txt
env
cat "$HOME/.config/switchyard/signing.pem" 2>&1 || true
"""


class Keyed(Plot):
    """A plot whose command finds a key in its environment."""

    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "FACTORY_KEY": self.key}


def state_of(plot: Plot) -> Path:
    return plot.repo / ".git" / "switchyard"


def holds_text(folder: Path, text: str) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def evidence(plot: Plot, *arguments: str) -> Any:
    ending = plot.run("show", *arguments, "--evidence", "--json")
    assert ending.code == 0, ending.err
    return ending.document


@pytest.mark.slow
def test_a_published_task_is_proven_and_its_proof_holds_until_it_is_touched(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"one": NOSY})
    plot.task("one")
    done = plot.run("run")
    assert done.code == 0, done.err
    assert "one  statement signed" in done.err

    document = evidence(plot, "one")
    assert document["missing"] == []
    names = [claim["claim"] for claim in document["claims"]]
    assert not [name for name in names if name.startswith("gate-")], "each gate has a claim of its own"
    assert {claim["outcome"] for claim in document["claims"]} <= {"holds", "not_applicable"}
    assert all(claim["reason"] for claim in document["claims"] if claim["outcome"] == "not_applicable")
    assert {claim["artifact_state"] for claim in document["claims"]} == {None, "whole"}
    assert "by one" in plot.run("show", "one", "--diff").out

    verified = plot.run("show", "one", "--verify")
    assert (verified.code, verified.out.partition(":")[0]) == (0, "holds"), verified.out

    folder = plot.home / ".config" / "switchyard"
    envelope = plot.run("show", "one", "--statement").document
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    public = load_pem_public_key((folder / "signing.pub.pem").read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), encoded)
    assert json.loads(payload)["subject"][0]["digest"] == {"gitCommit": plot.branches()["one"]}

    secret = (folder / "signing.pem").read_text().splitlines()[1]
    assert holds_text(state_of(plot), secret) == []
    assert "PRIVATE KEY" not in plot.run("show", "one", "--logs").out

    with sqlite3.connect(state_of(plot) / "switchyard.db") as database:
        database.execute("DROP TRIGGER ledger_is_append_only_update")
        database.execute("UPDATE ledger SET timestamp = '2020' WHERE event_type = 'check_passed'")
    database.close()
    broken = plot.run("show", "one", "--verify")
    assert broken.code == 1
    assert broken.out.startswith("does not hold: ledger: the ledger's chain breaks at row")
    assert "tests-executed" in broken.out


@pytest.mark.nightly
def test_a_key_of_the_environment_signs_and_a_lost_one_keeps_nothing_from_being_published(tmp_path: Path) -> None:
    plot = Keyed(tmp_path, {"one": NOSY})
    settings = (plot.repo / "switchyard.toml").read_text()
    plot.commit({"switchyard.toml": f'{settings}[evidence]\nsigning_key_env = "FACTORY_KEY"\n'})
    plot.task("one")
    plot.run("run")
    assert plot.run("show", "one", "--verify").code == 0
    assert not (plot.home / ".config").exists()
    secret = plot.key.splitlines()[1]
    assert holds_text(state_of(plot), secret) == []
    assert "FACTORY_KEY" not in plot.run("show", "one", "--logs").out

    plot.key = ""
    plot.task("two")
    done = plot.run("run", "two")
    assert done.code == 0, done.err
    assert "statement NOT signed: the environment has no FACTORY_KEY" in done.err
    assert plot.rows()["two"]["state"] == "published"
    ((claim,), missing) = (lambda found: (found["claims"], found["missing"]))(evidence(plot, "--outcome", "fails"))
    assert (claim["task"], claim["claim"], missing) == ("two", "statement-signed", [])
    unsigned = plot.run("show", "two", "--verify")
    assert unsigned.code == 1
    assert unsigned.out.startswith("does not hold: envelope: no statement of 'two' was signed")
