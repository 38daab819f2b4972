"""The way out of a box: what the proxy lets through, what it refuses, and that it writes down both."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from switchyard_sandbox import BoxId, SetUp
from switchyard_sandbox.egress import AllowList, Refused, normalise, parse

from sandbox.boxes import Ground, make_ground


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, "embedded")
    yield made
    made.close()


class Registry(http.server.BaseHTTPRequestHandler):
    """A package registry of one package, at the host's loopback."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"package\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def fetch(url: str, target: str) -> str:
    """A script that downloads by the proxy of the environment, loopback or not."""
    code = (
        "import os, sys, urllib.request as r; os.environ.pop('NO_PROXY'); os.environ.pop('no_proxy');"
        f"open('{target}', 'wb').write(r.urlopen('{url}', timeout=5).read())"
    )
    return f'python3 -c "{code}"'


def audit(ground: Ground, box: BoxId) -> list[tuple[str, str]]:
    lines = (ground.state / "boxes" / box / "audit.jsonl").read_text().splitlines()
    return [(line["asked"].split(" ")[1], line["decision"]) for line in map(json.loads, lines)]


@pytest.mark.sandbox
def test_setup_installs_from_an_allowed_registry_and_the_box_has_no_network_after(ground: Ground, port: int) -> None:
    commit = ground.commit({"a": "a\n", ".gitignore": "packages\n"})
    url = f"http://localhost:{port}/pkg"
    setup = SetUp(commands=("mkdir packages", fetch(url, "packages/pkg")), network=(f"localhost:{port}",))
    box = ground.box(ground.spec(commit, setup=setup))
    assert ground.did(box, "cat packages/pkg") == "package\n"
    assert ground.run(box, fetch(url, "again")).exit_code != 0
    assert ground.extract(box).changed == ()


@pytest.mark.sandbox
def test_each_decision_is_written_down(ground: Ground, port: int) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a\n"}), network=(f"localhost:{port}",)))
    assert ground.run(box, fetch(f"http://localhost:{port}/", "x")).ok
    assert not ground.run(box, fetch(f"http://127.0.0.1:{port}/", "x")).ok
    assert not ground.run(box, fetch("http://other.example/", "x")).ok
    assert not ground.run(box, fetch("http://localhost:1/", "x")).ok
    assert audit(ground, box) == [
        (f"http://localhost:{port}/", "allowed"),
        (f"http://127.0.0.1:{port}/", "refused"),
        ("http://other.example/", "refused"),
        ("http://localhost:1/", "refused"),
    ]


@pytest.mark.sandbox
def test_a_box_without_allowed_names_has_no_proxy_at_all(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a\n"})))
    assert ground.run(box, "env | grep -i proxy").exit_code == 1
    code = "import socket; socket.create_connection(('127.0.0.1', 3128), 1)"
    assert ground.run(box, f'python3 -c "{code}"').exit_code == 1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "::1", "evil\0.ok.com",
     "a b", "-x.com", "a..b", "",
     "ök.com", "ok.com/", "ok.com\r\n", "a%2eb"],
)  # fmt: skip
def test_what_is_no_plain_name_is_refused(host: str) -> None:
    with pytest.raises(Refused):
        normalise(host)


def test_one_spelling_is_compared() -> None:
    assert normalise("PyPI.org.") == "pypi.org"


@pytest.mark.parametrize("host", ["evilok.com", "ok.com.evil.com", "com", "deep.sub.ok.org.x", "suffix.org"])
def test_a_name_beside_the_list_is_refused(host: str) -> None:
    with pytest.raises(Refused, match="list"):
        AllowList(["ok.com", "*.suffix.org"], []).judge(host, 443)


@pytest.mark.parametrize("port", [22, 8080, 25])
def test_only_web_ports_are_open_unless_the_list_names_one(port: int) -> None:
    with pytest.raises(Refused, match="list"):
        AllowList(["localhost"], ["localhost"]).judge("localhost", port)
    assert AllowList([f"localhost:{port}"], ["localhost"]).judge("localhost", port)[0] == "localhost"


def test_an_allowed_name_at_a_private_address_is_refused() -> None:
    with pytest.raises(Refused, match="private"):
        AllowList(["localhost"], []).judge("localhost", 443)


@pytest.mark.parametrize(
    "head",
    [
        b"CONNECT ok.com:443 HTTP/1.1\r\nHost: other.com:443",
        b"GET http://ok.com/ HTTP/1.1\r\nHost: other.com",
        b"GET http://ok.com/ HTTP/1.1\r\nHost: ok.com\r\nHost: other.com",
        b"GET http://user@ok.com/ HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: ok.com",
        b"GET ftp://ok.com/ HTTP/1.1",
        b"CONNECT ok.com:99999 HTTP/1.1",
        b"CONNECT ok.com:443",
        b"\x16\x03\x01",
    ],
)
def test_requests_that_say_two_things_or_nothing_are_refused(head: bytes) -> None:
    with pytest.raises(Refused):
        parse(head)


def test_a_plain_request_goes_on_without_the_proxys_part() -> None:
    head = b"GET http://ok.com/a?b HTTP/1.1\r\nHost: ok.com\r\nProxy-Authorization: x\r\nConnection: keep-alive\r\nA: b"
    assert parse(head) == (
        "GET",
        "ok.com",
        80,
        b"GET /a?b HTTP/1.1\r\nConnection: close\r\nHost: ok.com\r\nA: b\r\n\r\n",
    )
