"""How the factory uses the gateway: starts it or finds it again, issues and ends tokens, reads what was used."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from switchyard_sandbox.contract import GatewayAccess, SandboxError
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.embedded.procfs import is_alive
from switchyard_sandbox.gateway.endpoints import Endpoint, variables
from switchyard_sandbox.gateway.place import LOCK, SOCKET, Running, find_running
from switchyard_sandbox.gateway.tokens import Token, TokenStore
from switchyard_sandbox.gateway.usage import UsageLog, UsageRow
from switchyard_sandbox.launch import run

_START_S = 60.0
_STOP_S = 5.0
_KEY = re.compile(r"[\x21-\x7e]{8,4096}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Bounds:
    """What one gateway allows itself and those who ask."""

    idle_s: float = 900.0
    """Without a live token and a request for so long, it ends by itself."""
    connect_s: float = 20.0
    silence_s: float = 600.0
    """The longest silence of an endpoint."""
    most_bytes: int = 64 << 20
    """The largest request."""


class GatewayHandle:
    """One running gateway. Any process of the same user that knows the folder may hold one."""

    def __init__(self, folder: Path, endpoints: Sequence[Endpoint]) -> None:
        self._folder = folder
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._tokens = TokenStore(folder)

    @property
    def socket(self) -> Path:
        """Where boxes' supervisors connect; for its owner alone."""
        return self._folder / SOCKET

    @property
    def pid(self) -> int | None:
        """The gateway's process; None: it has ended."""
        running = find_running(self._folder)
        return running.pid if running else None

    def issue(self, labels: Mapping[str, str], endpoints: Sequence[str], ttl_s: float) -> Token:
        """A token that opens these endpoints for so long.

        Raises:
            SandboxError: An endpoint is not known, or the gateway has ended meanwhile.
        """
        for name in endpoints:
            if name not in self._endpoints:
                raise SandboxError(f"the gateway has no endpoint {name!r}", hint="add it to [gateway]")
        with hold(str(self._folder / LOCK)):
            if find_running(self._folder) is None:
                raise SandboxError(f"the gateway of {self._folder} has ended", hint="start it again")
            return self._tokens.issue(labels, endpoints, time.time() + ttl_s)

    def access(self, token: Token) -> GatewayAccess:
        """What a box needs to use the gateway with a token."""
        endpoints = [self._endpoints[name] for name in token.endpoints]
        return GatewayAccess(self.socket, variables(endpoints, token.secret))

    def tokens(self) -> list[Token]:
        """The live tokens, without their secrets."""
        return self._tokens.alive(time.time())

    def revoke(self, token: Token) -> None:
        """End a token and, within a second, what it asked for. One that is dead is no error."""
        self._tokens.revoke(token.id)

    def usage(self, since: int = 0) -> list[UsageRow]:
        """What was used after the row of that number; rows never change."""
        return UsageLog(self._folder).read(since)

    def stop(self) -> None:
        """End the gateway; tokens that are alive serve the next one."""
        with hold(str(self._folder / LOCK)):
            _stop(find_running(self._folder))


def ensure_running(
    state: Path,
    endpoints: Sequence[Endpoint],
    keys: Mapping[str, str],
    *,
    bounds: Bounds | None = None,
    certificates: Path | None = None,
) -> GatewayHandle:
    """Find the gateway of a state folder, or start it; one with other endpoints or keys is replaced.

    Args:
        keys: By endpoint's name; handed over a pipe and never written down.
        certificates: The authorities that the endpoints' certificates are checked against; None: the system's.

    Raises:
        SandboxError: An endpoint or a key can't be used, or the process could not be started.
    """
    bounds = bounds or Bounds()
    _check(endpoints, keys)
    folder = state.absolute() / "gateway"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {
        "endpoints": [{**vars(endpoint), "key": keys[endpoint.name]} for endpoint in endpoints],
        "certificates": str(certificates or ""),
        **vars(bounds),
    }
    with hold(str(folder / LOCK)):
        running = find_running(folder)
        if running is None or not _is_same(running.fingerprint, told):
            _stop(running)
            _start(folder, told)
    return GatewayHandle(folder, endpoints)


def live_tokens(state: Path) -> list[Token]:
    """The tokens that are alive in a state folder, without their secrets, whether its gateway runs or not."""
    return TokenStore(state.absolute() / "gateway").alive(time.time())


def _start(folder: Path, told: Mapping[str, object]) -> None:
    argv = (sys.executable, "-I", "-m", "switchyard_sandbox.gateway.process", str(folder))
    handed = json.dumps({**told, "fingerprint": _fingerprint(told, secrets.token_hex(8))}).encode()
    done = run(argv, cwd=Path("/"), timeout_s=_START_S, stdin=handed)
    if done.code:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise SandboxError(f"the gateway could not be started: {' '.join(said)}", hint=f"look into {folder}")


def _stop(running: Running | None) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL) if running else ():
        assert running is not None
        give_up = time.monotonic() + _STOP_S
        with suppress(ProcessLookupError):
            if is_alive(running.pid, running.start):
                os.kill(running.pid, number)
        while is_alive(running.pid, running.start) and time.monotonic() < give_up:
            time.sleep(0.01)


def _check(endpoints: Sequence[Endpoint], keys: Mapping[str, str]) -> None:
    for endpoint in endpoints:
        where = urlsplit(endpoint.url)
        odd = where.username or where.password or where.query or where.fragment or not where.hostname
        if odd or where.scheme not in ("https", "http") or not _NAME.fullmatch(endpoint.name):
            raise SandboxError(
                f"the gateway can't serve {endpoint.name!r} at {where.scheme}://{where.hostname}",
                hint="give a plain name and an address without user, query and fragment",
            )
        if not _KEY.fullmatch(keys.get(endpoint.name, "")):
            raise SandboxError(
                f"there is no usable key for the endpoint {endpoint.name!r}",
                hint="set its variable to the key alone: 8 or more printable characters, no spaces",
            )


def _is_same(known: str, told: Mapping[str, object]) -> bool:
    return known == _fingerprint(told, known.partition(":")[0])


def _fingerprint(told: Mapping[str, object], salt: str) -> str:
    """What a gateway was told, as a hash that gives no key away."""
    text = json.dumps({name: told[name] for name in sorted(told) if name != "fingerprint"}, sort_keys=True)
    return f"{salt}:{hashlib.scrypt(text.encode(), salt=salt.encode(), n=1 << 12, r=8, p=1, dklen=16).hex()}"
