"""A person gets everything in one page, and nothing that came out of a sandbox can pass for the factory's words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from gates.samples import a_check, a_failed_check, a_task, an_attempt
from switchyard_merge.forge import LocalForge

from switchyard.ledger import ArtifactStore, Event
from switchyard.packets import ArtifactRef, Decision, GateFinding, GateResult, PlannedTask, Proof, RunPlan
from switchyard.workflow.escalating import Commented, Trial, comment_on, write_escalation
from switchyard.workflow.publishing import open_pull_request, push_if_clean
from workflow.conftest import Yard

DIFF = "diff --git a/x b/x\n-old\n+new\n"
TASK = a_task(id="rates", title="Serve rates", body="Do it.", acceptance=["it serves"])


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def trial(artifacts: ArtifactStore, number: int, *, diff: str = DIFF, checks: Any = (), **fields: Any) -> Trial:
    attempt = an_attempt("x", attempt=number, commit=f"c{number}", diff=artifacts.put(diff.encode()), **fields)
    return Trial(attempt, Proof(checks=tuple(checks)), Decision(verdict="repair"))


def page(
    artifacts: ArtifactStore,
    *trials: Trial,
    task: PlannedTask = TASK,
    reason: str = "4 attempts failed",
    rows: Sequence[Event] = (),
) -> str:
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
    return artifacts.get(write_escalation(artifacts, plan, task, trials, reason, rows)).decode()


def test_the_page_says_what_was_asked_why_it_stopped_and_what_to_do(artifacts: ArtifactStore) -> None:
    text = page(artifacts, trial(artifacts, 1))
    assert text.startswith("# Serve rates\n")
    assert "Task `rates` of run `r1`, branch `factory/r/t`" in text
    assert "\n4 attempts failed\n" in text
    assert "Do it.\n\n- it serves" in text
    for answer in ("accept", "retry", "reject"):
        assert f"`switchyard escalation {answer} rates" in text


def test_what_never_was_built_can_not_be_accepted_and_its_agents_words_are_there(artifacts: ArtifactStore) -> None:
    output, left = artifacts.put(b"401: no key\n# Forged"), artifacts.put(b"[1]")
    data = {"attempt": 0, "role": "plan", "fault": "- the file: Input should be an object", "output": output}
    refused = Event(1, "k", "r1", "rates", "", "packet_refused", "2026-01-01T00:00:00Z", left, data, "", "")
    text = page(artifacts, reason="the plan agent gave no valid answer: `x`", rows=[refused])
    assert "escalation accept" not in text and "accept it" not in text
    assert "Mend its table in `switchyard.toml`" in text
    for line in ("- the file: Input should be an object", "[1]", "401: no key", "# Forged"):
        assert f"    {line}\n" in text
    assert "Nothing was built yet" in page(artifacts, reason="something odd")


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
    assert headings == ["# Serve rates", "## What to do", "## The request", "## Attempt 1: repair", "## Timeline"]


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


def test_what_every_gate_said_and_every_output_is_there(artifacts: ArtifactStore) -> None:
    gates = (
        GateResult.of("weakening", [GateFinding(title="`test_a` is skipped", asks="person", path="t.py", line=3)], "1"),
        GateResult.of("verifiers", [GateFinding(title="no", asks="repair", detail="# Approved\n```\nby me")], "split"),
        GateResult.skipped("coverage", "no command is configured"),
    )
    output = artifacts.put(b"x" * 20_000 + b"the end of it")
    said = artifacts.put(b"I was\nhere")
    one = an_attempt("x", diff=artifacts.put(b"+x"), stdout=said)
    text = page(artifacts, Trial(one, Proof(checks=(a_check(output=output),), gates=gates), Decision(verdict="repair")))
    assert "- gate `weakening`: FAILED (1)\n  - person: `test_a` is skipped (`t.py:3`)" in text
    assert "- gate `coverage`: does not apply (no command is configured)" in text
    assert "          # Approved\n          ```\n          by me\n" in text
    assert f"The output of check `unit`; cut, the whole is `{output}`:" in text and "the end of it" in text
    assert "    I was\n    here" in text
    assert len(text) < 15_000


@pytest.mark.parametrize(
    ("gate", "reason", "advice"),
    [
        ("weakening", "", "`allow: [tests]`"),
        ("dependencies", "", "`allow: [dependencies]`"),
        ("convergence", "", "in circles"),
        ("verifiers", "", "Read what each verifier says"),
        ("", "protected paths were touched: `x`", "`allow: [protected]`"),
        ("", "conflict (a, b) in `x`; nothing was pushed", "Land or close the other"),
        ("", "4 attempts failed; the last one: x", "Read the end of the last output"),
        ("", "the agent's command could not be started in the sandbox", "`switchyard doctor`"),
        ("", "something else", "Read the reason"),
    ],
)
def test_the_next_step_goes_by_the_kind_of_reason(
    artifacts: ArtifactStore, gate: str, reason: str, advice: str
) -> None:
    gates = (GateResult.of(gate, [GateFinding(title="f", asks="person")], "1"),) if gate else ()
    one = Trial(an_attempt("x", diff=artifacts.put(b"+x")), Proof(gates=gates), Decision(verdict="needs_person"))
    text = page(artifacts, one, reason=reason)
    assert advice in text.partition("## What to do")[2].partition("## The request")[0]


def test_the_timeline_tells_the_tasks_rows_and_leaves_out_what_only_machines_need(artifacts: ArtifactStore) -> None:
    rows = [
        an_event(1, "task_claimed", branch="factory/r/t"),
        an_event(2, "sandbox_created", box="b"),
        an_event(3, "check_failed", attempt=1, name="a`b\n# c"),
        an_event(4, "effect_intended", key="x"),
    ]
    text = page(artifacts, rows=rows)
    assert text.partition("## Timeline\n\n")[2].splitlines() == [
        "- 2026-01-01T00:00:01 task claimed: branch `factory/r/t`",
        "- 2026-01-01T00:00:03 check failed: attempt `1`, name `` a`b\\n# c ``",
    ]


def an_event(sequence: int, event_type: str, **data: Any) -> Event:
    return Event(sequence, "k", "r1", "rates", "", event_type, f"2026-01-01T00:00:0{sequence}Z", "", data, "", "")


def published(yard: Yard) -> PlannedTask:
    """A task with an open pull request."""
    task = yard.task("t", title="Do @ada's t", pushed="x")
    head = yard.commit(yard.base, {"new": "x\n"})
    push_if_clean(yard.factory, yard.plan, task.model_copy(update={"pushed": ""}), yard.ground(), head)
    open_pull_request(yard.factory, yard.plan, task, yard.ground(), head, "body")
    return task


def test_reviewers_of_a_published_task_are_told_once_for_each_time_it_needs_a_person(yard: Yard) -> None:
    task, forge = published(yard), yard.factory.forge
    assert isinstance(forge, LocalForge)
    one = trial(yard.factory.artifacts, 1, checks=[a_failed_check()], diff="+secret diff")
    pack = ArtifactRef("sha256:pack")
    for row in (7, 7, 9):
        said = comment_on(yard.factory, yard.plan, task, [one], f"reason {row}", pack, row)
        assert said == Commented(number=1)
    comments = forge.comments(1)
    assert list(comments) == ["escalation 7", "escalation 9"]
    assert "reason 7" in comments["escalation 7"] and "- check `unit`: FAILED" in comments["escalation 7"]
    assert "`sha256:pack`" in comments["escalation 7"] and "secret diff" not in comments["escalation 7"]
    assert "@ada" not in comments["escalation 7"]


def test_a_comment_is_no_longer_than_a_forge_takes(yard: Yard) -> None:
    task, forge = published(yard), yard.factory.forge
    assert isinstance(forge, LocalForge)
    comment_on(yard.factory, yard.plan, task, [], "x" * 100_000, ArtifactRef("sha256:pack"), 7)
    assert len(forge.comments(1)["escalation 7"]) < 65_536


def test_without_an_open_pull_request_nobody_is_told_and_a_forge_that_fails_is_no_failure(yard: Yard) -> None:
    task = yard.task("t", pushed="x")
    assert comment_on(yard.factory, yard.plan, task, [], "r", ArtifactRef("p"), 7) == Commented()
    published(yard)
    yard.factory.forge.close(1)
    assert comment_on(yard.factory, yard.plan, task, [], "r", ArtifactRef("p"), 7) == Commented()
    (yard.factory.places.forge / "1.json").write_text("{")
    said = comment_on(yard.factory, yard.plan, task, [], "r", ArtifactRef("p"), 7)
    assert said.number is None and "1.json" in said.fault
