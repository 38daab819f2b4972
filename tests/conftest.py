"""What holds for every test: marks of the kinds of sandbox that take too long for every run, and a working ^C."""

from __future__ import annotations

import signal

import pytest

_SLOW_KINDS = ("daytona", "daytona-service")
_EACH_CHANGE = ("test_sandbox.py", "test_sandbox_files.py", "test_sandbox_life.py")
"""Of what every kind of sandbox promises, what is tried on Daytona for each change; each night all of it."""


def pytest_configure() -> None:
    """Background jobs are deaf to SIGINT and those under nohup to SIGHUP; what tests start shall hear both."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever runs on Daytona is slow."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and any(kind in _SLOW_KINDS for kind in callspec.params.values()):
            item.add_marker(pytest.mark.daytona)
            each_change = item.path.name in _EACH_CHANGE and not item.get_closest_marker("slow")
            item.add_marker(pytest.mark.slow if each_change else pytest.mark.nightly)
