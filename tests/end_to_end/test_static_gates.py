"""Changes that no reader should be shown as ready, from task file to verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import CONFIG, Plot

pytestmark = [pytest.mark.nightly, pytest.mark.sandbox]

TOKEN = ("ghp_", "R4nD0mT0k3nV4lu3R4nD0mT0k3nV4lu3Zq9x")
FILES = {
    "switchyard.toml": CONFIG.replace("repairs = 0", "repairs = 1"),
    "requirements.txt": "flask==3.0\n",
    "app.py": "import json\n",
}
AGENTS = {
    "reaching": "printf 'import subprocess as sp\\nsp.run([\"ls\"])\\n' > tool.py\n",
    "leaking": f"""if test "$SWITCHYARD_ATTEMPT" = 1; then
echo 'key = "{TOKEN[0]}" + "{TOKEN[1]}"' >> app.py; else sed -i 's/^key.*/import os/' app.py; fi\n""",
    "adding": "echo 'evil==1.0' >> requirements.txt\n",
    "allowed": "echo 'gunicorn==1.0' >> requirements.txt\n",
    "dropping": "echo 'q = \"drop  table x\"' >> app.py\n",
    "obeyed": "mkdir -p .GitHub/workflows && echo 'on: push' > .GitHub/workflows/x.yml\n",
}


def test_bad_changes_stop_at_the_gate_that_sees_them_and_ordinary_ones_pass(tmp_path: Path) -> None:
    plot = Plot(tmp_path, AGENTS, FILES)
    for name in AGENTS:
        plot.task(name, *(["allow: [dependencies]"] if name == "allowed" else []))
    ending = plot.run("run", "--json")
    states = {name: (row["state"], row["reason"]) for name, row in plot.rows().items()}
    assert sorted(plot.branches()) == ["allowed", "leaking", "reaching"], states

    for name, told in {
        "adding": "dependencies",
        "dropping": "`DROP TABLE` was added",
        "obeyed": "CI runs it",
    }.items():
        assert states[name][0] == "needs_person" and told in states[name][1], states[name]

    decided = [event for event in ending.events if event["event_type"] == "gate_decided"]
    surface = said(decided, "reaching", "surface")[-1]
    assert surface["outcome"] == "passed" and "1 subprocess" in surface["reason"]
    first, second = said(decided, "leaking", "secrets")
    assert (first["outcome"], second["outcome"]) == ("failed", "passed")
    assert TOKEN[1] not in str(decided)
    assert TOKEN[1] not in plot.git("log", "-p", "--all", "--not", "main", at=plot.origin)
    for name in ("reaching", "adding"):
        told = {event["data"]["gate"] for event in decided if event["task_id"] == name}
        assert told >= {"secrets", "dependencies", "licences", "content", "workflows", "files", "surface"}


def said(decided: list[dict[str, Any]], task: str, gate: str) -> list[dict[str, Any]]:
    """What a gate said of each attempt of a task."""
    return [event["data"] for event in decided if event["task_id"] == task and event["data"]["gate"] == gate]
