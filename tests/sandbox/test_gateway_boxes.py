"""The gateway as a command in a box meets it: a streamed answer, and no key anywhere in reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from switchyard_sandbox import BoxSpec, SetUp
from switchyard_sandbox.gateway import Endpoint, GatewayHandle, Token, ensure_running

from sandbox.boxes import DRIVERS, Ground, make_ground
from sandbox.upstream import Handler, Upstream, running

pytestmark = pytest.mark.sandbox
KEY = "sk-ant-real-key-of-the-host"
ISOLATING = [kind for kind in ("docker", "embedded") if kind in DRIVERS]
CLIENT = """
import json, os, urllib.request
address = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "content-type": "application/json"}
with urllib.request.urlopen(urllib.request.Request(address, b'{"stream": true}', headers), timeout=20) as answer:
    for line in answer:
        print(line.decode(), end="", flush=True)
"""
REACH = """
import socket, sys
for place in [("127.0.0.1", 3128), ("127.0.0.1", {port}), ("169.254.169.254", 80), ("1.1.1.1", 443)]:
    try:
        socket.create_connection(place, 2)
        print("reached", place)
    except OSError:
        pass
"""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running() as upstream:
        yield upstream


@pytest.fixture(params=[*ISOLATING, "none"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def gateway(ground: Ground, upstream: Upstream) -> Iterator[GatewayHandle]:
    handle = ensure_running(ground.state, [Endpoint("anthropic", "anthropic", upstream.url)], {"anthropic": KEY})
    yield handle
    handle.stop()


def spec_of(ground: Ground, gateway: GatewayHandle, token: Token, **more: object) -> BoxSpec:
    spec = ground.spec(ground.commit({"client.py": CLIENT, "reach.py": REACH}), **more)  # type: ignore[arg-type]
    return BoxSpec(**{**vars(spec), "gateway": gateway.access(token)})


def stream(handler: Handler) -> None:
    usage = {"input_tokens": 3, "output_tokens": 1}
    handler.begin()
    for part in ({"type": "message_start", "message": {"model": "m", "usage": usage}}, {"type": "message_stop"}):
        handler.go_on(f"data: {json.dumps(part)}\n\n".encode())
    handler.go_on(b"")


def test_a_command_gets_a_streamed_answer_and_holds_no_key(
    ground: Ground, gateway: GatewayHandle, upstream: Upstream
) -> None:
    upstream.answer = stream
    token = gateway.issue({"task": "t1"}, ["anthropic"], 60)
    box = ground.box(spec_of(ground, gateway, token))
    said = ground.did(box, "python3 client.py")
    assert [json.loads(line[6:])["type"] for line in said.splitlines() if line] == ["message_start", "message_stop"]
    assert upstream.asked[0][2]["x-api-key"] == KEY
    places = "/workspace /home /switchyard /tmp /run /etc" if ground.driver.kind in ISOLATING else "$PWD $HOME"
    seen = ground.did(
        box, f"env; tr '\\0' '\\n' < /proc/self/environ; grep -rsl {KEY[:12]} {places} && echo found || true"
    )
    assert token.secret in seen
    assert KEY not in seen
    assert "found" not in seen
    gateway.revoke(token)
    assert ground.run(box, "python3 client.py").exit_code == 1
    (row,) = gateway.usage()
    assert (row.labels, row.input_tokens, row.output_tokens) == ({"task": "t1"}, 3, 1)


def test_the_token_lies_in_no_file_that_others_may_read(ground: Ground, gateway: GatewayHandle) -> None:
    token = gateway.issue({}, ["anthropic"], 60)
    box = ground.box(spec_of(ground, gateway, token))
    ground.run(box, "true")
    holding = [
        place for place in ground.state.rglob("*") if place.is_file() and token.secret.encode() in place.read_bytes()
    ]
    assert holding
    assert {place.stat().st_mode & 0o077 for place in holding} == {0}


@pytest.mark.parametrize("ground", ISOLATING, indirect=True)
class TestIsolated:
    def test_a_box_with_the_gateway_alone_has_no_other_way_out(
        self, ground: Ground, gateway: GatewayHandle, upstream: Upstream
    ) -> None:
        box = ground.box(spec_of(ground, gateway, gateway.issue({}, ["anthropic"], 60)))
        assert ground.run(box, "env | grep -i proxy").exit_code == 1
        assert ground.did(box, f"sed 's/{{port}}/{upstream.port}/' reach.py | python3") == ""

    def test_a_box_may_have_both_the_gateway_and_host_names(
        self, ground: Ground, gateway: GatewayHandle, upstream: Upstream
    ) -> None:
        token = gateway.issue({}, ["anthropic"], 60)
        box = ground.box(spec_of(ground, gateway, token, network=(f"localhost:{upstream.port}",)))
        assert ground.did(box, "python3 client.py") == '{"ok": true}'
        fetched = f"unset NO_PROXY no_proxy; python3 -c \"import urllib.request as r; r.urlopen('http://localhost:{upstream.port}/x')\""
        assert ground.run(box, fetched).ok
        assert [asked[1] for asked in upstream.asked] == ["/v1/messages", "/x"]

    def test_set_up_and_boxes_without_it_do_not_reach_the_gateway(
        self, ground: Ground, gateway: GatewayHandle, upstream: Upstream
    ) -> None:
        reach = "import socket; socket.create_connection(('127.0.0.1', 3129), 2)"
        setup = SetUp(
            commands=("env | grep ANTHROPIC > seen || true", f'python3 -c "{reach}" && echo in >> seen || true')
        )
        token = gateway.issue({}, ["anthropic"], 60)
        box = ground.box(spec_of(ground, gateway, token, setup=setup))
        assert ground.did(box, "cat seen") == ""
        plain = ground.box(ground.spec(ground.git("rev-parse", "HEAD").strip()))
        assert ground.run(plain, f'python3 -c "{reach}"').exit_code == 1

    def test_the_socket_is_its_owners_alone(self, gateway: GatewayHandle) -> None:
        assert gateway.socket.stat().st_mode & 0o777 == 0o600
        assert gateway.socket.parent.stat().st_mode & 0o777 == 0o700
