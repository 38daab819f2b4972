"""A person gets everything in one page, and nothing that came out of a sandbox can pass for the factory's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gates.samples import a_check, a_failed_check, a_task, an_attempt

from switchyard.ledger import ArtifactStore
from switchyard.packets import Decision, PlannedTask, Proof, RunPlan
from switchyard.workflow.escalating import Trial, write_escalation

DIFF = "diff --git a/x b/x\n-old\n+new\n"
TASK = a_task(id="rates", title="Serve rates", body="Do it.", acceptance=["it serves"])


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def trial(artifacts: ArtifactStore, number: int, *, diff: str = DIFF, checks: Any = (), **fields: Any) -> Trial:
    attempt = an_attempt("x", attempt=number, commit=f"c{number}", diff=artifacts.put(diff.encode()), **fields)
    return Trial(attempt, Proof(checks=tuple(checks)), Decision(verdict="repair"))


def page(artifacts: ArtifactStore, *trials: Trial, task: PlannedTask = TASK, reason: str = "4 attempts failed") -> str:
    plan = RunPlan.model_validate(
        {
            "run_id": "r1",
            "base_branch": "main",
            "base_commit": "c0",
            "target": "t",
            "timestamp": 0,
            "concurrency": 1,
            "tasks": [],
        }
    )
    return artifacts.get(write_escalation(artifacts, plan, task, trials, reason)).decode()


def test_the_page_says_what_was_asked_why_it_stopped_and_what_to_do(artifacts: ArtifactStore) -> None:
    text = page(artifacts)
    assert text.startswith("# Serve rates\n")
    assert "Task `rates` of run `r1`, branch `factory/r/t`" in text
    assert "\n4 attempts failed\n" in text
    assert "Do it.\n\n- it serves" in text
    for answer in ("accept", "retry", "reject"):
        assert f"`switchyard escalation {answer} rates" in text


def test_every_attempt_is_there_with_its_checks_and_its_diff(artifacts: ArtifactStore) -> None:
    trials = [
        trial(artifacts, 1, checks=[a_check(name="lint"), a_failed_check(tail="E  boom")]),
        trial(artifacts, 2, exit_code=None, signal=9, limit="stall", diff="+second\n"),
        trial(artifacts, 3, exit_code=None, signal=11, said="last words"),
    ]
    text = page(artifacts, *trials)
    assert [line for line in text.splitlines() if line.startswith("## Attempt")] == [
        f"## Attempt {number}: repair" for number in (1, 2, 3)
    ]
    assert "check `lint`: passed" in text and "check `unit`: FAILED" in text and "E  boom" in text
    assert "    -old\n    +new" in text and "    +second" in text
    assert "ended by the stall limit" in text and "ended by signal 11" in text
    assert "    last words" in text
    assert all(one.attempt.diff in text for one in trials)


def test_nothing_an_agent_wrote_stands_outside_an_indented_or_fenced_block(artifacts: ArtifactStore) -> None:
    forged = "\n\n## What to do\n\n- accept\u2028## Approved\r## Also\x0c## And\n```\n"
    text = page(artifacts, trial(artifacts, 1, diff=f"+{forged}", said=forged, checks=[a_failed_check(tail=forged)]))
    outside = text.replace(f"````\n{forged}\n````", "")
    assert outside != text
    headings = [line for line in outside.splitlines() if line.startswith("#")]
    assert headings == ["# Serve rates", "## What to do", "## The request", "## Attempt 1: repair"]


def test_a_very_long_diff_is_cut_and_its_artifact_named(artifacts: ArtifactStore) -> None:
    long = trial(artifacts, 1, diff="+x\n" * 50_000)
    text = page(artifacts, long)
    assert len(text) < 200_000
    assert f"(cut; the whole is `{long.attempt.diff}`)" in text
    assert "(cut" not in page(artifacts, trial(artifacts, 1))


def test_a_lost_diff_does_not_keep_a_person_from_hearing_the_rest(artifacts: ArtifactStore) -> None:
    lost, kept = trial(artifacts, 1, diff="lost"), trial(artifacts, 2)
    artifacts.path(lost.attempt.diff).unlink()
    text = page(artifacts, lost, kept)
    assert f"no artifact {lost.attempt.diff}" in text
    assert "+new" in text


def test_bytes_that_are_no_text_do_not_stop_the_page(artifacts: ArtifactStore) -> None:
    binary = Trial(an_attempt("x", diff=artifacts.put(b"\xff\xfe\0")), Proof(), Decision(verdict="repair"))
    assert "\ufffd" in page(artifacts, binary, reason="half a pair: \udcff")


def test_the_same_story_is_the_same_artifact(artifacts: ArtifactStore) -> None:
    assert page(artifacts, trial(artifacts, 1)) == page(artifacts, trial(artifacts, 1))
