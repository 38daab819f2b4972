"""Terminals: a login shell on a pseudo-terminal, over a websocket."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from typing import Any

from aiohttp import WSMsgType, web
from daytona_toolbox_api_client import PtyResizeRequest, PtySessionInfo

from fakes.daytona import resident
from fakes.daytona.checking import Record, not_found
from fakes.daytona.estate import Estate
from fakes.daytona.machines import HOME, Process
from fakes.daytona.toolbox import box_of

_PROTOCOL = "X-Daytona-Pty-Exit-Control"
_ENVIRONMENT = "X-Daytona-Pty-Envs~"


class Terminals:
    """Handlers over one estate."""

    def __init__(self, estate: Estate, record: Record) -> None:
        self._estate, self._record = estate, record

    def routes(self) -> list[web.RouteDef]:
        """Every route, below a sandbox."""
        one = "/toolbox/{box}/process/pty"
        return [
            web.get(f"{one}/create-connect", self._connect),
            web.post(f"{one}/{{terminal}}/resize", self._resize),
            web.delete(f"{one}/{{terminal}}", self._kill),
        ]

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        box, name = box_of(request, self._estate), request.query["id"]
        if name in box.terminals:
            return web.json_response({"message": "PTY session already exists"}, status=409)
        socket = web.WebSocketResponse(protocols=(_PROTOCOL,), heartbeat=20)
        await socket.prepare(request)
        size = int(request.query["rows"]), int(request.query["cols"])
        process = await box.machine.spawn(
            ["/bin/bash", "-i", "-l"], cwd=request.query.get("cwd", HOME), env=_environment(request), pty=size
        )
        box.terminals[name] = process
        typing = asyncio.create_task(_type(socket, process))
        try:
            await socket.send_json({"type": "control", "status": "connected"})
            await self._show(socket, process)
        finally:
            typing.cancel()
            box.terminals.pop(name, None)
        return socket

    async def _show(self, socket: web.WebSocketResponse, process: Process) -> None:
        code = -9
        try:
            async for kind, data in process.frames():
                if kind == resident.STDOUT:
                    await socket.send_bytes(data)
                elif kind == resident.ENDED:
                    (code,) = struct.unpack("<i", data)
            exit_code = code if code >= 0 else 128 - code
            await socket.send_json({"type": "control", "status": "exited", "exitCode": exit_code})
            await socket.close(message=json.dumps({"exitCode": exit_code}).encode())
        except ConnectionError:
            process.send(resident.KILL)

    async def _resize(self, request: web.Request) -> web.Response:
        process, asked = self._find(request), await self._record.accept(request, PtyResizeRequest)
        process.send(resident.RESIZE, json.dumps([asked.rows, asked.cols]).encode())
        body = {
            "id": request.match_info["terminal"],
            "active": True,
            "cols": asked.cols,
            "rows": asked.rows,
            "createdAt": "",
            "cwd": HOME,
            "envs": {},
            "lazyStart": False,
        }
        return self._record.answer(request, PtySessionInfo, body)

    async def _kill(self, request: web.Request) -> web.Response:
        self._find(request).send(resident.KILL)
        return web.json_response({})

    def _find(self, request: web.Request) -> Any:
        process = box_of(request, self._estate).terminals.get(request.match_info["terminal"])
        if process is None:
            raise not_found(request, "PTY session")
        return process


async def _type(socket: web.WebSocketResponse, process: Process) -> None:
    async for message in socket:
        if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            data = message.data if isinstance(message.data, bytes) else message.data.encode()
            process.send(resident.STDIN, data)


def _environment(request: web.Request) -> dict[str, str]:
    for token in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        if token.strip().startswith(_ENVIRONMENT):
            text = token.strip().removeprefix(_ENVIRONMENT)
            found: dict[str, str] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return found
    return {}
