"""The driver as tests use it: on the stand-in, or on the service itself where the environment has a key."""

from __future__ import annotations

import os
from pathlib import Path

from switchyard_sandbox.daytona.driver import DaytonaDriver

from fakes.daytona.checking import KEY
from fakes.daytona.standin import stand_in

REAL_KEY = os.environ.get("DAYTONA_API_KEY", "")
"""Empty: there is only the stand-in."""
_IMAGE = os.environ.get("SWITCHYARD_TEST_DAYTONA_IMAGE", "")


def open_daytona(state: Path) -> DaytonaDriver:
    """A driver whose boxes are the stand-in's."""
    return DaytonaDriver(state, owner="tests", api_key=KEY, api_url=stand_in().url, image="debian:12")


def open_service(state: Path) -> DaytonaDriver:
    """A driver whose boxes are real, and cost money."""
    url, target = os.environ.get("DAYTONA_API_URL", ""), os.environ.get("DAYTONA_TARGET", "")
    return DaytonaDriver(state, owner="tests", api_key=REAL_KEY, api_url=url, target=target, image=_IMAGE)
