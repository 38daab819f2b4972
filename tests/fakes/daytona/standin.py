"""Starts the stand-in in a process of its own, and asks it what it saw."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parent.parent.parent
_PATIENCE_S = 60.0


class StandIn:
    """A running stand-in."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="daytona-"))
        self._folder.chmod(0o755)
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            (sys.executable, "-m", "fakes.daytona", str(self._folder)),
            cwd=_TESTS,
            env={**os.environ, "PYTHONPATH": str(_TESTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().decode().strip()
        if not self.url:
            raise RuntimeError(f"the stand-in did not start: {self.said()}")

    def said(self) -> str:
        """What it wrote to its log."""
        return (self._folder / "log").read_text()

    def report(self) -> dict[str, Any]:
        """What it was asked, and what was wrong with it."""
        found: dict[str, Any] = json.loads(self._ask("GET", "report"))
        return found

    def fail(self, route: str, kind: str, **fields: object) -> None:
        """Let something go wrong on a route, once unless `times` says otherwise."""
        self._ask("POST", "faults", json.dumps({"route": route, "kind": kind, **fields}).encode())

    def reset(self) -> None:
        """Forget what was asked and what shall go wrong."""
        self._ask("POST", "reset")

    def check(self) -> None:
        """Raise when a request was unknown to the service or not of its shape."""
        report = self.report()
        wrong = [*report["unknown"], *report["invalid"]]
        assert not wrong, wrong

    def close(self) -> None:
        """End it, and every sandbox with it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._log.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _ask(self, method: str, what: str, body: bytes | None = None) -> bytes:
        address = self.url.removesuffix("/api") + f"/stand-in/{what}"
        request = urllib.request.Request(address, data=body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            read: bytes = answer.read()
        return read


@functools.cache
def stand_in() -> StandIn:
    """The one stand-in of this process, ended with it."""
    started = StandIn()
    atexit.register(started.close)
    return started
