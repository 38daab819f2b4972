"""Marks of tests that come in several kinds of sandbox: some kinds take too long for every run."""

from __future__ import annotations

import pytest

_SLOW_KINDS = ("daytona", "daytona-service")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever runs on Daytona is slow."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and any(kind in _SLOW_KINDS for kind in callspec.params.values()):
            item.add_marker(pytest.mark.daytona)
            item.add_marker(pytest.mark.slow)
