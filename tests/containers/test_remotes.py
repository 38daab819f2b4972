"""Code that a box fetches by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sandbox.boxes import DOCKER, Ground
from switchyard_sandbox import BadCode, Command
from switchyard_sandbox.docker.driver import DockerDriver

from .engine import needs_engine


@needs_engine
class TestRemotes:
    def test_an_address_that_no_proxy_leads_to_is_refused(self, ground: Ground, commit: str) -> None:
        spec = ground.spec(commit)
        for remote in ("ssh://example.com/x", "https://user:key@example.com/x", "file:///etc"):
            with pytest.raises(BadCode):
                ground.driver.create(replace(spec, code=replace(spec.code, remote=remote)))
        assert list(ground.driver.list()) == []

    def test_the_box_fetches_the_anchor_and_the_host_brings_the_rest(
        self, ground: Ground, served: tuple[str, str], commit: str
    ) -> None:
        name, address = served
        driver = DockerDriver(ground.state, image="switchyard-test", base_url=DOCKER, internal=(name,))
        ground.git("push", "--quiet", str(ground.folder / "served.git"), "main")
        later = ground.commit({"later.txt": "later\n", "a.txt": None})
        spec = ground.spec(later, anchor=commit)
        box = driver.create(replace(spec, code=replace(spec.code, remote=address)))
        try:
            script = "git rev-parse HEAD; git status --porcelain; git remote; ls; ls .git/objects/info; curl -s $0; env"
            said = driver.execute(box, Command(("sh", "-c", script, address))).stdout.decode()
            assert said.startswith(f"{later}\ndeep\nlater.txt\n")
            assert "alternates" not in said
            assert "proxy" not in said.lower()
            assert driver.extract(box, ground.quarantine).changed == ()
        finally:
            driver.destroy(box)

    def test_a_remote_without_the_commit_is_told(self, ground: Ground, served: tuple[str, str], commit: str) -> None:
        name, address = served
        driver = DockerDriver(ground.state, image="switchyard-test", base_url=DOCKER, internal=(name,))
        spec = ground.spec(commit)
        with pytest.raises(BadCode, match=commit):
            driver.create(replace(spec, code=replace(spec.code, remote=address)))
        assert list(driver.list()) == []


@pytest.fixture
def served(ground: Ground) -> Iterator[tuple[str, str]]:
    """This machine's name, and where it serves an empty bare repository: to `localhost` no git asks a proxy."""
    ground.git("init", "--quiet", "--bare", "--initial-branch=main", str(ground.folder / "served.git"))
    name = socket.gethostname()
    with ThreadingHTTPServer((socket.gethostbyname(name), 0), partial(GitRequest, ground.folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield name, f"http://{name}:{server.server_port}/served.git"
        server.shutdown()
        thread.join()


class GitRequest(BaseHTTPRequestHandler):
    """One request to git's own server."""

    def __init__(self, root: Path, *rest: Any) -> None:
        self._root = root
        super().__init__(*rest)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {
            **{"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self._root), "GIT_HTTP_EXPORT_ALL": "1"},
            **{"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command},
            **{"CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_CONFIG_COUNT": "1"},
            **{"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(("git", "http-backend"), input=body, env=env, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().split("\r\n"):
            self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
