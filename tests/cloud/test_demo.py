"""The demo's tasks end to end in Daytona's boxes: the same trees and pull requests as in embedded ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.daytona.checking import KEY
from fakes.daytona.standin import stand_in
from switchyard_templates import EXPECTED, lay_out_demo

pytestmark = [pytest.mark.sandbox, pytest.mark.daytona, pytest.mark.nightly, pytest.mark.timeout(900)]
_RUN_S = 800


def work_on(folder: Path, *options: str, **env: str) -> tuple[int, dict[str, str], list[dict[str, Any]]]:
    """Run the whole demo; how it ended, the tree of each branch, and the pull requests."""
    demo = lay_out_demo(folder)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **env}

    def switchyard(*words: str) -> subprocess.CompletedProcess[str]:
        argv = (sys.executable, "-m", "switchyard.cli.main", *words)
        return subprocess.run(argv, cwd=demo.repo, env=environment, capture_output=True, text=True, timeout=_RUN_S)

    ran = switchyard("run", "--json", *options)
    assert ran.returncode in (0, 1), ran.stdout[-3000:] + ran.stderr[-3000:]
    assert json.loads(switchyard("sandbox", "list", "--json", *options[:2]).stdout)["sandboxes"] == []
    pulls = json.loads(switchyard("stack", "status", "--json").stdout)["pull_requests"]
    argv = ("git", "for-each-ref", "--format=%(refname:lstrip=-1) %(tree)", "refs/heads/factory")
    lines = subprocess.run(argv, cwd=demo.origin, capture_output=True, text=True, check=True).stdout.splitlines()
    return ran.returncode, dict(line.split(" ") for line in lines), [_plain(pull) for pull in pulls]


def _plain(pull: dict[str, Any]) -> dict[str, Any]:
    """Without what a run names anew: its own id in branches, and numbers in order of arrival."""
    branches = {key: str(pull[key]).rpartition("/")[2] for key in ("head", "base")}
    return {"task": pull["task"], "depends_on": sorted(pull["depends_on"]), **branches}


def test_trees_and_pull_requests_are_those_of_embedded_boxes(tmp_path: Path) -> None:
    stand_in().reset()
    here = work_on(tmp_path / "here", "--sandbox", "embedded")
    cloud = work_on(
        tmp_path / "cloud",
        *("--sandbox", "daytona", "--image", "debian:12"),
        DAYTONA_API_KEY=KEY,
        DAYTONA_API_URL=stand_in().url,
    )
    assert len(here[1]) > len(EXPECTED) / 2
    assert cloud[:2] == here[:2]
    assert sorted(map(json.dumps, cloud[2])) == sorted(map(json.dumps, here[2]))
    stand_in().check()
    assert stand_in().report()["boxes"] == {}
