"""A repository with a driver over the tests' engine, and that engine itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sandbox.boxes import DOCKER, Ground, make_ground
from switchyard_sandbox.docker.client import Client, connect


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with closing(make_ground(tmp_path, "docker")) as made:
        yield made


@pytest.fixture
def client() -> Iterator[Client]:
    with connect(DOCKER) as made:
        yield made


@pytest.fixture
def commit(ground: Ground) -> str:
    return ground.commit({"a.txt": "a\n", "deep/b.txt": "b\n"})
