"""The tests' engine, and what it holds."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox.boxes import DOCKER, Ground
from switchyard_sandbox import BoxId
from switchyard_sandbox.docker.client import Client
from switchyard_sandbox.docker.container import STATE, state_name

needs_engine = pytest.mark.skipif(not DOCKER, reason="no Docker engine to test with: run `make test-docker`")


def inspect(client: Client, box: BoxId) -> dict[str, Any]:
    return dict(client.sdk.api.inspect_container(f"switchyard-{box}"))


def volumes(client: Client, ground: Ground) -> list[str]:
    label = f"{STATE}={state_name(ground.state)}"
    return [volume.name for volume in client.sdk.volumes.list(filters={"label": label})]
