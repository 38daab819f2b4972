"""A model endpoint and a gateway in front of it, shared by the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from switchyard_sandbox.gateway import Endpoint, GatewayHandle, Token, ensure_running
from switchyard_sandbox.gateway.handle import Bounds

from sandbox.gateway_client import KEYS
from sandbox.upstream import Upstream, running

BOUNDS = Bounds(idle_s=600, connect_s=2, silence_s=1.5, most_bytes=1 << 20)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Upstream]:
    with running() as upstream:
        yield upstream


@pytest.fixture
def upstream(endpoint: Upstream) -> Upstream:
    """The endpoint as if nobody had asked it anything."""
    endpoint.asked.clear()
    endpoint.answer = Upstream.answer
    return endpoint


@pytest.fixture(scope="module")
def gateway(endpoint: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayHandle]:
    endpoints = [
        Endpoint("anthropic", "anthropic", endpoint.url),
        Endpoint("openai", "openai", endpoint.url),
        Endpoint("gemini", "gemini", endpoint.url),
        Endpoint("other", "bearer", f"{endpoint.url}/below"),
        Endpoint("nowhere", "bearer", "http://127.0.0.1:1"),
    ]
    handle = ensure_running(tmp_path_factory.mktemp("state"), endpoints, KEYS, bounds=BOUNDS)
    yield handle
    handle.stop()


@pytest.fixture
def token(gateway: GatewayHandle) -> Token:
    return gateway.issue({"task": "t1"}, list(KEYS), 60)
