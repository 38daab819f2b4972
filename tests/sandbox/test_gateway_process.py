"""The gateway as a process: what dies with a token, what it shows of itself, and that it outlives its starter."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from switchyard_sandbox import SandboxError
from switchyard_sandbox.embedded.procfs import start_time
from switchyard_sandbox.gateway import Endpoint, GatewayHandle, Token, ensure_running
from switchyard_sandbox.gateway.handle import Bounds

from sandbox.gateway_client import KEYS, Connection, ask
from sandbox.upstream import Handler, Upstream


def test_a_token_that_dies_ends_what_it_asked_for(gateway: GatewayHandle, upstream: Upstream) -> None:
    token = gateway.issue({}, ["anthropic"], 60)
    ended, whole = threading.Event(), threading.Event()

    def answer(handler: Handler) -> None:
        handler.begin()
        try:
            for _ in range(400):
                handler.go_on(b"data: more\n\n")
                time.sleep(0.05)
            whole.set()
        finally:
            ended.set()

    upstream.answer = answer
    connection = Connection(gateway)
    connection.request("POST", "/anthropic/v1/messages", b"{}", {"x-api-key": token.secret})
    with closing(connection), connection.getresponse() as response:
        response.readline()
        gateway.revoke(token)
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()
    assert ended.wait(30)
    assert not whole.is_set()


def test_a_box_that_goes_away_ends_what_it_asked_for(upstream: Upstream, tmp_path: Path) -> None:
    gateway = ensure_running(tmp_path, [Endpoint("anthropic", "anthropic", upstream.url)], KEYS)
    token = gateway.issue({}, ["anthropic"], 60)
    left = threading.Event()

    def answer(handler: Handler) -> None:
        handler.begin()
        handler.go_on(b"data: first\n\n")
        handler.connection.settimeout(20)
        with suppress(TimeoutError):
            handler.connection.recv(1)
            left.set()

    upstream.answer = answer
    connection = Connection(gateway)
    connection.request("POST", "/anthropic/v1/messages", b"{}", {"x-api-key": token.secret})
    with closing(connection), connection.getresponse() as response:
        response.readline()
    try:
        assert left.wait(15)
        assert not gateway.usage()[-1].is_whole
    finally:
        gateway.stop()


def test_neither_files_nor_processes_show_a_key_or_a_token(
    gateway: GatewayHandle, upstream: Upstream, token: Token
) -> None:
    upstream.answer = lambda handler: handler.connection.close()
    ask(gateway, "/anthropic/v1/messages", {"x-api-key": token.secret})
    ask(gateway, "/nowhere/x", {"x-api-key": token.secret})
    folder, process = gateway.socket.parent, Path(f"/proc/{gateway.pid}")
    places = [place for place in folder.rglob("*") if place.is_file()]
    seen = b"".join(place.read_bytes() for place in [*places, process / "cmdline", process / "environ"])
    assert b"ClientConnect" in (folder / "gateway.log").read_bytes() or b"Disconnected" in seen
    for secret in (*KEYS.values(), token.secret):
        assert secret.encode() not in seen
        assert secret not in repr(token) + repr(gateway.access(token))
    assert {place.stat().st_mode & 0o077 for place in [folder, *folder.rglob("*")]} == {0}


def test_it_serves_on_when_its_starter_is_killed_and_is_found_again(upstream: Upstream, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from switchyard_sandbox.gateway import Endpoint, ensure_running\n"
        f"endpoints = [Endpoint('anthropic', 'anthropic', {upstream.url!r})]\n"
        f"handle = ensure_running(Path({str(tmp_path)!r}), endpoints, {KEYS!r})\n"
        "print(handle.pid, handle.issue({'task': 'a'}, ['anthropic'], 60).secret, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid, secret = starter.stdout.readline().split()
        starter.kill()
    endpoints = [Endpoint("anthropic", "anthropic", upstream.url)]
    found = ensure_running(tmp_path, endpoints, KEYS)
    try:
        assert found.pid == int(pid)
        assert ask(found, "/anthropic/v1/messages", {"x-api-key": secret})[0] == 200
        assert [token.labels for token in found.tokens()] == [{"task": "a"}]
        found.revoke(found.tokens()[0])
        assert ask(found, "/anthropic/v1/messages", {"x-api-key": secret})[0] == 401
    finally:
        found.stop()
    assert start_time(int(pid)) == 0


def test_one_that_was_killed_is_replaced_and_counts_on(upstream: Upstream, tmp_path: Path) -> None:
    endpoints = [Endpoint("anthropic", "anthropic", upstream.url)]
    first = ensure_running(tmp_path, endpoints, KEYS)
    token = first.issue({}, ["anthropic"], 60)
    assert ask(first, "/anthropic/v1/messages", {"x-api-key": token.secret})[0] == 200
    pid = first.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while start_time(pid):
        time.sleep(0.01)
    with (tmp_path / "gateway" / "usage.jsonl").open("ab") as file:
        file.write(b'{"sequence": 2, "ti')
    second = ensure_running(tmp_path, endpoints, KEYS)
    try:
        assert ask(second, "/anthropic/v1/messages", {"x-api-key": token.secret})[0] == 200
        assert [row.sequence for row in second.usage()] == [1, 2]
        assert [row.sequence for row in second.usage(since=1)] == [2]
        third = ensure_running(tmp_path, endpoints, {"anthropic": "sk-another-key"})
        assert third.pid not in (None, pid)
        assert ask(third, "/anthropic/v1/messages", {"x-api-key": token.secret})[0] == 200
        assert upstream.asked[-1][2]["x-api-key"] == "sk-another-key"
    finally:
        second.stop()


def test_it_ends_by_itself_once_no_token_lives(upstream: Upstream, tmp_path: Path) -> None:
    handle = ensure_running(tmp_path, [Endpoint("other", "bearer", upstream.url)], KEYS, bounds=Bounds(idle_s=0.5))
    pid = handle.pid
    assert pid is not None
    token = handle.issue({}, ["other"], 60)
    time.sleep(2.5)
    assert handle.pid == pid
    handle.revoke(token)
    give_up = time.monotonic() + 20
    while handle.pid and time.monotonic() < give_up:
        time.sleep(0.1)
    assert handle.pid is None
    with pytest.raises(SandboxError, match="ended"):
        handle.issue({}, ["other"], 60)


def test_it_ends_when_its_folder_is_removed(upstream: Upstream, tmp_path: Path) -> None:
    handle = ensure_running(tmp_path, [Endpoint("other", "bearer", upstream.url)], KEYS)
    pid = handle.pid
    assert pid is not None
    handle.issue({}, ["other"], 60)
    shutil.rmtree(handle.socket.parent)
    give_up = time.monotonic() + 20
    while start_time(pid) and time.monotonic() < give_up:
        time.sleep(0.1)
    assert start_time(pid) == 0


@pytest.mark.parametrize("key", ["", "short", "two words in it", "a\nkey-with-a-line", "ключ-не-ascii"])
def test_a_key_that_no_header_takes_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(SandboxError) as told:
        ensure_running(tmp_path, [Endpoint("other", "bearer", "https://x.example")], {"other": key})
    assert not key or key not in f"{told.value} {told.value.hint}"


@pytest.mark.parametrize("url", ["https://user:pass@x.example", "ftp://x.example", "https://x.example?a=b", "https://"])
def test_an_address_that_is_no_origin_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SandboxError, match="can't serve"):
        ensure_running(tmp_path, [Endpoint("other", "bearer", url)], KEYS)
