"""`switchyard run` on GitHub's wire: from task files to pull requests, whatever GitHub, a person or a kill does."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.github.faults import Fault
from fakes.github.fixtures import github, github_service
from fakes.github.ground import Ground

from end_to_end.github_plot import GitHubPlot

pytestmark = pytest.mark.sandbox
__all__ = ["github", "github_service"]
PATIENCE_S = 60
MOST_READS = 5
"""Of one run, however many tasks it has."""


@pytest.mark.slow
def test_a_diamond_is_published_through_a_limit_and_a_kill_and_never_twice(tmp_path: Path, github: Ground) -> None:
    plot = GitHubPlot(tmp_path, github)
    plot.diamond("labels: [factory, small]")
    slow = {"Retry-After": "3"}
    github.faults.add(
        Fault("POST", "/pulls$", status=403, message="You have exceeded a secondary rate limit", headers=slow)
    )
    killed = plot.start("run")
    deadline = time.monotonic() + PATIENCE_S
    # The one that was put off, its second try, and one of another task.
    while len(github.faults.writes) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.kill()
    _, err = killed.communicate()
    assert b"waiting for GitHub: 3 s (secondary rate limit)" in err

    assert 0 < len(github.pulls()) < 4
    github.faults.clear()
    done = plot.run("run", "--json")
    assert done.code == 0, [event["data"] for event in done.events if event["event_type"] == "task_finished"]
    # Each one that was missing, labels of those that were not, then the map of all four.
    assert len(github.faults.writes) <= 3 + 2 + 4
    # Beyond those that ask for the reviews of each that was open when it began.
    assert sum(not re.search(r"/(pulls|commits)/\w", request.path) for request in github.faults.reads) <= MOST_READS
    assert plot.bases() == {"a": "main", "b": "a", "c": "a", "d": "join-d"}
    pulls = plot.pulls()
    assert all("#" + str(pulls["d"]["number"]) in pull["body"] for pull in pulls.values())
    labels = {name: sorted(label["name"] for label in pull["labels"]) for name, pull in pulls.items()}
    assert labels == {name: ["factory", "small"] for name in "abcd"}
    rows = plot.rows()
    assert all(row["attempts"] == 1 and row["state"] == "published" for row in rows.values())
    join, head = (f"factory/{rows['d']['run']}/{name}" for name in ("join-d", "d"))
    assert plot.git("diff", "--name-only", f"{join}..{head}", at=plot.origin) == "made-by-d.txt\n"

    heads = dict(github.heads())
    github.faults.clear()
    again = plot.run("run")
    assert (again.code, github.faults.writes, dict(github.heads())) == (0, [], heads)
    assert plot.files_with("tok_owner") == []


@pytest.mark.nightly
def test_a_bad_token_a_rival_and_an_interrupt_lose_nothing(tmp_path: Path, github: Ground) -> None:
    plot = GitHubPlot(tmp_path, github, {"a": "sleep 2\necho a > a.txt\n", "b": "sleep 2\necho b > b.txt\n"})
    plot.task("a")
    github.faults.expired.add("gho_wrong")
    plot.extra["GITHUB_TOKEN"] = "gho_wrong"
    refused = plot.run("run", "--json")
    assert (refused.code, "Bad credentials" in refused.error["message"]) == (1, True)
    assert plot.rows()["a"]["state"] == "waiting"

    # One that ends while the agent works: its work is published by the next run, and not done again.
    plot.extra["GITHUB_TOKEN"] = "tok_owner"
    running = plot.start("run", "--json")
    until(running, "sandbox_created")
    github.faults.expired.add("tok_owner")
    out, _ = running.communicate()
    finished = [event for event in lines(out) if event["event_type"] == "task_finished"]
    assert (running.returncode, "Authentication failed" in finished[0]["data"]["reason"]) == (1, True)
    github.faults.expired.clear()
    done = plot.run("run", "--json")
    assert done.code == 0
    assert "assignment_dispatched" not in {event["event_type"] for event in done.events}
    assert plot.bases() == {"a": "main"}

    # A branch that a person pushes first under the factory's name is theirs.
    plot.task("b")
    running = plot.start("run", "--json")
    branch = until(running, "task_claimed", task="b")["data"]["branch"]
    theirs = github.branch(branch, "a person's", parent="main")
    out, _ = running.communicate()
    finished = [event for event in lines(out) if event["event_type"] == "task_finished"]
    assert (running.returncode, "somebody else moved it" in finished[-1]["data"]["reason"]) == (1, True)
    assert github.heads()[branch] == theirs
    assert list(plot.bases()) == ["a"]

    # A wait of ten minutes is ended by an interrupt, and gone on with.
    plot.task("c", "labels: [factory]")
    told = "You have exceeded a secondary rate limit"
    github.faults.add(Fault("POST", "/pulls$", status=429, message=told, headers={"Retry-After": "600"}))
    running = plot.start("run", "c", "--json")
    waiting = until(running, "forge_waiting")
    assert waiting["data"] == {"reason": "secondary rate limit", "seconds": 600}
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 130
    # What GitHub refuses at the run's end is said, and done by the next run.
    github.faults.add(Fault("PATCH", "/issues/", status=422, message="Validation Failed"))
    done = plot.run("run", "c")
    assert (done.code, "Validation Failed" in done.err) == (0, True)
    assert plot.bases() == {"a": "main", "c": "main"}
    assert "Validation Failed" not in plot.run("run").err
    assert [label["name"] for label in plot.pulls()["c"]["labels"]] == ["factory"]


def until(running: subprocess.Popen[bytes], event_type: str, *, task: str = "") -> Mapping[str, Any]:
    """Read the stream of a run up to its first event of a type."""
    assert running.stdout is not None
    for line in running.stdout:
        event: Mapping[str, Any] = json.loads(line)
        if event["event_type"] == event_type and (not task or event["task_id"] == task):
            return event
    raise AssertionError(f"no {event_type}; stderr: {running.communicate()[1]!r}")


def lines(out: bytes) -> list[Mapping[str, Any]]:
    """The rest of a run's stream."""
    return [json.loads(line) for line in out.splitlines()]
