"""One world for each forge, one ground for each sandbox driver."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.github.fixtures import github, github_service
from sandbox.boxes import DRIVERS, Ground, make_ground
from switchyard_sandbox import BoxId

from conformance.forges import FORGES, World, on_github

__all__ = ["box", "commit", "github", "github_service", "ground", "world"]


@pytest.fixture(params=[*FORGES, "github"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    if request.param == "github":
        return on_github(request.getfixturevalue("github"))
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    opened = FORGES[request.param](tmp_path)
    opened.branch("main")
    return opened


@pytest.fixture(params=sorted(DRIVERS))
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def commit(ground: Ground) -> str:
    return ground.commit({"README.md": "hello\n", "src/app.py": "print('app')\n", "src/deep/x.txt": "x\n"})


@pytest.fixture
def box(ground: Ground, commit: str) -> BoxId:
    return ground.box(ground.spec(commit))
