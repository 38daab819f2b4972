"""What `switchyard sandbox` tells people: what is in a box, which limit ended it, and why one can't be had."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from end_to_end.plot import CONFIG, Plot

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
_MEASURED = "[sandbox]\nsetup = ['echo made > made.txt']\nallow_degraded = true\n"


class WithoutEngine(Plot):
    """Where no Docker engine answers."""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "DOCKER_HOST": f"unix://{self.home}/no.sock"}


@pytest.fixture
def plot(tmp_path: Path) -> Plot:
    return Plot(tmp_path, files={".gitignore": "made.txt\n"})


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "narrow"
    place.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=4m", "none", place), check=True)
    yield place
    subprocess.run(("umount", "--lazy", place), check=True)


def test_what_people_should_know_of_a_box_is_on_stderr(plot: Plot) -> None:
    assert plot.run("sandbox", "run", "--", "true").err == ""
    assert plot.run("sandbox", "run", "--timeout", "inf", "--", "true").code == 2
    plot.write("switchyard.toml", _MEASURED)
    first = plot.run("sandbox", "run", "--timeout", "1", "--", "sh", "-c", "cat made.txt; echo K > KEPT.txt; sleep 60")
    head = plot.git("rev-parse", "--short=10", "HEAD").strip()
    assert (first.code, first.out) == (124, "made\n")
    assert f"uncommitted changes are not in the box: it has the files of {head}" in first.err
    assert "set-up runs first, at most 30 min a command" in first.err
    assert "ended by the timeout limit: 1 s" in first.err
    assert "finding: 'KEPT.txt': colliding_name" in first.err
    second = plot.run("sandbox", "run", "--stall", "1", "--at", "HEAD", "--", "sleep", "60")
    assert "set-up runs" not in second.err
    assert "ended by the stall limit: 1 s without output" in second.err
    assert plot.run("sandbox", "run", "--quiet", "--", "true").err == ""


def test_a_probe_fails_where_a_box_would_be_refused(tmp_path: Path) -> None:
    plot = WithoutEngine(tmp_path)
    assert plot.run("sandbox", "probe").code == 0
    assert plot.run("sandbox", "probe", "--sandbox", "none").code == 0
    plot.write("switchyard.toml", '[sandbox]\nkind = "docker"\n')
    ending = plot.run("sandbox", "probe", "--json")
    assert ending.code == 1
    assert ending.document["schema"] == "switchyard.probe/1"
    assert "would be refused for want of: isolation" in ending.err


def test_repositories_that_no_box_can_be_made_of_are_told_for_what_they_are(plot: Plot, tmp_path: Path) -> None:
    empty, other = tmp_path / "empty", tmp_path / "other"
    plot.git("init", "-q", str(empty), at=tmp_path)
    ending = plot.run("sandbox", "run", "--json", "--", "true", at=empty)
    assert (ending.code, ending.error["kind"]) == (2, "usage")
    assert "no commit stands on the current branch" in ending.error["message"]
    plot.git("init", "-q", "--object-format=sha256", str(other), at=tmp_path)
    plot.git("commit", "-q", "--allow-empty", "-m", "first", at=other)
    ending = plot.run("sandbox", "run", "--json", "--", "true", at=other)
    assert "SHA-256" in ending.error["message"]


def test_a_repository_whose_path_ends_a_line_has_boxes_like_any_other(plot: Plot, tmp_path: Path) -> None:
    odd = tmp_path / 'a "new\nline'
    plot.git("clone", "-q", str(plot.repo), str(odd), at=tmp_path)
    ending = plot.run("sandbox", "run", "--json", "--", "sh", "-c", "git status --porcelain; cat kept.txt", at=odd)
    assert (ending.document["stdout"], ending.document["exit_code"]) == ("kept\n", 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is full")
def test_a_full_disk_is_told_as_one(plot: Plot, narrow: Path) -> None:
    repo = narrow / "repo"
    plot.git("clone", "-q", str(plot.repo), str(repo), at=narrow)
    (repo / "switchyard.toml").write_text(CONFIG)
    with (repo / "fill").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 65536)
    ending = plot.run("sandbox", "run", "--json", "--", "true", at=repo)
    assert (ending.code, ending.error["kind"]) == (1, "state_unwritable")
    assert "nothing more can be written" in ending.error["message"]
    assert "make room" in ending.error["hint"]
