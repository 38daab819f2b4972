"""The gateway's HTTP side: checks a token, puts the key in its place, streams both ways and counts what is used."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

from switchyard_sandbox.gateway.endpoints import Endpoint, error_body, kind_of, uses_tokens
from switchyard_sandbox.gateway.metering import Meter
from switchyard_sandbox.gateway.requests import (
    METHODS,
    Redactor,
    Refused,
    Target,
    answered_headers,
    forwarded_headers,
    parse_target,
    presented,
)
from switchyard_sandbox.gateway.tokens import Token, TokenStore
from switchyard_sandbox.gateway.usage import UsageLog

_log = logging.getLogger(__name__)
_MOST_AT_ONCE = 64
"""Requests of one token under way together."""
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Settings:
    """What the gateway is started with."""

    endpoints: Mapping[str, Endpoint]
    keys: Mapping[str, str] = field(repr=False)
    """By endpoint."""
    tls: ssl.SSLContext
    connect_s: float
    silence_s: float
    """The longest silence of an endpoint, before its answer or within it."""
    most_bytes: int
    """The largest request."""


@dataclass
class Exchange:
    """One request on its way."""

    endpoint: Endpoint
    token: Token
    target: Target
    method: str
    began: float
    meter: Meter = field(default_factory=lambda: Meter(""))
    status: int = 0
    sent: int = 0
    answered: int = 0
    is_too_large: bool = False
    is_whole: bool = False
    is_recorded: bool = False


class Server:
    """Answers the requests of boxes."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, tokens: TokenStore, usage: UsageLog) -> None:
        self._settings, self._session, self._tokens, self._usage = settings, session, tokens, usage
        self._live: dict[asyncio.Task[object], str] = {}
        self.last_used = time.monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether any request is on its way."""
        return bool(self._live)

    def end_dead(self, now: float) -> None:
        """Break off what was asked with tokens that have died meanwhile."""
        for task, token in list(self._live.items()):
            if self._tokens.read(token, now) is None:
                task.cancel()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request of a box, from its token to its last byte."""
        self.last_used = time.monotonic()
        try:
            exchange = self._admit(request)
        except Refused as err:
            return self._refuse(request.raw_path.lstrip("/").partition("/")[0], err)
        task = asyncio.current_task()
        assert task is not None
        self._live[task] = exchange.token.id
        try:
            return await self._exchange(request, exchange)
        finally:
            self._record(exchange)
            del self._live[task]
            self.last_used = time.monotonic()

    def _admit(self, request: web.BaseRequest) -> Exchange:
        target = parse_target(request.raw_path)
        token = self._tokens.find(presented(request.headers.items(), target), time.time())
        if token is None:
            raise Refused(401, "the token is not valid (any more)")
        endpoint = self._settings.endpoints.get(target.name)
        if endpoint is None or target.name not in token.endpoints:
            raise Refused(403, f"the token does not open {target.name!r}")
        if request.method not in METHODS or not endpoint.asks_for_models(request.method, target.path):
            raise Refused(403, f"{request.method} {target.path} is not let through: it is no request for a model")
        if (request.content_length or 0) > self._settings.most_bytes:
            raise self._too_large()
        if Counter(self._live.values())[token.id] >= _MOST_AT_ONCE:
            raise Refused(429, f"{_MOST_AT_ONCE} requests of this token are under way already")
        return Exchange(endpoint, token, target, request.method, time.monotonic())

    async def _exchange(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        try:
            return await self._ask(request, exchange)
        except Refused as err:
            refused = err
        except TimeoutError:
            refused = Refused(504, f"{exchange.endpoint.name} did not answer in time")
        except (aiohttp.ClientError, OSError) as err:
            # The name alone: the text of an error may hold what was sent.
            _log.warning("%s: %s", exchange.endpoint.name, type(err).__name__)
            refused = self._too_large() if exchange.is_too_large else Refused(502, _unreachable(exchange, err))
        if exchange.status:
            # The answer had begun: broken off is what it is, and what the box must see.
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        exchange.status = refused.status
        return self._refuse(exchange.endpoint.name, refused)

    async def _ask(self, request: web.BaseRequest, exchange: Exchange) -> web.StreamResponse:
        endpoint, target = exchange.endpoint, exchange.target
        query = f"?{target.query}" if target.query else ""
        headers = forwarded_headers(request.headers, endpoint, self._settings.keys[endpoint.name])
        async with self._session.request(
            request.method,
            URL(f"{endpoint.url.rstrip('/')}{target.path}{query}", encoded=True),
            headers=headers,
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
            data=self._body(request, exchange) if request.can_read_body else None,
            allow_redirects=False,
        ) as answer:
            if answer.status in (301, 302, 303, 307, 308):
                raise Refused(502, f"{endpoint.name} answered with a redirect, which the gateway does not follow")
            if answer.status == 401:
                raise Refused(502, f"{endpoint.name} did not accept the key that the host holds")
            return await self._pass_on(request, exchange, answer)

    async def _body(self, request: web.BaseRequest, exchange: Exchange) -> AsyncIterator[bytes]:
        async for piece in request.content.iter_any():
            exchange.sent += len(piece)
            if exchange.sent > self._settings.most_bytes:
                exchange.is_too_large = True
                raise self._too_large()
            yield piece

    async def _pass_on(
        self, request: web.BaseRequest, exchange: Exchange, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status)
        key = self._settings.keys[exchange.endpoint.name]
        for name, value in answered_headers(answer.headers, key):
            response.headers.add(name, value)
        exchange.status = answer.status
        exchange.meter = Meter(answer.headers.get("Content-Type", ""))
        redactor = Redactor(key)
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            exchange.meter.feed(piece)
            exchange.answered += len(piece)
            await response.write(redactor.feed(piece))
        await response.write(redactor.close())
        exchange.is_whole = True
        # Before the end is told: whoever has read the whole answer finds it counted.
        self._record(exchange)
        await response.write_eof()
        return response

    def _record(self, exchange: Exchange) -> None:
        if exchange.is_recorded:
            return
        exchange.is_recorded = True
        count = exchange.meter.close()
        is_paid = exchange.status < 400 and uses_tokens(exchange.method, exchange.target.path)
        self._usage.append(
            {
                "time": time.time(),
                "token": exchange.token.id,
                "labels": exchange.token.labels,
                "endpoint": exchange.endpoint.name,
                "kind": exchange.endpoint.kind,
                "model": count.model,
                "path": exchange.target.path,
                "status": exchange.status,
                "input_tokens": count.input,
                "cached_tokens": count.cached,
                "cache_write_tokens": count.cache_write,
                "output_tokens": count.output,
                "is_metered": count.is_found or not is_paid,
                "is_whole": exchange.is_whole,
                "request_bytes": exchange.sent,
                "answer_bytes": exchange.answered,
                "duration_s": round(time.monotonic() - exchange.began, 3),
            }
        )

    def _refuse(self, name: str, refused: Refused) -> web.Response:
        endpoint = self._settings.endpoints.get(name)
        kind = endpoint.kind if endpoint else kind_of(name)
        return web.json_response(error_body(kind, refused.status, refused.message), status=refused.status)

    def _too_large(self) -> Refused:
        return Refused(413, f"a request may hold {self._settings.most_bytes} bytes")


def _unreachable(exchange: Exchange, err: Exception) -> str:
    return f"{exchange.endpoint.name} could not be reached from the host ({type(err).__name__})"
