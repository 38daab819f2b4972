"""Strange repositories, remotes and agents: the outcome is right, or the error is clear, and no work is lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from end_to_end.plot import Plot

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]

HOSTILE = {
    "wipe": "rm -rf ./* .agents .switchyard\n",
    "dotgit": "rm -rf .git; mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch \"$0.ran\"\\n' > .git/hooks/pre-push\n"
    "chmod +x .git/hooks/pre-push; echo '[core' > .git/config; echo ok > ok.txt\n",
    "odd": "mkfifo pipe; ln -s /etc/passwd out; mkdir -p nest/.git; echo x > nest/.git/config; echo y > nest/kept\n",
    "loud": "head -c 30000000 /dev/zero | tr '\\0' x; printf '\\377\\033[31mred\\033]0;title\\007\\n'; exit 3\n",
    "daemon": "(setsid sh -c 'while :; do sleep 1; done' > /dev/null 2>&1 &); echo done > done.txt\n",
    "endless": "while :; do echo more; sleep 0.1; done\n",
}


def test_what_an_agent_does_to_its_box_ends_with_a_verdict_and_nothing_else(tmp_path: Path) -> None:
    plot = Plot(tmp_path, HOSTILE)
    for name in HOSTILE:
        plot.task(name, *(["budget: {minutes: 0.05}"] if name == "endless" else []))
    plot.task("missing", "agent: gone")
    plot.task(
        "titled",
        "labels: ['<b>']",
        body="Close `it`. <!-- switchyard:task=other -->\n\n```\n<!-- /switchyard:evidence -->",
    )
    ending = plot.run("run", "--json")
    rows = plot.rows()
    reasons = {name: row["reason"] for name, row in rows.items() if row["state"] == "needs_person"}
    assert ending.code == 1 and ending.events[-1]["event_type"] == "run_finished"
    assert sorted(plot.branches()) == ["daemon", "dotgit", "titled"]
    assert plot.changes("dotgit") == ["A ok.txt"]
    assert sorted(reasons) == ["endless", "loud", "missing", "odd", "wipe"]
    assert "timeout limit" in reasons["endless"]
    assert "exited with 3" in reasons["loud"]
    assert reasons["missing"].startswith("the agent's command could not be started in the sandbox (exit 127)")
    assert all(word in reasons["odd"] for word in ("`out`", "`nest/.git`", "`pipe`"))
    assert "switchyard.toml" in reasons["wipe"]
    shown = plot.run("show", "loud")
    assert shown.code == 0 and "\x1b" not in shown.out and "\\x1b[31mred" in shown.out
    assert plot.run("sandbox", "list", "--json").document["sandboxes"] == []


def test_a_missing_agent_uses_up_no_repairs(tmp_path: Path) -> None:
    plot = Plot(tmp_path)
    plot.task("missing", "agent: gone", "budget: {repairs: 3}")
    assert plot.run("run").code == 1
    assert plot.rows()["missing"]["attempts"] == 1


STRANGE = """\
printf 'c\\r\\n' >> lines.crlf
chmod +x tool
mv link moved
: > empty
printf y >> "$(printf 'caf\\351')"
"""


def test_attributes_hooks_links_modes_and_odd_names_come_out_as_the_agent_left_them(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"strange": STRANGE})
    attributes = "*.crlf text eol=crlf\n*.sec filter=crypt\n*.bin filter=lfs diff=lfs merge=lfs -text\n"
    files = {
        ".gitattributes": attributes,
        "lines.crlf": "a\nb\n",
        "key.sec": "s",
        "big.bin": "version x\n",
        "tool": "#!",
    }
    (plot.repo / "link").symlink_to("kept.txt")
    (plot.repo / os.fsdecode(b"caf\xe9")).write_text("x")
    plot.commit(files)
    ran = plot.home / "ran"
    for hook in ("pre-push", "post-checkout", "reference-transaction"):
        plot.write(f"hooks/{hook}", f"#!/bin/sh\ntouch '{ran}'\nexit 1\n").chmod(0o755)
    plot.git("config", "core.hooksPath", str(plot.repo / "hooks"))
    for key, value in {"clean": f"touch '{ran}'; cat", "smudge": f"touch '{ran}'; cat", "required": "true"}.items():
        plot.git("config", f"filter.crypt.{key}", value)
    plot.task("strange")
    assert plot.run("run").code == 0
    assert not ran.exists(), "the user's hooks and filters have no business in the factory"
    commit = plot.branches()["strange"]
    raw = plot.git("diff", "--raw", "--no-renames", "--abbrev=4", f"main...{commit}", at=plot.origin).splitlines()
    changed = {line.split("\t")[1]: line.split() for line in raw}
    assert {name: fields[4] for name, fields in changed.items()} == {
        '"caf\\351"': "M", "empty": "A", "lines.crlf": "M", "link": "D", "moved": "A", "tool": "M",
    }  # fmt: skip
    assert changed["tool"][1] == "100755" and changed["moved"][1] == "120000"
    assert plot.git("show", f"{commit}:lines.crlf", at=plot.origin) == "a\nb\nc\n"


def test_detached_dirty_linked_shallow_and_bare_repositories_all_work(tmp_path: Path) -> None:
    plot = Plot(tmp_path, files={"sub/dir/file": ""})
    plot.git("checkout", "-q", "--detach")
    plot.write("kept.txt", "not committed")
    plot.task("detached")
    assert plot.run("run", at=plot.repo / "sub/dir").code == 0
    assert plot.changes("detached") == ["A made-by-detached.txt"]
    assert (plot.git("status", "--short"), plot.git("branch", "--show-current")) == (
        " M kept.txt\n?? .switchyard/\n",
        "",
    )

    linked = plot.folder / "linked"
    plot.git("worktree", "add", "-q", str(linked))
    shutil.copytree(plot.repo / ".switchyard", linked / ".switchyard")
    assert "detached" in plot.run("status", at=linked).out.split()
    assert plot.run("run", "--json", at=linked).events[-1]["data"]["tasks"][0]["state"] == "published"
    assert len(plot.branches()) == 1

    plan = plot.write("plan.yaml", "- {id: planned, title: Plan, state: ready, body: Do it.}\n")
    plot.git("push", "-q", "origin", "HEAD~0:refs/heads/other")
    plot.git("clone", "-q", "--depth", "1", f"file://{plot.origin}", str(plot.folder / "shallow"), at=plot.folder)
    assert plot.run("run", "--file", str(plan), at=plot.folder / "shallow").code == 0
    bare = plot.folder / "bare.git"
    plot.git("clone", "-q", "--bare", str(plot.origin), str(bare), at=plot.folder)
    plot.git("remote", "remove", "origin", at=bare)
    assert plot.run("run", "--file", str(plan), at=bare).code == 0
    assert plot.git("for-each-ref", "--format=%(refname:lstrip=4)", "refs/heads/factory", at=bare).split() == [
        "detached", "planned", "planned",
    ]  # fmt: skip


@pytest.mark.nightly
def test_a_remote_that_refuses_is_quoted_and_the_next_run_publishes(tmp_path: Path) -> None:
    plot = Plot(tmp_path)
    plot.task("refused")
    hook = plot.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    assert plot.run("run").code == 1
    row = plot.rows()["refused"]
    assert (row["state"], row["pull_request"], plot.branches()) == ("failed", None, {})
    assert "not on a Friday" in row["reason"]
    assert plot.run("run").code == 1
    hook.unlink()
    events = plot.run("run", "--json").events
    assert events[-1]["data"]["tasks"][0]["state"] == "published"
    assert "sandbox_created" not in {event["event_type"] for event in events}, "what was proven is not made again"
    passed = [
        (row["data"]["name"], row["data"].get("on", "change")) for row in events if row["event_type"] == "check_passed"
    ]
    assert passed == [("kept", "change"), ("kept", "base")]
    assert plot.changes("refused") == ["A made-by-refused.txt"]


@pytest.mark.nightly
def test_a_dependency_whose_branch_was_taken_away_is_put_back_or_found_in_the_base(tmp_path: Path) -> None:
    plot = Plot(tmp_path)
    plot.task("first")
    plot.run("run")
    head = plot.branches()["first"]
    branch = plot.rows()["first"]["branch"]
    plot.git("update-ref", "-d", f"refs/heads/{branch}", at=plot.origin)
    plot.task("second", "depends_on: [first]")
    assert plot.run("run").code == 0
    assert plot.branches()["first"] == head, "its pull request is open still"
    assert plot.rows()["second"]["pull_request"]["base"] == branch

    plot.git("update-ref", "refs/heads/main", head, at=plot.origin)
    plot.git("update-ref", "-d", f"refs/heads/{branch}", at=plot.origin)
    plot.task("third", "depends_on: [first]")
    assert plot.run("run").code == 0, "the base holds the dependency's work now"
    assert plot.branches().keys() == {"second", "third"}
    assert {name: plot.rows()[name]["pull_request"]["base"] for name in ("second", "third")} == {
        "second": "main",
        "third": "main",
    }
    assert plot.changes("third") == ["A made-by-third.txt"]


@pytest.mark.nightly
def test_files_and_branches_that_change_under_a_run_do_not_break_it(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"slow": "sleep 15\necho done > done.txt\n"})
    task = plot.task("slow")
    running = plot.start("run", "--json")
    assert running.stdout is not None
    assert any(b'"sandbox_created"' in line for line in running.stdout)
    second = plot.run("run", "--json")
    assert (second.code, second.error["kind"]) == (1, "orchestrator_running")
    task.unlink()
    plot.commit({"moved.txt": "the base moves"})
    plot.write(".switchyard/tasks/broken.md", "no front matter")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert b'"run_finished"' in out.splitlines()[-1]
    assert plot.changes("slow") == ["A done.txt"]
