"""npm's `emulate`, a GitHub server that nobody here wrote: installed into `.cache/` once, started for a session."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

PACKAGE = "emulate@0.11.2"
"""0.12 needs a newer Node; 1.x is an unrelated package."""
OWNER, REVIEWER, STRANGER = "octocat", "reviewer", "stranger"
TOKENS = {"tok_owner": OWNER, "tok_reviewer": REVIEWER, "tok_stranger": STRANGER}
APP_ID, INSTALLATION_ID = 4711, 815
_CACHE = Path(__file__).parents[3] / ".cache"
_INSTALL_S, _START_S = 300, 30


@contextlib.contextmanager
def emulated(app_key: str) -> Iterator[str]:
    """The address of a server of our own that ends with the block; skipped where there is no npm, but not in CI."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        told = f"{PACKAGE} needs {' and '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    program = _installed()
    with tempfile.TemporaryDirectory(prefix="emulate-") as folder:
        seed = Path(folder) / "emulate.yaml"
        seed.write_text(json.dumps(_seed(app_key)))
        port = free_port()
        log = (Path(folder) / "log").open("wb")
        argv = ("node", str(program), "start", "--service", "github", "--port", str(port), "--seed", str(seed))
        with log, subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as process:
            try:
                address = f"http://localhost:{port}"
                _await(address, process, Path(log.name))
                yield address
            finally:
                process.kill()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _installed() -> Path:
    folder = _CACHE / PACKAGE.replace("@", "-")
    program = folder / "node_modules" / "emulate" / "dist" / "index.js"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            argv = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), PACKAGE)
            done = subprocess.run(argv, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
            if done.returncode:
                told = f"{PACKAGE} could not be installed: {done.stderr.strip()[-500:]}"
                if os.environ.get("CI"):
                    pytest.fail(told)
                pytest.skip(told)
    return program


def _seed(app_key: str) -> Mapping[str, object]:
    may = dict.fromkeys(("contents", "pull_requests", "issues", "checks", "statuses"), "write")
    installation = {"installation_id": INSTALLATION_ID, "account": OWNER, "repository_selection": "all"}
    app = {"app_id": APP_ID, "slug": "factory", "name": "Factory", "private_key": app_key, "permissions": may}
    return {
        "tokens": {token: {"login": login, "scopes": ["repo", "user"]} for token, login in TOKENS.items()},
        "github": {
            "users": [{"login": login} for login in TOKENS.values()],
            "apps": [{**app, "installations": [installation]}],
        },
    }


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(URLError, ConnectionError), urlopen(f"{address}/rate_limit", timeout=5):
            return
        time.sleep(0.05)
    raise AssertionError(f"{PACKAGE} did not start: {log.read_text(errors='replace')[-2000:]}")
