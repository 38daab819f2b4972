"""Sandboxes and snapshots: the part of the service below its API's address."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from aiohttp import web
from daytona_api_client import (
    CreateSandbox,
    CreateSandboxSnapshot,
    ListSandboxesResponse,
    Sandbox,
    SandboxLabels,
    SnapshotDto,
    UpdateSandboxNetworkSettings,
)

from fakes.daytona.checking import Record, not_found
from fakes.daytona.estate import Box, Estate

_PAGE = 100


class Api:
    """Handlers over one estate."""

    def __init__(self, estate: Estate, record: Record) -> None:
        self._estate, self._record = estate, record
        self._late: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Every route, below /api."""
        one = "/api/sandbox/{box}"
        return [
            web.post("/api/sandbox", self._create),
            web.get("/api/sandbox", self._list),
            web.get(one, self._get),
            web.delete(one, self._delete),
            web.post(f"{one}/start", self._start),
            web.post(f"{one}/stop", self._stop),
            web.put(f"{one}/labels", self._label),
            web.post(f"{one}/last-activity", self._refresh),
            web.post(f"{one}/network-settings", self._network),
            web.post(f"{one}/snapshot", self._keep),
            web.get("/api/snapshots/{name:.+}", self._snapshot),
            web.delete("/api/snapshots/{name:.+}", self._forget),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        asked = await self._record.accept(request, CreateSandbox)
        if asked.snapshot and asked.snapshot.startswith("switchyard-") and asked.snapshot not in self._estate.snapshots:
            raise not_found(request, f"Snapshot {asked.snapshot}")
        box = await self._estate.create(asked)
        if fault := self._record.take("POST /sandbox", "creating"):
            box.state = "creating"
            task = asyncio.create_task(self._ready_later(box, fault.delay_s))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        return self._tell(request, box)

    async def _ready_later(self, box: Box, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        box.state = "started"

    async def _list(self, request: web.Request) -> web.Response:
        await self._estate.expire()
        wanted = json.loads(request.query.get("labels", "{}")).items()
        found = [box for box in self._estate.boxes.values() if wanted <= (box.asked.labels or {}).items()]
        begin, limit = int(request.query.get("cursor", 0)), int(request.query.get("limit", _PAGE))
        page, rest = found[begin : begin + limit], found[begin + limit :]
        items = [box.describe(_base(request), listed=True) for box in page]
        body = {"items": items, "nextCursor": str(begin + limit) if rest else None}
        return self._record.answer(request, ListSandboxesResponse, body)

    async def _get(self, request: web.Request) -> web.Response:
        return self._tell(request, await self._box(request))

    async def _delete(self, request: web.Request) -> web.Response:
        box = await self._box(request)
        await self._estate.destroy(box)
        return self._tell(request, box)

    async def _start(self, request: web.Request) -> web.Response:
        box = await self._box(request)
        await self._estate.start(box)
        return self._tell(request, box)

    async def _stop(self, request: web.Request) -> web.Response:
        box = await self._box(request)
        await self._estate.stop(box)
        return self._tell(request, box)

    async def _label(self, request: web.Request) -> web.Response:
        box, labels = await self._box(request), await self._record.accept(request, SandboxLabels)
        box.asked.labels = labels.labels
        return self._record.answer(request, SandboxLabels, {"labels": labels.labels})

    async def _refresh(self, request: web.Request) -> web.Response:
        box = await self._box(request)
        box.active = time.time()
        box.heartbeats += 1
        return web.json_response({})

    async def _network(self, request: web.Request) -> web.Response:
        box, asked = await self._box(request), await self._record.accept(request, UpdateSandboxNetworkSettings)
        box.asked.network_block_all = bool(asked.network_block_all)
        box.asked.domain_allow_list = asked.domain_allow_list
        return self._tell(request, box)

    async def _keep(self, request: web.Request) -> web.Response:
        box, asked = await self._box(request), await self._record.accept(request, CreateSandboxSnapshot)
        await self._estate.keep(box, asked.name)
        return self._tell(request, box)

    async def _snapshot(self, request: web.Request) -> web.Response:
        return self._record.answer(request, SnapshotDto, self._named(request).describe())

    async def _forget(self, request: web.Request) -> web.Response:
        self._estate.forget(self._named(request))
        return web.json_response({})

    def _named(self, request: web.Request) -> Any:
        key = request.match_info["name"]
        for snapshot in self._estate.snapshots.values():
            if key in (snapshot.name, snapshot.id):
                return snapshot
        raise not_found(request, f"Snapshot {key}")

    async def _box(self, request: web.Request) -> Box:
        await self._estate.expire()
        box = self._estate.find(request.match_info["box"])
        if box is None:
            raise not_found(request, f"Sandbox {request.match_info['box']}")
        return box

    def _tell(self, request: web.Request, box: Box) -> web.Response:
        return self._record.answer(request, Sandbox, box.describe(_base(request)))


def _base(request: web.Request) -> str:
    return f"http://{request.host}"
