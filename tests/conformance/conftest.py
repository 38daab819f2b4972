"""One world for each forge."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.github.fixtures import github, github_service

from conformance.forges import FORGES, World, on_github

__all__ = ["github", "github_service", "world"]


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
