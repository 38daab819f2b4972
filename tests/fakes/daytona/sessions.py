"""Sessions: commands of one shell, one after another, whose output is a log of labelled lines.

The log is the service's own: each line gets its stream's mark, NUL bytes are lost, a last line without an end gets one,
and a command lasts until nobody holds its output any more. Whoever follows a log gets it from its first byte.
"""

from __future__ import annotations

import asyncio
import struct
import uuid
from dataclasses import dataclass, field

from aiohttp import WSCloseCode, web
from daytona_toolbox_api_client import (
    Command,
    CreateSessionRequest,
    SessionCommandLogsResponse,
    SessionExecuteRequest,
    SessionExecuteResponse,
    SessionSendInputRequest,
)

from fakes.daytona import resident
from fakes.daytona.checking import Record, not_found
from fakes.daytona.estate import Estate
from fakes.daytona.machines import HOME, Process
from fakes.daytona.toolbox import box_of

_MARKS = {resident.STDOUT: b"\x01\x01\x01", resident.STDERR: b"\x02\x02\x02"}
_PIECE = 4093
"""Messages are cut at an odd length, so that marks and characters fall across them."""
_TICK_S = 0.2


@dataclass
class Run:
    """One command of a session."""

    id: str
    command: str
    log: bytearray = field(default_factory=bytearray)
    code: int | None = None
    process: Process | None = None
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _open: dict[int, bytes] = field(default_factory=lambda: dict.fromkeys(_MARKS, b""))

    async def take(self, kind: int, data: bytes) -> None:
        """Label what was said, whole lines only."""
        *lines, self._open[kind] = (self._open[kind] + data.replace(b"\0", b"")).split(b"\n")
        async with self.news:
            for line in lines:
                self.log += _MARKS[kind] + line + b"\n"
            self.news.notify_all()

    async def end(self, code: int) -> None:
        """Label what is left and note the exit code."""
        async with self.news:
            for kind, rest in self._open.items():
                self.log += _MARKS[kind] + rest + b"\n" if rest else b""
            self.code = code if code >= 0 else 128 - code
            self.news.notify_all()


@dataclass
class Session:
    """One shell, as far as anyone can tell."""

    id: str
    runs: dict[str, Run] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Sessions:
    """Handlers over one estate."""

    def __init__(self, estate: Estate, record: Record) -> None:
        self._estate, self._record = estate, record

    def routes(self) -> list[web.RouteDef]:
        """Every route, below a sandbox."""
        one = "/toolbox/{box}/process/session"
        return [
            web.post(one, self._create),
            web.delete(f"{one}/{{session}}", self._delete),
            web.post(f"{one}/{{session}}/exec", self._execute),
            web.get(f"{one}/{{session}}/command/{{command}}", self._command),
            web.get(f"{one}/{{session}}/command/{{command}}/logs", self._logs),
            web.post(f"{one}/{{session}}/command/{{command}}/input", self._input),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        box, asked = box_of(request, self._estate), await self._record.accept(request, CreateSessionRequest)
        if asked.session_id in box.sessions:
            return web.json_response({"message": "session already exists"}, status=409)
        box.sessions[asked.session_id] = Session(asked.session_id)
        return web.Response(status=201)

    async def _delete(self, request: web.Request) -> web.Response:
        session = self._session(request)
        for run in session.runs.values():
            if run.process is not None and run.code is None:
                run.process.send(resident.KILL)
        for task in list(session.tasks):
            await asyncio.wait([task], timeout=5)
        del box_of(request, self._estate).sessions[session.id]
        return web.Response(status=204)

    async def _execute(self, request: web.Request) -> web.Response:
        session, asked = self._session(request), await self._record.accept(request, SessionExecuteRequest)
        run = Run(str(uuid.uuid4()), asked.command)
        session.runs[run.id] = run
        task = asyncio.create_task(self._run(request, session, run))
        session.tasks.add(task)
        task.add_done_callback(session.tasks.discard)
        if not asked.run_async:
            await task
            body = {"cmdId": run.id, "exitCode": run.code, "output": run.log.decode("utf-8", "replace")}
            return self._record.answer(request, SessionExecuteResponse, body)
        return self._record.answer(request, SessionExecuteResponse, {"cmdId": run.id}, status=202)

    async def _run(self, request: web.Request, session: Session, run: Run) -> None:
        async with session.turn:
            machine = box_of(request, self._estate).machine
            run.process = await machine.spawn(["/bin/sh", "-c", run.command], cwd=HOME)
            code = -9
            async for kind, data in run.process.frames():
                if kind in _MARKS:
                    await run.take(kind, data)
                elif kind == resident.ENDED:
                    (code,) = struct.unpack("<i", data)
            await run.end(code)

    async def _command(self, request: web.Request) -> web.Response:
        run = self._find(request)
        body = {"id": run.id, "command": run.command, **({} if run.code is None else {"exitCode": run.code})}
        return self._record.answer(request, Command, body)

    async def _input(self, request: web.Request) -> web.Response:
        run, asked = self._find(request), await self._record.accept(request, SessionSendInputRequest)
        assert run.process is not None
        run.process.send(resident.STDIN, asked.data.encode())
        return web.Response(status=204)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        run = self._find(request)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._follow(request, run)
        marks = dict.fromkeys(_MARKS.values(), b"")
        for line in bytes(run.log).splitlines(keepends=True):
            marks[line[:3]] += line[3:]
        texts = [part.decode("utf-8", "replace") for part in (bytes(run.log), *marks.values())]
        body = dict(zip(("output", "stdout", "stderr"), texts, strict=True))
        return self._record.answer(request, SessionCommandLogsResponse, body)

    async def _follow(self, request: web.Request, run: Run) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        cut = self._record.take("GET /process/session/{session}/command/{command}/logs", "drop")
        sent = 0
        while not (run.code is not None and sent == len(run.log)) and not socket.closed:
            async with run.news:
                if sent == len(run.log) and run.code is None:
                    try:
                        await asyncio.wait_for(run.news.wait(), _TICK_S)
                    except TimeoutError:
                        continue
            piece = bytes(run.log[sent : sent + _PIECE])
            if cut is not None and sent + len(piece) > cut.after:
                await socket.send_bytes(piece[: max(0, cut.after - sent)])
                await socket.close(code=WSCloseCode.INTERNAL_ERROR)
                return socket
            await socket.send_bytes(piece)
            sent += len(piece)
        await socket.close()
        return socket

    def _session(self, request: web.Request) -> Session:
        session = box_of(request, self._estate).sessions.get(request.match_info["session"])
        if session is None:
            raise not_found(request, "session")
        return session

    def _find(self, request: web.Request) -> Run:
        run = self._session(request).runs.get(request.match_info["command"])
        if run is None:
            raise not_found(request, "command")
        return run
