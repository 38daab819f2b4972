"""Holds every request and answer of the stand-in against the models of the client that Daytona generates."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import ValidationError

KEY = "stand-in"
"""The one API key."""


@dataclass
class Fault:
    """What goes wrong on a route, and how often."""

    route: str
    """`METHOD /path` as the route is declared, such as `POST /sandbox`."""
    kind: str
    """status | slow | drop | late: an HTTP error, a delay before the answer, a connection cut after `after` bytes, an
    error although the deed was done."""
    times: int = 1
    status: int = 502
    delay_s: float = 0.0
    after: int = 0


@dataclass
class Record:
    """What was asked, what was wrong with it, and what shall go wrong next."""

    unknown: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    spans: list[tuple[float, float, str]] = field(default_factory=list)
    """Begin and end of each request, by the monotonic clock, and its route."""
    faults: list[Fault] = field(default_factory=list)

    def take(self, route: str, *kinds: str) -> Fault | None:
        """The fault that is due on a route."""
        for fault in self.faults:
            if fault.route == route and fault.kind in kinds and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    async def accept(self, request: web.Request, model: Any) -> Any:
        """The body as the model says it is."""
        body = await request.json()
        return self._hold(request, model, body)

    def answer(self, request: web.Request, model: Any, body: Any, status: int = 200) -> web.Response:
        """The body, when the model agrees to it."""
        self._hold(request, model, body)
        return web.json_response(body, status=status)

    def _hold(self, request: web.Request, model: Any, body: Any) -> Any:
        try:
            found = model.from_dict(body)
        except ValidationError as err:
            self.invalid.append(f"{request.method} {request.path}: {err}")
            raise web.HTTPBadRequest(text=str(err)) from err
        if found.additional_properties:
            self.invalid.append(f"{request.method} {request.path}: unknown {sorted(found.additional_properties)}")
        return found


def route_of(request: web.Request) -> str:
    """The declared route of a request, without what it is mounted below."""
    resource = request.match_info.route.resource
    path = resource.canonical if resource else request.path
    return f"{request.method} {path.removeprefix('/api').removeprefix('/toolbox/{box}')}"


@web.middleware
async def watch(request: web.Request, handler: Any) -> web.StreamResponse:
    """Check the key, let go wrong what shall, and note what was asked."""
    record: Record = request.app["record"]
    if request.path.startswith("/stand-in/"):
        return await handler(request)
    if request.match_info.http_exception is not None:
        if "socket.io" not in request.path:
            record.unknown.append(f"{request.method} {request.path}")
        raise request.match_info.http_exception
    began, route = time.monotonic(), route_of(request)
    try:
        return await _answer(request, handler, record, route)
    finally:
        record.spans.append((began, time.monotonic(), route))


async def _answer(request: web.Request, handler: Any, record: Record, route: str) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        return _failure(request, 401, "Invalid credentials")
    if fault := record.take(route, "slow"):
        await asyncio.sleep(fault.delay_s)
    if fault := record.take(route, "status"):
        return _failure(request, fault.status, "asked for by the test")
    response = await handler(request)
    if fault := record.take(route, "late"):
        return _failure(request, fault.status, "asked for by the test, after the deed")
    return response


def _failure(request: web.Request, status: int, message: str) -> web.Response:
    body = {"statusCode": status, "message": message, "path": request.path, "source": "DAYTONA_API"}
    return web.json_response(body, status=status)


def not_found(request: web.Request, what: str) -> web.HTTPNotFound:
    """A 404 as the service words it."""
    text = f'{{"statusCode": 404, "message": "{what} not found", "path": "{request.path}"}}'
    return web.HTTPNotFound(text=text, content_type="application/json")
