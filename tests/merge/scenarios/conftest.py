"""What landings happen on."""

from __future__ import annotations

from pathlib import Path

import pytest
from harbour import (
    watch_main,
)
from stage import Stage
from yard import Yard


@pytest.fixture
def stage(yard: Yard, tmp_path: Path) -> Stage:
    stage = Stage.open(yard, tmp_path)
    watch_main(stage)
    return stage
