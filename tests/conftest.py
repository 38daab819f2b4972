"""What holds for every test: marks of the kinds of sandbox that take too long for every run, and a working ^C."""

from __future__ import annotations

import signal

import pytest

_SLOW_KINDS = ("daytona", "daytona-service")


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
            # The stand-in's boxes are embedded ones: what they hold and what comes out of them is tried there.
            common = {"hostile", "sandbox"} & set(item.path.parts[-2:-1])
            takes_minutes = common or item.get_closest_marker("slow")
            item.add_marker(pytest.mark.nightly if takes_minutes else pytest.mark.slow)
