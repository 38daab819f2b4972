"""The engine by its SDK: found, asked what it is, and its refusals turned into our errors."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from switchyard_sandbox.contract import IsolationUnavailable, SandboxError
from switchyard_sandbox.docker.engine import Engine, EngineError

if TYPE_CHECKING:
    from docker import DockerClient

_ANSWER_S = 900
"""Copying a large work tree into a box is silent for long."""
_HINT = "start Docker, or name its socket: DOCKER_HOST=unix:///run/docker.sock; your user must be allowed to use it"


@dataclass(frozen=True)
class Client:
    """A connection to one engine."""

    sdk: DockerClient
    socket: str
    """The engine's unix socket."""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sdk.close()

    @functools.cached_property
    def about(self) -> dict[str, Any]:
        """What the engine says of itself, asked once."""
        with told():
            return dict(self.sdk.info())


def connect(base_url: str) -> Client:
    """An engine that answers.

    Args:
        base_url: `unix://` and a path; empty: what the environment names, else the SDK's default.

    Raises:
        IsolationUnavailable: There is no SDK, no engine, or it is not on this machine.
    """
    try:
        import docker
        from docker.errors import DockerException
        from docker.utils import kwargs_from_env, parse_host
    except ImportError as err:
        raise IsolationUnavailable(
            "the Docker SDK is not installed", hint="pip install 'switchyard-factory[docker]'"
        ) from err
    try:
        address = str(parse_host(base_url or kwargs_from_env().get("base_url")))
        if not address.startswith("http+unix://"):
            raise IsolationUnavailable(
                f"the Docker engine at {address} is not behind a socket of this machine",
                hint="boxes borrow files of this machine: use its own engine, unix:///run/docker.sock",
            )
        # The SDK leaves a socket open where nobody answers: so it is asked only when somebody does.
        socket = address.removeprefix("http+unix://")
        Engine(socket).ask("GET", "/version")
        return Client(docker.DockerClient(base_url=address, timeout=_ANSWER_S), socket)
    except (DockerException, EngineError) as err:
        raise IsolationUnavailable(f"no Docker engine answers: {err}", hint=_HINT) from err


@contextmanager
def told() -> Iterator[None]:
    """Let no error of the SDK out: what the engine said, as ours."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException) as err:
        said = getattr(err, "explanation", None) or str(err)
        raise SandboxError(f"the Docker engine could not do it: {said}", hint="look into the engine's log") from err
