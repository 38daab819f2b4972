"""What agents find besides their tasks comes to the tracker once, as drafts that nobody works on unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import Plot

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
CACHE = {"title": "The cache never expires entries", "detail": "Memory grows.", "paths": ["src/cache.py"]}
AGAIN = {
    "title": "Cache entries are never evicted",
    "detail": "No TTL: memory keeps growing.",
    "paths": ["src/cache.py"],
}
OTHER = {"title": "Unused import os", "paths": ["src/auth.py"]}


def finding(*found: dict[str, Any]) -> str:
    """An agent that makes its file and leaves these findings."""
    told = json.dumps({"summary": "Made it.", "discovered": found})
    return f"echo x > \"made-by-$1.txt\"\ncat > ~/result.json <<'END'\n{told}\nEND\n"


def drafts(plot: Plot) -> dict[str, dict[str, Any]]:
    listed = plot.run("task", "list", "--state", "draft", "--json").document["tasks"]
    return {task["title"]: task for task in listed}


def rows(plot: Plot, kind: str) -> list[dict[str, Any]]:
    events = plot.run("ledger", "tail", "--json", "-n", "1000").events
    return [{**row["data"], "by": row["task_id"]} for row in events if row["event_type"] == kind]


@pytest.mark.nightly
def test_a_finding_becomes_one_draft_that_waits_for_a_person(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"one": finding(CACHE), "two": finding(AGAIN, OTHER)})
    plot.task("one")
    plot.task("two")
    assert plot.run("run").code == 0
    found = drafts(plot)
    (kept,) = [title for title in found if "ache" in title]
    assert set(found) == {kept, "Unused import os"}
    assert found["Unused import os"]["discovered_from"] == "two"
    assert found[kept]["targets"] == ["src/cache.py"]
    (merged,) = rows(plot, "finding_merged")
    assert merged["task"] == found[kept]["id"]
    assert {row["task"] for row in rows(plot, "finding_filed")} == {task["id"] for task in found.values()}

    draft = found["Unused import os"]["id"]
    assert plot.run("run").code == 0
    assert draft not in plot.branches()
    assert plot.run("run", draft).code == 2
    plot.run("task", "approve", draft)
    assert plot.run("run", draft).code == 0
    assert draft in plot.branches()


@pytest.mark.nightly
def test_what_a_person_took_out_and_what_is_too_much_is_not_filed_again(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"one": finding(CACHE, OTHER), "two": finding(AGAIN)})
    plot.write("switchyard.toml", (plot.repo / "switchyard.toml").read_text() + "[tasks]\nmost_findings = 1\n")
    plot.task("one")
    assert plot.run("run").code == 0
    (draft,) = drafts(plot).values()
    assert [row["reason"] for row in rows(plot, "finding_kept")] == ["the run has filed 1 already"]

    (plot.repo / ".switchyard" / "tasks" / f"{draft['id']}.md").unlink()
    plot.task("two")
    assert plot.run("run").code == 0
    assert drafts(plot) == {}
    assert [row["task"] for row in rows(plot, "finding_merged")] == [draft["id"]]
