"""`switchyard sandbox` as people use it: what goes in, what passes through, and that nothing stays when it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from end_to_end.plot import CONFIG, Plot

pytestmark = pytest.mark.sandbox
MARK = f"4343.{os.getpid()}"
"""A sleep of just that length, so that what is left of a box can be told in the list of processes."""


@pytest.fixture
def plot(tmp_path: Path) -> Plot:
    return Plot(tmp_path, files={"lib/a.py": "a\n", "lib/b.py": "b\n"})


def sleeping() -> list[int]:
    """Processes of this machine that sleep for just that long."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", MARK.encode()]:
            found.append(int(process.parent.name))
    return found


def wait_until_asleep() -> None:
    give_up = time.monotonic() + 30
    while not sleeping():
        assert time.monotonic() < give_up, "the command did not start"
        time.sleep(0.02)


def boxes(plot: Plot) -> list[str]:
    return [f"{box['kind']} {box['state']}" for box in plot.run("sandbox", "list", "--json").document["sandboxes"]]


def test_a_sparse_box_holds_what_was_named(plot: Plot) -> None:
    script = "find . -name .git -prune -o -type f -print; echo c > lib/c.py"
    ending = plot.run(
        "sandbox", "run", "--json", "--sparse", "lib/a.py", "--sparse", ".agents", "--", "sh", "-c", script
    )
    assert sorted(ending.document["stdout"].split()) == ["./.agents/work.sh", "./lib/a.py"]
    assert ending.document["changed"] == ["lib/c.py"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sparse", "lib/nope.py"), "has no file or folder 'lib/nope.py'"),
        (("--image", "python:3.12"), "are made from no image"),
        (("--workspace", "cloud"), 'sandbox.workspace = "cloud" is not one of disk, memory, copy'),
        (
            ("--sandbox", "none", "--i-accept-no-isolation", "--workspace", "memory"),
            "for the kinds embedded and docker",
        ),
        (("--network", "https://pypi.org/"), "'https://pypi.org/' is not a host name"),
        (("--network", "10.0.0.1"), "'10.0.0.1' is an address"),
        (("--network", "pypi,none"), "'none' stands alone"),
        (("--sandbox", "daytona"), "the environment has no DAYTONA_API_KEY"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_made(plot: Plot, options: tuple[str, ...], said: str) -> None:
    ending = plot.run("sandbox", "run", *options, "--", "true")
    assert (ending.code, ending.out) == (2, "")
    assert said in ending.err
    assert not (plot.repo / ".git" / "switchyard" / "boxes").exists()


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        ("git@github.com:o/r.git", "is git@github.com:o/r.git"),
        ("ssh://me:secret@example.org/r.git", "is example.org/r.git"),
        ("/srv/r.git", "is /srv/r.git"),
    ],
)
def test_only_a_public_remote_is_given_to_a_sandbox(plot: Plot, remote: str, said: str) -> None:
    plot.git("remote", "set-url", "origin", remote)
    plot.write("switchyard.toml", CONFIG.replace("[sandbox]", '[sandbox]\nkind = "docker"\ncode = "remote"'))
    ending = plot.run("sandbox", "run", "--", "true")
    assert ending.code == 2
    assert said in ending.err
    assert "secret" not in ending.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_ends_the_command_and_removes_the_box(plot: Plot, number: signal.Signals, code: int) -> None:
    running = plot.start(
        "sandbox", "run", "--", "sh", "-c", f"trap '' HUP INT TERM; echo x; sleep {MARK}; sleep {MARK}"
    )
    wait_until_asleep()
    running.send_signal(number)
    running.communicate(timeout=60)
    assert running.returncode == code
    assert sleeping() == []
    assert boxes(plot) == []


def test_boxes_of_every_kind_are_listed_and_reaped_whatever_is_configured(plot: Plot) -> None:
    plain = ("--sandbox", "none", "--i-accept-no-isolation")
    assert plot.run("sandbox", "run", "--keep", *plain, "--", "true").code == 0
    assert plot.run("sandbox", "run", "--keep", "--", "true").code == 0
    assert boxes(plot) == ["embedded idle", "none idle"]
    assert len(plot.run("sandbox", "list", "--json", "--sandbox", "none").document["sandboxes"]) == 1
    assert len(plot.run("sandbox", "reap", "--json", "--all").document["removed"]) == 2
    assert boxes(plot) == []


def test_what_a_killed_command_left_is_gone_with_the_next_one(plot: Plot) -> None:
    killed = plot.start("sandbox", "run", "--", "sleep", MARK)
    wait_until_asleep()
    killed.kill()
    killed.communicate()
    assert boxes(plot) == ["embedded orphan"]
    assert plot.run("sandbox", "run", "--", "true").code == 0
    assert sleeping() == []
    assert boxes(plot) == []


def test_stdin_that_was_closed_is_empty(plot: Plot) -> None:
    line = f"exec '{sys.executable}' -m switchyard.cli.main sandbox run -i -- wc -c <&-"
    done = subprocess.run(["/bin/sh", "-c", line], cwd=plot.repo, env=plot.env, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "0", "")


@pytest.mark.slow
def test_a_flood_passes_through_without_being_kept(plot: Plot) -> None:
    def run(script: str) -> tuple[int, int]:
        """How many bytes came out, and the most memory that our own process had, in KiB."""
        argv = (sys.executable, "-m", "switchyard.cli.main", "sandbox", "run", "--", "sh", "-c", script)
        process = subprocess.Popen(argv, cwd=plot.repo, env=plot.env, stdout=subprocess.PIPE)
        assert process.stdout is not None
        size = sum(len(piece) for piece in iter(lambda: process.stdout.read(1 << 20), b""))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        assert process.returncode == 0
        return size, usage.ru_maxrss

    assert run("echo")[0] == 1
    _, quiet = run("true")
    size, loud = run("head -c 1000000000 /dev/zero")
    assert size == 1_000_000_000
    assert loud - quiet < 20 << 10


def test_a_runs_agents_get_their_context_alone_and_its_checks_get_all(tmp_path: Path) -> None:
    agent = "find . -name .git -prune -o -type f -print | LC_ALL=C sort > seen.txt; echo more >> src/a.py\n"
    files = {"src/a.py": "ALPHA = 1\n", **{f"far/{number}.txt": "x\n" for number in range(40)}}
    plot = Plot(tmp_path, agents={"t1": agent}, files=files)
    checks = CONFIG.replace('kept = "test -e kept.txt"', 'kept = "test -e kept.txt && test -e far/39.txt"')
    plot.commit({"switchyard.toml": checks.replace("[sandbox]", "[sandbox]\nsparse = true")})
    plot.task("t1", "targets: [src/a.py]")
    ending = plot.run("run")
    assert ending.code == 0, ending.err
    assert plot.changes("t1") == ["A seen.txt", "M src/a.py"]
    seen = plot.git("show", f"{plot.branches()['t1']}:seen.txt", at=plot.origin).split()
    assert {"./src/a.py", "./.agents/work.sh", "./.agents/t1.sh"} <= set(seen)
    assert not [path for path in seen if path.startswith("./far/")]
