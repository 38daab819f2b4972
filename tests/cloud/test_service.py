"""The service itself, where the environment has a key for it; the conformance suite then runs over it too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.daytona.driver import REAL_KEY
from sandbox.boxes import Ground, make_ground

pytestmark = [pytest.mark.sandbox, pytest.mark.daytona, pytest.mark.slow]
WITHOUT = "no DAYTONA_API_KEY in the environment: nothing was run on the service itself"


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, "daytona-service")
    yield made
    made.close()
    assert list(made.driver.list()) == []


@pytest.mark.skipif(not REAL_KEY, reason=WITHOUT)
def test_a_commit_goes_in_a_command_runs_and_a_result_comes_out(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"README.md": "hello\n"})))
    assert ground.did(box, "cat README.md; echo more >> README.md") == "hello\n"
    assert ground.extract(box).changed == ("README.md",)
