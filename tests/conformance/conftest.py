"""One world for each forge."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.forges import FORGES, World


@pytest.fixture(params=list(FORGES))
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    opened = FORGES[request.param](tmp_path)
    opened.branch("main")
    return opened
