"""The way out of a box: what the proxy lets through, what it refuses, and that it writes down both."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchyard_sandbox import SetUp
from switchyard_sandbox.client_hello import read_server_name, server_name
from switchyard_sandbox.egress import AllowList, Proxy, Refused, body_length, normalise, parse
from switchyard_sandbox.presets import PRESETS, expand

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
    urls = (f"http://localhost:{port}/", f"http://127.0.0.1:{port}/", "http://other.example/", "http://localhost:1/")
    told = [ground.run(box, fetch(url, "x")) for url in urls]
    assert [finished.ok for finished in told] == [True, False, False, False]
    decisions = [decision for finished in told for decision in finished.decisions]
    assert [(decision.asked.split(" ")[1], decision.decision) for decision in decisions] == [
        (urls[0], "allowed"),
        (urls[1], "refused"),
        (urls[2], "refused"),
        (urls[3], "refused"),
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
        b"CONNECT [::1]:443:80 HTTP/1.1\r\nHost: [::1]",
        b"CONNECT evil.com\0.ok.com:443 HTTP/1.1\r\nHost : evil.com",
        b"GET http://ok.com/ HTTP/1.1\r\nHost: ok.com\r\nHost : other.com",
        b"GET http://ok.com/ HTTP/1.1\r\nHost: ok.com\r\n other.com",
        b"GET http://ok.com/ HTTP/1.1\r\nHost: ok.com\nHost: other.com",
        b"GET http://ok.com/ HTTP/1.1\r\nA: b\0Host: other.com",
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


@pytest.mark.parametrize(
    "headers",
    [
        b"Transfer-Encoding: chunked",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 0x1",
        b"Content-Length: -1",
        b"Upgrade: websocket",
        b"content-length: 1\r\ntransfer-encoding: chunked",
    ],
)
def test_a_plain_request_says_once_how_long_it_is(headers: bytes) -> None:
    assert body_length(b"POST http://ok.com/ HTTP/1.1\r\nContent-Length: 12") == 12
    with pytest.raises(Refused):
        body_length(b"POST http://ok.com/ HTTP/1.1\r\n" + headers)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.100.100.200", "0.0.0.0", "::", "::1", "::7f00:1",
     "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1",
     "fe80::1", "fe80::1%lo",
     "fd00:ec2::254", "fec0::1", "ff02::1", "192.168.0.1", "224.0.0.1", "255.255.255.255"],
)  # fmt: skip
def test_h15_a_public_name_at_an_inner_address_is_refused_in_every_form(address: str) -> None:
    with pytest.raises(Refused, match="private"):
        AllowList(["ok.com"], [], lambda name, port: [address]).judge("ok.com", 443)


def test_h17_a_name_that_is_rebound_is_dialled_where_it_was_judged() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    allowed = AllowList(["ok.com"], [], lambda name, port: next(answers))
    assert allowed.judge("OK.com.", 443) == ("ok.com", "93.184.216.34")
    with pytest.raises(Refused, match="private"):
        allowed.judge("ok.com", 443)


def test_h17_a_name_with_an_inner_address_beside_an_outer_one_never_leads_inside() -> None:
    allowed = AllowList(["ok.com"], [], lambda name, port: ["169.254.169.254", "93.184.216.34"])
    assert allowed.judge("ok.com", 443) == ("ok.com", "93.184.216.34")


def hello(name: str | None) -> bytes:
    """What a real client sends first."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


HELLO = hello("ok.test")


class Far:
    """Something that listens, behind a proxy whose resolver puts every name there."""

    def __init__(self, folder: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.proxy = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._audit = folder / "audit.jsonl"
        names = [f"ok.test:{self.port}", f"other.test:{self.port}"]
        allowed = AllowList(names, ["ok.test", "other.test"], lambda name, port: ["127.0.0.1"])
        threading.Thread(target=Proxy(allowed, str(self._audit)).serve, args=(self.proxy,), daemon=True).start()
        self.listener.settimeout(5)

    def ask(self, first: bytes, then: bytes = b"") -> tuple[bytes, bytes]:
        """Send something to the proxy; what the far side got, and what the proxy answered at the end."""
        with socket.create_connection(self.proxy.getsockname(), timeout=5) as client:
            client.sendall(first)
            said = client.recv(4096) if then else b""
            if then:
                with suppress(OSError):
                    client.sendall(then)
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)
            arrived = self._arrived()
            with suppress(OSError):
                while piece := client.recv(4096):
                    said += piece
        return arrived, said

    def decisions(self) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in self._audit.read_text().splitlines()]
        return [(line["decision"], line["reason"]) for line in lines]

    def _arrived(self) -> bytes:
        self.listener.settimeout(1.0)
        with suppress(TimeoutError):
            near, _ = self.listener.accept()
            with near:
                near.settimeout(5)
                data = b""
                with suppress(OSError):
                    while piece := near.recv(4096):
                        data += piece
                return data
        return b""


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.listener.close()


def connect(far: Far, name: str = "ok.test") -> bytes:
    return f"CONNECT {name}:{far.port} HTTP/1.1\r\nHost: {name}:{far.port}\r\n\r\n".encode()


def test_a_tunnel_to_the_name_that_it_asked_for_is_opened(far: Far) -> None:
    first = hello("OK.test")
    arrived, said = far.ask(connect(far), first + b"more")
    assert arrived == first + b"more"
    assert said.startswith(b"HTTP/1.1 200 ")
    assert [decision for decision, _ in far.decisions()] == ["allowed"]


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (hello("other.test"), "TLS is to 'other.test', CONNECT to ok.test"),
        (hello("evil.example"), "TLS is to 'evil.example', CONNECT to ok.test"),
        (hello(None), "names no server"),
        (b"SSH-2.0-evil\r\n", "does not begin with a TLS handshake"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "does not begin with a TLS handshake"),
        (hello("ok.test")[:60], "ended before its first message was whole"),
    ],
    ids=["another allowed name", "another name", "no name", "ssh", "http", "cut short"],
)
def test_h17_a_tunnel_to_another_name_carries_nothing(far: Far, then: bytes, why: str) -> None:
    arrived, _ = far.ask(connect(far), then)
    assert arrived == b""
    ((decision, reason),) = far.decisions()
    assert decision == "refused"
    assert why in reason


def test_h17_a_second_plain_request_on_a_connection_goes_nowhere(far: Far) -> None:
    first = f"GET http://ok.test:{far.port}/ HTTP/1.1\r\nHost: ok.test:{far.port}\r\n\r\n".encode()
    second = b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    assert far.ask(first + second) == (b"", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert far.decisions() == [("refused", "a second request follows the first")]


def test_h17_nothing_follows_the_body_of_a_plain_request(far: Far) -> None:
    head = f"POST http://ok.test:{far.port}/ HTTP/1.1\r\nHost: ok.test:{far.port}\r\nContent-Length: 5\r\n\r\n".encode()
    with socket.create_connection(far.proxy.getsockname(), timeout=5) as client:
        client.sendall(head + b"ab")
        near, _ = far.listener.accept()
        with near:
            near.settimeout(5)
            arrived = b""
            while not arrived.endswith(b"ab"):
                arrived += near.recv(4096)
            client.sendall(b"cde" + b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            rest = b""
            with suppress(OSError):
                while piece := near.recv(4096):
                    rest += piece
    assert b"evil" not in rest


@settings(deadline=None)
@given(cut=st.lists(st.integers(1, 400), max_size=8))
def test_the_name_is_read_however_the_first_message_is_cut(cut: list[int]) -> None:
    whole = HELLO
    pieces = []
    for length in cut:
        pieces.append(whole[:length])
        whole = whole[length:]
    waiting = iter([piece for piece in [*pieces, whole] if piece])
    read, name = read_server_name(lambda: next(waiting, b""))
    assert (read, name) == (HELLO, "ok.test")


def test_the_name_is_read_across_records() -> None:
    whole = hello("ok.test")
    body = whole[5:]
    split = b"".join(whole[:3] + len(part).to_bytes(2, "big") + part for part in (body[:50], body[50:]))
    assert read_server_name(lambda: b"", split) == (split, "ok.test")


def test_a_first_message_that_names_two_servers_is_refused() -> None:
    def vector(size: int, data: bytes) -> bytes:
        return len(data).to_bytes(size, "big") + data

    def message(*names: bytes) -> bytes:
        entries = b"".join(b"\0" + vector(2, name) for name in names)
        extension = b"\0\0" + vector(2, vector(2, entries))
        return bytes(34) + vector(1, b"") + vector(2, b"") + vector(1, b"") + vector(2, extension)

    assert server_name(message(b"ok.test")) == "ok.test"
    with pytest.raises(ValueError, match="2 servers"):
        server_name(message(b"ok.test", b"evil.example"))


@settings(deadline=None)
@given(data=st.binary(max_size=200), place=st.integers(0, 500))
def test_a_broken_first_message_is_refused_and_nothing_else(data: bytes, place: int) -> None:
    whole = HELLO
    with suppress(ValueError):
        read_server_name(lambda: b"", whole[:place] + data + whole[place + len(data) :])
    with suppress(ValueError):
        read_server_name(lambda: b"", data)


def test_a_preset_stands_for_its_hosts() -> None:
    assert expand(["pypi", "x.example", "npm", "pypi.org"]) == (
        "pypi.org",
        "files.pythonhosted.org",
        "x.example",
        "registry.npmjs.org",
    )
    allowed = AllowList(["pypi"], [], lambda name, port: ["93.184.216.34"])
    assert allowed.judge("files.pythonhosted.org", 443)[0] == "files.pythonhosted.org"
    with pytest.raises(Refused):
        allowed.judge("pypi", 443)


@pytest.mark.parametrize("host", sorted({host for hosts in PRESETS.values() for host in hosts}))
def test_every_host_of_a_preset_is_a_plain_name(host: str) -> None:
    assert normalise(host) == host
    assert "." in host
