"""What the gateway lets through with which key, what it refuses, and how it answers."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from contextlib import closing, suppress

import pytest
from switchyard_sandbox.gateway import GatewayHandle, Token

from sandbox.gateway_client import KEYS, PATHS, Connection, ask, say_raw
from sandbox.upstream import Handler, Upstream, running


@pytest.mark.parametrize(
    ("name", "presented", "placed"),
    [
        ("anthropic", "x-api-key", ("x-api-key", "{}")),
        ("anthropic", "authorization", ("x-api-key", "{}")),
        ("openai", "authorization", ("authorization", "Bearer {}")),
        ("gemini", "x-goog-api-key", ("x-goog-api-key", "{}")),
        ("other", "authorization", ("authorization", "Bearer {}")),
        ("other", "api-key", ("authorization", "Bearer {}")),
    ],
)
def test_the_key_takes_the_tokens_place(
    gateway: GatewayHandle, upstream: Upstream, token: Token, name: str, presented: str, placed: tuple[str, str]
) -> None:
    given = f"Bearer {token.secret}" if presented == "authorization" else token.secret
    status, body = ask(gateway, f"/{name}{PATHS[name]}?a=b", {presented: given, "X-Mine": "1", "Cookie": "c=d"}, b"[1]")
    assert (status, json.loads(body)) == (200, {"ok": True})
    ((method, path, headers, sent),) = upstream.asked
    below = "/below" if name == "other" else ""
    assert (method, path, sent) == ("POST", f"{below}{PATHS[name]}?a=b", b"[1]")
    assert headers[placed[0]] == placed[1].format(KEYS[name])
    assert headers["x-mine"] == "1"
    assert headers["host"] == f"127.0.0.1:{upstream.port}"
    assert token.secret not in str(headers)
    assert not {"cookie", "connection", "x-forwarded-for", "via"} & set(headers)
    assert sum(value.endswith(KEYS[name]) for value in headers.values()) == 1


def test_a_key_in_the_query_is_taken_for_a_token_and_dropped(
    gateway: GatewayHandle, upstream: Upstream, token: Token
) -> None:
    assert ask(gateway, f"/gemini{PATHS['gemini']}?alt=sse&k%65y={token.secret}", {})[0] == 200
    ((_, path, headers, _),) = upstream.asked
    assert path == f"{PATHS['gemini']}?alt=sse"
    assert headers["x-goog-api-key"] == KEYS["gemini"]


def test_headers_of_one_hop_and_those_that_connection_names_stay_behind(
    gateway: GatewayHandle, upstream: Upstream, token: Token
) -> None:
    upstream.answer = lambda handler: handler.say(b"{}", Connection="X-Back", X_Back="1", Set_Cookie="a=b", X_On="2")
    connection = Connection(gateway)
    sent = {"x-api-key": token.secret, "Connection": "X-Secret, keep-alive", "X-Secret": "1", "TE": "trailers"}
    connection.request(
        "POST", "/anthropic/v1/messages", b"{}", {**sent, "Upgrade": "h2c", "X-Forwarded-For": "1.2.3.4"}
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    assert not {"x-secret", "te", "upgrade", "x-forwarded-for"} & set(upstream.asked[0][2])
    assert response.headers["X-On"] == "2"
    assert response.headers["X-Back"] is response.headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    "target",
    [
        "/other/../openai/v1/messages",
        "/other/v1/./messages",
        "/other/v1/%2e%2e/messages",
        "/other//evil.example/v1/messages",
        "//evil.example/other/v1/messages",
        "/other/v1%2fmessages",
        "/other/v1%5cmessages",
        "/other/v1\\messages",
        "/other/v1/%252e%252e/messages",
        "/other@evil.example/v1/messages",
        "http://evil.example/other/v1/messages",
        "/other",
        "/unknown/v1/messages",
        "/other/v1/messages%00",
        "*",
    ],
)
def test_h18_a_path_of_two_meanings_goes_nowhere(
    gateway: GatewayHandle, upstream: Upstream, token: Token, target: str
) -> None:
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nx-api-key: {token.secret}\r\nContent-Length: 0\r\n\r\n"
    status = int(say_raw(gateway, head.encode()).split(b" ")[1])
    assert 400 <= status < 500
    assert upstream.asked == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "api.openai.com\r\nHost: evil.example"])
def test_h18_the_host_header_decides_nothing(
    gateway: GatewayHandle, upstream: Upstream, token: Token, host: str
) -> None:
    head = f"POST /anthropic/v1/messages HTTP/1.1\r\nHost: {host}\r\nx-api-key: {token.secret}\r\n"
    say_raw(gateway, f"{head}Content-Length: 0\r\n\r\n".encode())
    assert [asked[2]["host"] for asked in upstream.asked] in ([f"127.0.0.1:{upstream.port}"], [])


def test_h18_a_token_opens_its_own_endpoints_alone(gateway: GatewayHandle, upstream: Upstream) -> None:
    token = gateway.issue({}, ["openai"], 60)
    assert ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret})[0] == 403
    assert ask(gateway, "/openai/v1/responses", {"authorization": f"Bearer {token.secret}"})[0] == 200
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("anthropic", {"type": "error", "error": {"type": "authentication_error"}}),
        ("openai", {"error": {"type": "invalid_request_error", "code": "invalid_api_key", "param": None}}),
        ("gemini", {"error": {"code": 401, "status": "UNAUTHENTICATED"}}),
    ],
)
def test_a_dead_token_is_answered_as_the_provider_would(
    gateway: GatewayHandle, upstream: Upstream, name: str, told: dict[str, dict[str, object]]
) -> None:
    expired, revoked = gateway.issue({}, [name], -1), gateway.issue({}, [name], 60)
    gateway.revoke(revoked)
    for secret in (expired.secret, revoked.secret, "sy-unknown", "", "../../usage.jsonl", KEYS[name]):
        status, body = ask(gateway, f"/{name}{PATHS[name]}", {"x-api-key": secret})
        document = json.loads(body)
        assert document["error"].pop("message")
        assert (status, document) == (401, told)
    assert ask(gateway, f"/{name}{PATHS[name]}", {})[0] == 401
    assert upstream.asked == []


def test_a_second_credential_beside_the_token_is_refused(
    gateway: GatewayHandle, upstream: Upstream, token: Token
) -> None:
    for number in range(8):
        both = {"x-api-key": token.secret, "Authorization": f"Bearer sk-own-key-of-the-box-{number}"}
        assert ask(gateway, "/anthropic/v1/messages", both)[0] == 401
    same = {"x-api-key": token.secret, "Authorization": f"Bearer {token.secret}"}
    assert ask(gateway, "/anthropic/v1/messages", same)[0] == 200
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/anthropic/v1/files"),
        ("POST", "/anthropic/v1/messages/batches"),
        ("GET", "/openai/v1/organization/admin_api_keys"),
        ("POST", "/openai/v1/files"),
        ("DELETE", "/other/any/thing"),
        ("POST", "/gemini/v1beta/cachedContents"),
        ("POST", "/gemini/upload/v1beta/files"),
    ],
)
def test_only_requests_for_models_are_let_through(
    gateway: GatewayHandle, upstream: Upstream, token: Token, method: str, path: str
) -> None:
    assert ask(gateway, path, {"x-api-key": token.secret}, method=method)[0] == 403
    assert upstream.asked == []


def test_events_pass_at_once(gateway: GatewayHandle, upstream: Upstream, token: Token) -> None:
    seen = threading.Event()

    def answer(handler: Handler) -> None:
        handler.begin()
        handler.go_on(b"data: first\n\n")
        handler.go_on(b"data: second\n\n" if seen.wait(10) else b"data: late\n\n")
        handler.go_on(b"")

    upstream.answer = answer
    connection = Connection(gateway)
    connection.request("POST", "/anthropic/v1/messages", b"{}", {"x-api-key": token.secret})
    response = connection.getresponse()
    assert response.readline() == b"data: first\n"
    seen.set()
    assert response.read() == b"\ndata: second\n\n"
    connection.close()


def test_whoever_has_read_an_answer_finds_it_counted(gateway: GatewayHandle, upstream: Upstream) -> None:
    token = gateway.issue({"task": "t9", "run": "r1"}, ["openai"], 60)
    usage = {"input_tokens": 7, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 2}
    upstream.answer = lambda handler: handler.say(json.dumps({"model": "m", "usage": usage}).encode())
    before = gateway.usage()[-1].sequence if gateway.usage() else 0
    assert ask(gateway, "/openai/v1/responses", {"authorization": f"Bearer {token.secret}"}, b"12345")[0] == 200
    (row,) = gateway.usage(since=before)
    assert (row.sequence, row.token, row.labels) == (before + 1, token.id, {"task": "t9", "run": "r1"})
    assert (row.endpoint, row.kind, row.model, row.path, row.status) == ("openai", "openai", "m", "/v1/responses", 200)
    assert (row.input_tokens, row.cached_tokens, row.cache_write_tokens, row.output_tokens) == (7, 3, 0, 2)
    assert (row.is_metered, row.is_whole, row.request_bytes) == (True, True, 5)


def test_an_answer_without_a_count_says_so(gateway: GatewayHandle, upstream: Upstream, token: Token) -> None:
    ask(gateway, "/openai/v1/responses", {"x-api-key": token.secret})
    assert not gateway.usage()[-1].is_metered
    ask(gateway, "/anthropic/v1/messages/count_tokens", {"x-api-key": token.secret})
    assert gateway.usage()[-1].is_metered
    upstream.answer = lambda handler: handler.say(b"{}", status=529)
    ask(gateway, "/openai/v1/responses", {"x-api-key": token.secret})
    assert gateway.usage()[-1].is_metered


def test_a_body_is_passed_on_as_it_comes(gateway: GatewayHandle, upstream: Upstream, token: Token) -> None:
    compressed = {"x-api-key": token.secret, "Content-Encoding": "gzip"}
    assert ask(gateway, "/anthropic/v1/messages", compressed, b"\x1f\x8bnot unpacked")[0] == 200
    assert upstream.asked[0][3] == b"\x1f\x8bnot unpacked"
    assert upstream.asked[0][2]["content-encoding"] == "gzip"


def test_a_compressed_answer_is_passed_on_as_it_is_and_counts_as_uncounted(
    gateway: GatewayHandle, upstream: Upstream, token: Token
) -> None:
    packed = gzip.compress(b'{"usage": {"input_tokens": 1}}')
    upstream.answer = lambda handler: handler.say(packed, Content_Encoding="gzip")
    assert ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret, "Accept-Encoding": "gzip"})[1] == packed
    assert upstream.asked[0][2]["accept-encoding"] == "identity"
    assert not gateway.usage()[-1].is_metered


@pytest.mark.parametrize("is_told", [True, False])
def test_a_request_above_the_cap_is_refused(
    gateway: GatewayHandle, upstream: Upstream, token: Token, is_told: bool
) -> None:
    pieces = [b"x" * 4096] * 300
    headers = {"x-api-key": token.secret} | ({"Content-Length": str(300 * 4096)} if is_told else {})
    with closing(Connection(gateway)) as connection:
        # It may be refused before the last piece was sent; the answer is there all the same.
        with suppress(BrokenPipeError):
            connection.request("POST", "/anthropic/v1/messages", iter(pieces), headers, encode_chunked=not is_told)
        with connection.getresponse() as response:
            assert response.status == 413
    assert upstream.asked == []


def test_a_redirect_is_not_followed(gateway: GatewayHandle, upstream: Upstream, token: Token) -> None:
    with running() as other:
        upstream.answer = lambda handler: handler.say(b"", status=307, Location=f"{other.url}/v1/messages")
        status, body = ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret})
        assert (status, other.asked) == (502, [])
        assert b"redirect" in body


def test_an_endpoint_that_fails_is_told_in_its_own_words(
    gateway: GatewayHandle, upstream: Upstream, token: Token
) -> None:
    assert ask(gateway, "/nowhere/x", {"x-api-key": token.secret})[0] == 502
    upstream.answer = lambda handler: time.sleep(3)
    status, body = ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret})
    assert (status, json.loads(body)["error"]["type"]) == (504, "timeout_error")
    upstream.answer = lambda handler: handler.say(b'{"error": "your key sk-re***789"}', status=401)
    status, body = ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret})
    assert status == 502
    assert b"sk-re" not in body
    upstream.answer = lambda handler: handler.say(b'{"error": "slow down"}', status=429)
    assert ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret}) == (429, b'{"error": "slow down"}')


def test_an_answer_that_breaks_off_breaks_off(gateway: GatewayHandle, upstream: Upstream, token: Token) -> None:
    def answer(handler: Handler) -> None:
        handler.begin()
        handler.go_on(b"data: first\n\n")
        handler.connection.shutdown(socket.SHUT_RDWR)

    upstream.answer = answer
    head = f"POST /anthropic/v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {token.secret}\r\nContent-Length: 0\r\n\r\n"
    seen = say_raw(gateway, head.encode(), to_end=True)
    assert seen.count(b"HTTP/1.1") == 1
    assert not seen.endswith(b"\r\n0\r\n\r\n")
    assert not gateway.usage()[-1].is_whole


def test_an_answer_that_repeats_the_key_is_blotted(gateway: GatewayHandle, upstream: Upstream, token: Token) -> None:
    def answer(handler: Handler) -> None:
        handler.begin()
        for piece in (KEYS["anthropic"][:5], KEYS["anthropic"][5:], " and ", KEYS["anthropic"][:7]):
            handler.go_on(piece.encode())
        handler.go_on(b"")

    upstream.answer = answer
    _, body = ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret})
    assert body == b"*" * len(KEYS["anthropic"]) + b" and " + KEYS["anthropic"][:7].encode()
