"""What of a box's request goes on: a path that means one thing to every reader, and headers without credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from switchyard_sandbox.gateway.endpoints import Endpoint, credential

_PLAIN = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_TWO_MEANINGS = re.compile(r"//|%2f|%5c|%2e|%25|%00|(?:^|/)\.{1,2}(?:/|$)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_KEY_PARAMETERS = ("key", "api_key", "access_token")

_CREDENTIALS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
_ONE_HOP = frozenset(
    (
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
        *("proxy-authenticate", "proxy-authorization", "http2-settings"),
    )
)
_NOT_FORWARDED = _ONE_HOP | {
    *_CREDENTIALS,
    *("host", "cookie", "accept-encoding", "forwarded", "via", "x-real-ip", "x-http-method-override"),
}
_NOT_ANSWERED = _ONE_HOP | {"set-cookie", "content-length", "alt-svc", "strict-transport-security"}
METHODS = ("GET", "POST")


class Refused(Exception):
    """A request that goes nowhere, with the status and the message that the box is told."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Target:
    """Where a request wants to go."""

    name: str
    """The endpoint."""
    path: str
    query: str
    keys: tuple[str, ...] = field(repr=False)
    """What the query gave as a credential."""


def parse_target(target: str) -> Target:
    """Take a request's target apart.

    Raises:
        Refused: It is no path, or one that two readers could read differently.
    """
    path, _, query = target.partition("?")
    if not _PLAIN.fullmatch(path) or _TWO_MEANINGS.search(path) or not _QUERY.fullmatch(query):
        raise Refused(400, "the path is not one that the gateway forwards")
    name, slash, rest = path[1:].partition("/")
    if not _NAME.fullmatch(name) or not slash:
        raise Refused(404, "the path names no endpoint of the gateway")
    kept, keys = [], []
    for part in query.split("&") if query else []:
        parameter, _, value = part.partition("=")
        if unquote_plus(parameter).lower() in _KEY_PARAMETERS:
            keys.append(unquote_plus(value))
        else:
            kept.append(part)
    return Target(name, f"/{rest}", "&".join(kept), tuple(keys))


def presented(headers: Iterable[tuple[str, str]], target: Target) -> str:
    """The one credential that a request presents.

    Raises:
        Refused: It presents none, or several.
    """
    found = set(target.keys)
    for name, value in headers:
        if name.lower() in _CREDENTIALS:
            scheme, _, rest = value.strip().partition(" ")
            found.add(rest.strip() if scheme.lower() == "bearer" else value.strip())
    if len(found) != 1:
        raise Refused(401, "the request carries no token" if not found else "the request carries several credentials")
    return found.pop()


def forwarded_headers(headers: Mapping[str, str], endpoint: Endpoint, key: str) -> list[tuple[str, str]]:
    """The headers of a request as the endpoint gets them: with the host's key, without the box's credentials.

    What is compressed can't be counted, so answers are asked for as they are.
    """
    dropped = _NOT_FORWARDED | _named_by_connection(headers)
    kept = [(name, value) for name, value in headers.items() if _passes(name.lower(), dropped)]
    return [*kept, ("Accept-Encoding", "identity"), credential(endpoint.kind, key)]


def answered_headers(headers: Mapping[str, str], key: str) -> list[tuple[str, str]]:
    """The headers of an answer as the box gets them, with the key blotted out where one repeats it."""
    dropped = _NOT_ANSWERED | _named_by_connection(headers)
    blot = "*" * len(key)
    return [(name, value.replace(key, blot)) for name, value in headers.items() if name.lower() not in dropped]


def _passes(name: str, dropped: frozenset[str]) -> bool:
    return name not in dropped and not name.startswith(("x-forwarded-", "proxy-", "sec-websocket-"))


def _named_by_connection(headers: Mapping[str, str]) -> frozenset[str]:
    values = [value for name, value in headers.items() if name.lower() == "connection"]
    return frozenset(part.strip().lower() for value in values for part in value.split(","))


class Redactor:
    """Blots out the key where an answer repeats it, in as many bytes; only a possible beginning of it is held back."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What may go on now."""
        data = (self._held + data).replace(self._key, b"*" * len(self._key))
        held = next((n for n in range(min(len(self._key) - 1, len(data)), 0, -1) if data.endswith(self._key[:n])), 0)
        self._held = data[len(data) - held :]
        return data[: len(data) - held]

    def close(self) -> bytes:
        """What was held back to the end."""
        rest, self._held = self._held, b""
        return rest
