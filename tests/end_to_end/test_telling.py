"""What a run tells people: the page of a pull request, the pack and the comment of a task that needs one, a webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox.upstream import Upstream, running

from end_to_end.plot import CONFIG, Plot

pytestmark = pytest.mark.sandbox

NOTIFY = """\
[notify]
webhook_env = "HOOK_URL"
command = ["sh", "-c", "cat >> told.jsonl; test -z \\"$HOOK_URL\\"", "sh", "{title}"]
"""
RESULT = '{"summary": "Wrote it. Fixes #1", "rationale": "Because <b> it was asked.", "confidence": 0.9}'
AGENTS = {
    "fine": f"mkdir -p src tests; echo 'X = 1' > src/x.py; echo 'import src.x' > tests/test_x.py\n"
    f"echo '{RESULT}' > ~/result.json\n",
    "stuck": "echo half > half.txt; echo 'what I did' ; exit 1\n",
}


class Telling(Plot):
    """A plot whose environment names a webhook."""

    url = ""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "HOOK_URL": self.url}

    def pull(self, number: int) -> dict[str, Any]:
        """A pull request as the local forge keeps it."""
        return dict(json.loads((self.repo / f".git/switchyard/forge/{number}.json").read_text()))


@pytest.fixture
def hook() -> Iterator[Upstream]:
    with running() as upstream:
        yield upstream


def a_plot(folder: Path, url: str) -> Telling:
    plot = Telling(folder, AGENTS, {"switchyard.toml": CONFIG + NOTIFY, ".gitignore": "told.jsonl\n"})
    plot.url = url
    return plot


@pytest.mark.nightly
def test_readers_get_a_page_and_people_are_told_once(tmp_path: Path, hook: Upstream) -> None:
    plot = a_plot(tmp_path, f"{hook.url}/SECRET")
    plot.task("fine")
    plot.task("stuck")
    ending = plot.run("run", "--json")
    assert ending.code == 1
    assert ending.events[-1]["event_type"] == "run_finished"
    body = plot.pull(1)["body"]
    for words in (
        "**Risk: ",
        "> Wrote it. Fixes #\u200b1\\\n> Because \\<b> it was asked.",
        "| kept | ✅ passed, passes on the base |",
        "No verifier is configured: the deterministic gates stand alone.",
    ):
        assert words in body
    opened = next(event for event in ending.events if event["event_type"] == "pull_request_opened")
    assert opened["artifact_reference"]

    pack = plot.run("escalation", "show", "stuck")
    assert pack.code == 0
    for words in ("# Do stuck", "## What to do", "Do it.", "    what I did", "+half", "## Timeline", "policy decided"):
        assert words in pack.out

    texts = sorted(json.loads(body)["text"].splitlines()[0] for _, _, _, body in hook.asked)
    assert texts == ["*Switchyard: run finished: 1 needs person, 1 published*", "*Switchyard: stuck needs a person*"]
    told = [json.loads(line) for line in (plot.repo / "told.jsonl").read_text().splitlines()]
    assert sorted(one["event"] for one in told) == ["needs_person", "run_finished"]
    notified = [event["data"] for event in ending.events if event["event_type"] == "notified"]
    assert len(notified) == 4 and all(one["ok"] for one in notified)
    assert "SECRET" not in ending.out + ending.err

    plot.run("run")
    assert len(hook.asked) == 2, "nothing new happened"


@pytest.mark.nightly
def test_a_webhook_that_is_down_is_a_warning_and_stops_nothing(tmp_path: Path) -> None:
    plot = a_plot(tmp_path, "http://127.0.0.1:1/SECRET")
    plot.task("fine")
    ending = plot.run("run")
    assert ending.code == 0, ending.err
    assert "nobody was told by webhook: no connection" in ending.err
    assert "SECRET" not in ending.out + ending.err
    looked = plot.run("doctor", "--json").document["environment"]
    assert {line["name"]: line["ok"] for line in looked if line["name"].startswith("notify")} == {
        "notify: webhook": True,
        "notify: command": True,
    }


@pytest.mark.nightly
def test_reviewers_hear_that_a_published_task_needs_a_person_now(tmp_path: Path, hook: Upstream) -> None:
    plot = a_plot(tmp_path, hook.url)
    plot.task("fine")
    assert plot.run("run").code == 0
    plot.run("stack", "approve", "fine")
    assert plot.run("stack", "land", "--check", "test ! -e src/x.py").code == 1
    assert plot.rows()["fine"]["state"] == "needs_person", "main would turn red with it"
    before = list(plot.pull(1)["comments"])
    plot.commit({".agents/fine.sh": "exit 1\n"})
    assert plot.run("escalation", "retry", "fine").code == 0
    ending = plot.run("run", "--json")
    assert ending.code == 1
    comments = plot.pull(1)["comments"]
    row = next(event["seq"] for event in ending.events if event["event_type"] == "escalated")
    assert list(comments) == [*before, f"escalation {row}"]
    assert "needs a person" in comments[f"escalation {row}"]
    told = next(event["data"] for event in ending.events if event["event_type"] == "commented")
    assert told == {"number": 1, "fault": "", "row": row}
