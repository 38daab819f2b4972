"""A person's words to the factory: approvals, answers, cancelling, and what the next run makes of them."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from end_to_end.plot import Plot

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]


def test_every_answer_is_heeded_by_the_next_run(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"idle": "exit 1\n", "partial": "echo half > half.txt\nexit 1\n"})
    plot.task("idle")
    partial = plot.task("partial")
    assert plot.run("run").code == 1
    assert {name: row["state"] for name, row in plot.rows().items()} == dict.fromkeys(
        ("idle", "partial"), "needs_person"
    )

    empty = plot.run("escalation", "accept", "idle", "--json")
    assert (empty.code, "changed no file" in empty.error["message"]) == (2, True)
    assert plot.run("escalation", "reject", "idle", "--note", "not worth it").code == 0
    idle = plot.rows()["idle"]
    assert (idle["state"], idle["reason"], idle["needs_person"]) == (
        "cancelled",
        "rejected by a person: not worth it",
        None,
    )
    waiting = plot.run("escalation", "list", "--json").document["escalations"]
    assert [one["task"] for one in waiting] == ["partial"]

    partial.write_text(partial.read_text().replace("Do it.", "Do half of it."))
    edited = plot.run("escalation", "accept", "partial", "--json")
    assert (edited.code, "task approve partial" in edited.error["hint"]) == (2, True)
    stays = plot.run("run", "partial")
    assert stays.code == 1 and "not run: partial: it was edited" in stays.err

    assert plot.run("task", "approve", "partial").code == 0
    assert plot.run("escalation", "accept", "partial").code == 0
    assert plot.run("run").code == 0, "all that is left was published or given up"
    assert plot.changes("partial") == ["A half.txt"]
    assert list(plot.branches()) == ["partial"]

    assert plot.run("escalation", "retry", "idle").code == 0
    assert plot.run("run").code == 1
    assert plot.rows()["idle"]["state"] == "needs_person"


@pytest.mark.nightly
def test_an_approved_edit_is_worked_on_again(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"idle": "exit 1\n"})
    idle = plot.task("idle")
    plot.run("run")
    plot.commit({".agents/idle.sh": "echo done > done.txt\n"})
    idle.write_text(idle.read_text().replace("Do it.", "Do it well."))
    assert plot.run("run").code == 1
    assert plot.run("task", "approve", "idle").code == 0
    assert plot.run("run").code == 0
    assert plot.changes("idle") == ["A done.txt"]
    pull = plot.run("stack", "status", "--json").document["pull_requests"]
    assert [one["task"] for one in pull] == ["idle"]


def test_a_forced_cancel_ends_the_attempt_and_begins_no_other(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"slow": "sleep 50\n"})
    plot.task("slow")
    plot.task("kid", "depends_on: [slow]")
    running = plot.start("run", "--json")
    assert running.stdout is not None
    for line in running.stdout:
        if json.loads(line)["event_type"] == "sandbox_created":
            break
    begun = time.monotonic()
    cancelled = plot.run("cancel", "slow", "--force", "--json")
    rest, _ = running.communicate(timeout=40)
    boxes = cancelled.document["boxes"]
    assert cancelled.document == {"schema": "switchyard.cancel/1", "task": "slow", "boxes": boxes}
    assert (cancelled.code, len(boxes), running.returncode) == (0, 1, 1)
    assert time.monotonic() - begun < 30
    assert "sandbox_created" not in rest.decode()
    assert {name: row["state"] for name, row in plot.rows().items()} == {"kid": "blocked", "slow": "cancelled"}
    assert plot.run("sandbox", "list", "--json").document["sandboxes"] == []
    assert plot.branches() == {}
    again = plot.run("run")
    assert "not run: slow: it was cancelled" in again.err
    assert (plot.run("cancel", "slow").code, plot.run("cancel", "slwo").code) == (2, 2)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.nightly)])
def test_an_interrupted_run_leaves_no_box_and_the_next_one_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    plot = Plot(tmp_path, {"slow": "sleep 3\necho done > done.txt\n"})
    plot.task("slow")
    running = plot.start("run", "--json")
    assert running.stdout is not None
    for line in running.stdout:
        if json.loads(line)["event_type"] == "sandbox_created":
            break
    running.send_signal(number)
    running.communicate(timeout=20)
    assert running.returncode == 130
    assert plot.run("sandbox", "list", "--json").document["sandboxes"] == []
    # What people change in between is heeded where it can be, and never breaks what was begun.
    (plot.repo / ".switchyard/tasks/slow.md").unlink()
    assert plot.run("run").code == 0
    assert plot.changes("slow") == ["A done.txt"]
    assert plot.rows()["slow"]["attempts"] == 1
    assert plot.run("ledger", "verify").code == 0


@pytest.mark.nightly
def test_an_accepted_commit_is_seen_without_what_others_did_since(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"red": "rm kept.txt\n"})
    plot.task("red")
    assert plot.run("run").code == 1
    plot.commit({f"moved{n}.txt": "moved\n" for n in range(3)})
    assert plot.run("escalation", "accept", "red").code == 0
    assert plot.run("run").code == 0
    claims = plot.run("show", "red", "--evidence", "--json", "--claim", "files-plain").document["claims"]
    assert [claim["reason"] for claim in claims][-1:] == ["0 findings in 1 changed files"], claims


@pytest.mark.nightly
def test_what_an_earlier_run_left_is_none_of_this_runs_attempts(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"late": "date +%N > late.txt\n"})
    settings = plot.repo / "switchyard.toml"
    settings.write_text(settings.read_text().replace("repairs = 0", "repairs = 1"))
    hook = plot.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    plot.task("late")
    assert plot.run("run").code == 1
    assert plot.rows()["late"]["state"] == "failed"
    settings.write_text(settings.read_text().replace('"test -e kept.txt"', '"test ! -e late.txt"'))
    assert plot.run("run").code == 1
    assert plot.rows()["late"]["reason"].startswith("2 attempts failed")
