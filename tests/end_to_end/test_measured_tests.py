"""What an attempt's tests are worth, with Node's own coverage: which lines they run, and which faults they notice."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import CONFIG, Ending, Plot

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("node") is None, reason="needs node"),
]
GATES = """
[gates.coverage]
command = "NODE_V8_COVERAGE=cov node --test"
report = "cov"
[gates.mutation]
command = "unit"
most = 3
percent = 60
"""
SOURCE = """\
cat > "grade-$1.js" <<'END'
exports.grade = (points) => {
  return points >= 50 ? 'pass' : 'fail';
};
END
"""
TEST = """\
cat > "grade-$1.test.js" <<END
const test = require('node:test');
const assert = require('node:assert');
const { grade } = require('./grade-$1.js');
test('grade', () => {
  %s
});
END
"""
ASSERTED = "for (const [points, mark] of [[49, 'fail'], [50, 'pass'], [51, 'pass']]) assert.equal(grade(points), mark);"
AGENTS = {
    "asserted": SOURCE + TEST % ASSERTED,
    "asleep": SOURCE + TEST % "grade(1); grade(99);",
    "mended": f'if test -e "grade-$1.js"; then {TEST % ASSERTED}fi\n{SOURCE}',
}


def gates_of(ending: Ending, task: str, name: str) -> list[dict[str, Any]]:
    """What one gate said of each attempt of a task."""
    rows = [event for event in ending.events if event["event_type"] == "gate_decided" and event["task_id"] == task]
    return [row["data"] for row in rows if row["data"]["gate"] == name]


def test_tests_that_run_nothing_or_claim_nothing_are_sent_back(tmp_path: Path) -> None:
    config = CONFIG.replace('kept = "test -e kept.txt"', 'unit = "node --test"').replace("repairs = 0", "repairs = 1")
    first_test = {"base.test.js": "require('node:test')('there', () => {});\n"}
    plot = Plot(tmp_path, AGENTS, {"switchyard.toml": config + GATES, **first_test})
    for name in AGENTS:
        plot.task(name)
    ending = plot.run("run", "--json")

    states = {name: (row["state"], row["attempts"]) for name, row in plot.rows().items()}
    assert states == {
        "asserted": ("published", 1),
        "mended": ("published", 2),
        "asleep": ("needs_person", 2),
    }
    assert [said["outcome"] for said in gates_of(ending, "mended", "coverage")] == ["failed", "passed"]
    (covered,), (noticed,) = (gates_of(ending, "asserted", name) for name in ("coverage", "mutation"))
    assert covered["reason"].startswith("100 % of 2 lines")
    assert noticed["reason"].startswith("tests notice 3 of 3 faults")

    unrun = gates_of(ending, "mended", "coverage")[0]["findings"]
    assert [(found["path"], found["asks"]) for found in unrun] == [("grade-mended.js", "repair")]
    assert gates_of(ending, "mended", "mutation")[0]["outcome"] == "not_applicable"

    asleep = gates_of(ending, "asleep", "mutation")[-1]
    assert {found["title"] for found in asleep["findings"]} == {
        "no test fails when `points >= 50` becomes `points < 50`",
        "no test fails when `points >= 50` becomes `points > 50`",
        "no test fails when `return points >= 50 ? 'pass' : 'fail';` becomes `return undefined;`",
    }
    assert plot.run("sandbox", "list", "--json").document["sandboxes"] == []
