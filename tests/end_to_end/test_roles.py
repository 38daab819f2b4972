"""Before one agent builds, another asks what is open and a third plans; each leaves one packet, and no edits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import CONFIG, Plot

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ROLES = """
[agent.asker]
command = ["sh", ".agents/ask.sh", "{prompt_file}"]
[agent.planner]
command = ["sh", ".agents/plan.sh", "{task_id}", "{prompt_file}"]
[roles]
clarify = "asker"
plan = "planner"
"""
ASK = """
echo junk > kept.txt
if grep -q 'Blue, please' "$1" || ! grep -q 'Which colour' "$1"; then
    echo '{"acceptance": ["it is seen to be `done`"], "summary": "s"}' > ~/result.json
else
    cat > ~/result.json <<'END'
{"questions": ["Which colour?\\n```\\n# Not a heading"]}
END
fi
"""
PLAN = """
echo junk > kept.txt
grep -q 'seen to be `done`' "$2" || exit 3
cat ".agents/$1.plan" > ~/result.json
"""
BUILD = 'cp "$SWITCHYARD_PROMPT_FILE" "made-by-$1.txt"'


def plan(*paths: str) -> str:
    return json.dumps(
        {"summary": "Straight on.", "steps": ["Write it."], "targets": [{"path": path} for path in paths]}
    )


@pytest.fixture
def plot(tmp_path: Path) -> Plot:
    files = {
        "switchyard.toml": CONFIG + ROLES,
        ".agents/ask.sh": ASK,
        ".agents/plan.sh": PLAN,
        ".agents/one.plan": plan("lib.py", "made-by-one.txt"),
        ".agents/two.plan": plan("lib.py", "made-by-two.txt"),
        ".agents/bad.plan": plan("../outside.txt"),
        ".agents/guarded.plan": plan("switchyard.toml"),
        "lib.py": "import os\n",
    }
    return Plot(tmp_path, {"one": BUILD, "two": BUILD}, files)


def rows(plot: Plot) -> list[dict[str, Any]]:
    return plot.run("ledger", "tail", "--json", "-n", "1000").events


@pytest.mark.nightly
def test_plans_reach_the_builder_and_keep_tasks_that_would_meet_apart(plot: Plot) -> None:
    plot.task("one")
    plot.task("two")
    ending = plot.run("run")
    assert ending.code == 0, ending.out + ending.err
    assert plot.changes("one") == ["A made-by-one.txt"]
    told = plot.git("show", f"{plot.branches()['one']}:made-by-one.txt", at=plot.origin)
    assert "seen to be `done`" in told
    assert "1. Write it." in told
    assert "- change lib.py" in told

    events = rows(plot)
    spans = {name: _span(events, name) for name in ("one", "two")}
    first, second = sorted(spans.values())
    assert first[1] < second[0], "both plans name lib.py, so one waits until the other is done"
    kinds = [(row["event_type"], row["data"].get("role")) for row in events if row["task_id"] == "one"]
    dispatched = [role for kind, role in kinds if kind == "assignment_dispatched"]
    assert dispatched == ["clarify", "plan", "build"]
    assert all(row["artifact_reference"] for row in events if row["event_type"] == "assignment_dispatched")
    (generated,) = [row for row in events if row["event_type"] == "plan_generated" and row["task_id"] == "one"]
    artifact = plot.repo / ".git/switchyard/artifacts/sha256"
    digest = generated["artifact_reference"].removeprefix("sha256:")
    assert json.loads((artifact / digest[:2] / digest).read_text())["schema"] == "switchyard.work_plan/1"


@pytest.mark.nightly
def test_an_open_question_goes_to_a_person_before_any_code_and_the_answer_to_the_next_run(plot: Plot) -> None:
    plot.task("one", body="Which colour shall it have?")
    assert plot.run("run").code == 1
    row = plot.rows()["one"]
    assert (row["state"], row["attempts"]) == ("needs_person", 0)
    assert "Which colour?\n```\n# Not a heading" in row["reason"]
    assert "````" in row["reason"]
    assert plot.branches() == {}
    assert plot.run("escalation", "retry", "one", "--note", "Blue, please").code == 0
    assert plot.run("run").code == 0
    told = plot.git("show", f"{plot.branches()['one']}:made-by-one.txt", at=plot.origin)
    assert "Blue, please" in told


@pytest.mark.nightly
@pytest.mark.parametrize(("task", "said"), [("bad", "no path inside"), ("guarded", "is protected")])
def test_a_plan_that_leaves_the_repository_or_touches_what_is_protected_is_refused(
    plot: Plot, task: str, said: str
) -> None:
    plot.task(task)
    assert plot.run("run").code == 1
    row = plot.rows()[task]
    assert (row["state"], row["attempts"]) == ("needs_person", 0)
    (refused,) = [row for row in rows(plot) if row["event_type"] == "packet_refused"]
    assert said in refused["data"]["fault"]
    assert refused["artifact_reference"]


@pytest.mark.nightly
def test_an_agent_that_is_not_there_is_refused_before_anything_runs(plot: Plot) -> None:
    plot.write("switchyard.toml", CONFIG + '[roles]\nplan = "nobody"\n')
    plot.task("one")
    ending = plot.run("run", "--json")
    assert ending.code == 2
    assert "no agent 'nobody'" in ending.error["message"]


def _span(events: list[dict[str, Any]], task: str) -> tuple[int, int]:
    found = {row["event_type"]: row["seq"] for row in events if row["task_id"] == task}
    return found["task_claimed"], found["task_finished"]
