"""A ground and a box of every driver that isolates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox.boxes import Ground, make_ground
from switchyard_sandbox import BoxId

from hostile.attacks import ISOLATING
from hostile.catalogue import EXCEPTIONS


@pytest.fixture(params=ISOLATING)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    test = f"hostile/{request.path.name}::{request.node.originalname}"
    if reason := EXCEPTIONS.get((request.param, test)):
        pytest.skip(reason)
    made = make_ground(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def box(ground: Ground) -> BoxId:
    return ground.box(ground.spec(ground.commit({"README.md": "hello\n", "dir/x": "x\n"})))
