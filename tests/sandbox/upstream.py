"""A model endpoint of the tests' own, at the host's loopback: answers as it is told and remembers what it was asked."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[["Handler"], None]


@dataclass
class Upstream:
    """A running endpoint."""

    port: int
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    """Method, path, headers in lower case, body."""
    answer: Answer = lambda handler: handler.say(json.dumps({"ok": True}).encode())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Handler(http.server.BaseHTTPRequestHandler):
    """One request of the gateway's."""

    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def do_POST(self) -> None:
        body = self._read()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.upstream.asked.append((self.command, self.path, headers, body))
        self.upstream.answer(self)

    def do_GET(self) -> None:
        self.do_POST()

    def say(self, body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """Answer at once."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin(self, kind: str = "text/event-stream") -> None:
        """Begin an answer of unknown length."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def go_on(self, piece: bytes) -> None:
        """Send a piece; an empty one is the end."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while length := int(self.rfile.readline(), 16):
            body += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return body


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """The gateway breaks connections off when a box does: nothing to be told."""


@contextmanager
def running() -> Iterator[Upstream]:
    """An endpoint for the length of a `with`."""
    upstream = Upstream(0)
    handler = type("Bound", (Handler,), {"upstream": upstream})
    with _Server(("127.0.0.1", 0), handler) as server:
        upstream.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield upstream
        finally:
            server.shutdown()
            thread.join()
