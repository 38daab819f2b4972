"""`switchyard stack land` on GitHub's wire: main moves by GitHub's own merges, each of which was checked before."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.github.fixtures import github, github_service
from fakes.github.ground import Ground

from end_to_end.github_plot import GitHubPlot

pytestmark = [pytest.mark.sandbox, pytest.mark.nightly]
__all__ = ["github", "github_service"]


def test_a_batch_of_peoples_branches_lands_one_by_one_and_the_red_one_stays(tmp_path: Path, github: Ground) -> None:
    plot = GitHubPlot(tmp_path, github)
    for name, parent in (("under", "main"), ("over", "under"), ("red", "main")):
        plot.git("checkout", "-q", "-b", name, parent)
        plot.write(f"{name}.txt", f"{name}\n")
        plot.git("add", f"{name}.txt")
        plot.git("commit", "-q", "-m", f"Write {name}")
    plot.git("checkout", "-q", "main")
    plot.write("stack.yaml", "name: mine\nbranches:\n  under: []\n  over: [under]\n  red: []\n")
    assert plot.run("stack", "publish", "stack.yaml").code == 0
    refused = plot.run("stack", "approve", "1", "--json")
    assert (refused.code, "on github" in refused.error["message"]) == (2, True)

    options = ("--no-approval", "--batch", "8", "--check", "! test -e red.txt || ! echo it is red", "--json")
    ending = plot.run("stack", "land", "mine", *options)
    told = ending.document
    assert (ending.code, {one["task"] for one in told["landed"]}) == (1, {"under", "over"}), ending.err
    assert [one["task"] for one in told["ejected"]] == ["red"]
    assert all(one["foreseen"] for one in told["landed"])
    # Each of the two that main stops at, and for one culprit of three log2(3) + 1 more.
    assert told["checks"] <= 2 + 2 + 1
    brought = plot.git("log", "--format=", "--name-only", "-2", "main", at=plot.origin).split()
    assert brought == ["over.txt", "under.txt"]
    assert [name for name in github.heads() if name.startswith("factory/")] == ["factory/mine/red"]
    again = plot.run("stack", "land", "mine", *options)
    assert (again.code, again.document["landed"]) == (1, [])
    assert len(plot.git("rev-list", "main", at=plot.origin).split()) == 3
