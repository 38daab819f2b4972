"""What was so before a change, what it brings along to pass, and where it is checked: from task file to verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import CONFIG, Plot

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]

CHECKS = """\
[checks]
unit = "PYTHONPATH=. python3 -m unittest discover -s tests"
covering = "PYTHONPATH=.:tests python3 -m unittest {tests}"
[environments.strict]
env = { MODE = "strict" }
checks = ["unit"]
"""
FILES = {
    "switchyard.toml": CONFIG.replace('[checks]\nkept = "test -e kept.txt"\n', CHECKS),
    "total.py": "def total(numbers):\n    return sum(numbers)\n",
    "tests/test_total.py": "import unittest\n\nfrom total import total\n\n\nclass TotalTest(unittest.TestCase):\n"
    "    def test_it_adds(self):\n        self.assertEqual(total([1, 2]), 3)\n",
}
NEW_TEST = (
    "import unittest\nfrom total import total\nclass New(unittest.TestCase):\n"
    "    def test_nothing(self):\n        self.assertEqual(total([]), 0)\n"
)
AGENTS = {
    "covered": f"sed -i 's/sum(numbers)/sum(list(numbers))/' total.py\ncat > tests/test_new.py <<'E'\n{NEW_TEST}E\n",
    "words": "echo words > README.md\n",
    "before": "echo more > notes.txt\n",
    "quiet": "echo 'def total(numbers): return 4' > total.py\n"
    "echo 'import unittest; unittest.TestCase.run = lambda *given, **named: None' > sitecustomize.py\n",
    "shadow": "echo 'def total(numbers): return 4' > total.py\n"
    "printf 'print(\"Ran 1 test in 0s\\\\n\\\\nOK\")\\n' > unittest.py\n",
    "strict": "cat > total.py <<'E'\nimport os\n\n\ndef total(numbers):\n"
    "    return 0 if os.environ.get('MODE') else sum(numbers)\nE\n",
}


def test_what_was_so_before_and_what_a_change_brings_along_is_told_apart(tmp_path: Path) -> None:
    plot = Plot(tmp_path, AGENTS, FILES)
    for name in AGENTS:
        plot.task(name, *(["checks: {old: 'test -e gone.txt'}"] if name == "before" else []))
    ending = plot.run("run", "--json")
    rows = [(event["task_id"], event["event_type"], event["data"]) for event in ending.events]
    states = {name: (row["state"], row["reason"]) for name, row in plot.rows().items()}
    assert (ending.code, sorted(plot.branches())) == (1, ["covered", "words"])

    assert "`old` failed: `test -e gone.txt` exited with 1. It failed the same way on the base" in states["before"][1]
    for name in ("quiet", "shadow"):
        assert states[name][0] == "needs_person"
        failed = gate(rows, name, "base-tests")
        assert failed["outcome"] == "failed" and "base's own" in failed["findings"][0]["title"]
    assert gate(rows, "covered", "base-tests")["outcome"] == "passed"
    assert gate(rows, "words", "base-tests")["outcome"] == "not_applicable"

    assert gate(rows, "words", "check:covering")["outcome"] == "not_applicable"
    ran = [data for task, kind, data in rows if task == "covered" and kind == "check_passed"]
    commands = {data.get("on", "change"): data["command"] for data in ran if data["name"] == "covering"}
    assert commands["change"].endswith("unittest tests/test_new.py tests/test_total.py")
    assert commands["base"] == commands["base tests"] == "PYTHONPATH=.:tests python3 -m unittest tests/test_total.py"

    assert "Check `unit@strict` failed" in states["strict"][1] and "`unit`" not in states["strict"][1]
    assert gate(rows, "strict", "flakiness")["reason"].endswith("failed again")

    on_base = [data for _, kind, data in rows if kind.startswith("check_") and data.get("on") == "base"]
    assert {data["name"] for data in on_base} == {"unit", "covering", "unit@strict", "old"}
    assert len({data["commit"] for data in on_base}) == 1
    spans = {data["duration_s"] for data in on_base if data["name"] == "unit"}
    assert len(spans) == 1, "all tasks share one run of a check on the base"


def gate(rows: list[tuple[str, str, Any]], task: str, name: str) -> dict[str, Any]:
    """What the last attempt of a task was told by a gate."""
    found = [data for of, kind, data in rows if of == task and kind == "gate_decided" and data["gate"] == name]
    return dict(found[-1])
