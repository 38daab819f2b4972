"""What `status` and `show` tell people about a task, from the documents that scripts get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from switchyard.cli.standing import attempt_diff, attempt_logs, describe_task, rows_of
from switchyard.errors import UsageError
from switchyard.ledger import ArtifactStore
from switchyard.workflow.places import Places

NOTHING: dict[str, Any] = {"preparation": [], "findings": []}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def a_row(**fields: Any) -> dict[str, Any]:
    plain = {"id": "t", "title": "T", "state": "needs_person", "attempts": 2, "reason": None, "pull_request": None}
    return plain | dict.fromkeys(("run", "branch", "base", "head")) | fields


def an_attempt(places: Places, number: int, **fields: Any) -> dict[str, Any]:
    put = ArtifactStore(places.artifacts).put
    texts = {name: put(f"{name} {number}\n".encode()) for name in ("diff", "stdout", "stderr")}
    plain = {"attempt": number, "limit": None, "signal": None, "exit_code": 0, "duration_s": 1.0, "commit": "c"}
    check = {"name": "unit", "passed": False, "duration_s": 2.0, "output": put(b"1 failed\n")}
    return {**plain, **texts, "changed": [], "checks": [check], "decision": None, **fields}


def a_document(places: Places, **fields: Any) -> dict[str, Any]:
    attempts = [an_attempt(places, 1), an_attempt(places, 2, signal=11, exit_code=None)]
    return {"task": a_row(**fields), "attempts": attempts, "escalation": None, **NOTHING}


def test_a_table_leaves_the_run_out_of_a_base() -> None:
    pull = {"number": 3, "base": "factory/20260101-120000-abcdef/join-t"}
    assert rows_of([a_row(pull_request=pull, reason="why\nmore")]) == [
        ("t", "needs person", "2", "#3", "…/join-t", "why")
    ]
    assert rows_of([a_row(pull_request={"number": 1, "base": "main"})])[0][4] == "main"


def test_show_tells_a_signal_and_the_long_reason_only_once(places: Places) -> None:
    document = a_document(places, reason="2 attempts failed\n\nthe long story")
    document["attempts"][1]["decision"] = {
        "verdict": "needs_person",
        "reasons": ["2 attempts failed\n\nthe long story"],
    }
    text = describe_task(document)
    assert "attempt 2: agent ended by signal 11 after 1.0 s" in text
    assert text.count("the long story") == 1
    assert not any(line != line.rstrip() for line in text.splitlines())
    document["task"]["reason"] = "its parents conflict\nin a file"
    assert "in a file" in describe_task(document), "what no attempt's decision tells is told whole"
    unstarted = {"task": a_row(reason="no base\nbecause"), "attempts": [], "escalation": None, **NOTHING}
    assert "because" in describe_task(unstarted)


def test_every_attempt_has_its_diff_and_its_logs(places: Places) -> None:
    document = a_document(places)
    assert attempt_diff(places, document, None) == "diff 2"
    assert attempt_diff(places, document, 1) == "diff 1"
    told = "== agent ==\nstdout 1\n\n== agent, errors ==\nstderr 1\n\n== check unit, FAILED ==\n1 failed"
    assert attempt_logs(places, document, 1) == told


def test_a_check_that_was_run_again_says_so(places: Places) -> None:
    document = a_document(places)
    check = document["attempts"][0]["checks"][0]
    document["attempts"][0]["checks"] = [check, {**check, "again": 1}]
    assert "  check    unit: FAILED, run again (2.0 s), output" in describe_task(document)
    assert "== check unit, FAILED, run again ==" in attempt_logs(places, document, 1)


def test_an_empty_output_has_no_heading(places: Places) -> None:
    empty = ArtifactStore(places.artifacts).put(b"")
    document = a_document(places)
    document["attempts"][1] |= {"stdout": empty, "checks": []}
    assert attempt_logs(places, document, None) == "== agent, errors ==\nstderr 2"


def test_an_attempt_that_never_was_is_wrong_usage(places: Places) -> None:
    with pytest.raises(UsageError, match="t has no attempt 5") as caught:
        attempt_diff(places, a_document(places), 5)
    assert caught.value.hint == "its last is attempt 2"
    with pytest.raises(UsageError, match="has had no attempt yet"):
        attempt_logs(places, {"task": a_row(), "attempts": []}, None)


def test_show_tells_what_the_agent_says_of_its_work_and_found_besides(places: Places) -> None:
    document = a_document(places)
    account = {"summary": "Serves rates.", "rationale": "The table\nwas there.", "confidence": 0.8, "fault": ""}
    document["attempts"][1]["result"] = {**account, "discovered": 1, "artifact": "sha256:a"}
    filed = {"outcome": "filed", "title": "Dust", "task": "dust-1", "reason": ""}
    document["findings"] = [filed, {**filed, "outcome": "kept", "task": "", "reason": "the run has filed 20 already"}]
    refused = {"kind": "refused", "role": "plan", "fault": "- targets: `x` is protected", "packet": None}
    document["preparation"] = [refused, {"kind": "plan", "role": "plan", "agent": "", "packet": "sha256:b"}]
    text = describe_task(document)
    assert "  summary  Serves rates. (confidence 0.8)\n  because  The table\n           was there.\n" in text
    assert "found besides:\n  Dust (filed as dust-1)\n  Dust (not filed: the run has filed 20 already)" in text
    assert "plan: an answer was refused\n  - targets: `x` is protected" in text
    assert "plan: agent default, answer sha256:b" in text
