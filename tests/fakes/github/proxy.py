"""The server that tests talk to: faults first, then what `emulate` lacks, then `emulate`; git over HTTP beside it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from fakes.github.bare import Bare
from fakes.github.faults import Fault, Faults, Request
from fakes.github.git_server import password_of, serve_git
from fakes.github.mending import Json, Mending, Refusal
from fakes.github.service import TOKENS
from fakes.github.stacking import Stacking

_HANDED_ON = ("Authorization", "Accept", "Content-Type")
_HANDED_BACK = ("Link", "Content-Type")


class Proxy:
    """One repository's GitHub."""

    def __init__(self, upstream: str, bare: Bare, full_name: str, faults: Faults) -> None:
        self.faults = faults
        self.upstream = upstream
        self._bare = bare
        self._full_name = full_name
        self._root = f"/repos/{full_name}"
        self.mending = Mending(bare, full_name, self._ask)
        self.stacking: Stacking | None = None
        """None: this repository has no stacks, as most have none."""
        self._turn = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self.address = ""
        self.on_git: Callable[[], None] = lambda: None
        """Called while a git of ours waits for its answer."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, or cut the connection."""
        if request.path.startswith(f"/{self._full_name}.git/"):
            return await self._git(request)
        token = password_of(request)
        fault = self.faults.note(Request(request.method, request.rel_url.raw_path_qs, token))
        if fault and not fault.has_acted:
            return self._troubled(request, fault)
        if token in self.faults.expired:
            return web.json_response({"message": "Bad credentials"}, status=401)
        async with self._turn:
            answer = await self._answer(request)
        return self._troubled(request, fault) if fault else answer

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(self._root)
        if not request.path.startswith(self._root):
            return await self._forward(request)
        await self.mending.notice_deletions()
        try:
            known = await self._mended(request.method, path, request.query_string, await request.read())
        except Refusal as refusal:
            known = (refusal.status, refusal.document())
        if known is not None:
            return web.json_response(known[1], status=known[0])
        if not path and request.method == "GET":
            return await self._repository(request)
        answer = await self._forward(request, is_about_pulls=bool(re.fullmatch(r"/pulls(/\d+)?", path)))
        if answer.status == 404 and path.endswith("/check-runs"):
            # It knows no commit that was pushed; to GitHub that is one on which nothing ran.
            return web.json_response({"total_count": 0, "check_runs": []})
        return answer

    async def _mended(self, method: str, path: str, query: str, body: bytes) -> tuple[int, Json] | None:
        """What is answered instead of `emulate`, or refused before it is asked."""
        wanted = json.loads(body or b"{}")
        if self.stacking and (known := await self.stacking.answer(method, path, query, wanted)):
            return known
        if method == "POST" and path == "/pulls":
            await self.mending.opening(wanted)
        elif method == "PATCH" and (one := re.fullmatch(r"/pulls/(\d+)", path)):
            await self.mending.editing(int(one[1]), wanted)
        elif method == "PATCH" and (one := re.fullmatch(r"/issues/(\d+)", path)):
            issue = await self.mending.editing_issue(int(one[1]), wanted)
            return None if issue is None else (200, issue)
        elif method == "PUT" and (one := re.fullmatch(r"/pulls/(\d+)/merge", path)):
            return 200, await self.mending.merge(int(one[1]), wanted)
        elif re.fullmatch(r"/commits/\w+/status", path):
            return 200, {"state": "pending", "statuses": [], "total_count": 0}
        return None

    async def _repository(self, request: web.Request) -> web.Response:
        answer = await self._forward(request)
        login = TOKENS.get(password_of(request), "")
        if answer.status != 200 or not login:
            return answer
        told = self.mending.permitted(json.loads(answer.text or ""), login)
        return web.json_response(told, headers={"X-OAuth-Scopes": "repo, user"})

    async def _forward(self, request: web.Request, *, is_about_pulls: bool = False) -> web.Response:
        assert self._session is not None
        headers = {name: request.headers[name] for name in _HANDED_ON if name in request.headers}
        url = f"{self.upstream}{request.rel_url.raw_path_qs}"
        async with self._session.request(request.method, url, headers=headers, data=await request.read()) as answer:
            text = (await answer.text()).replace(self.upstream, self.address)
            told = {name: answer.headers[name] for name in _HANDED_BACK if name in answer.headers}
        if "Link" in told:
            told["Link"] = told["Link"].replace(self.upstream, self.address)
        if is_about_pulls and answer.status < 300:
            text = json.dumps(self.mending.truth(json.loads(text), is_single=not request.path.endswith("/pulls")))
        return web.Response(status=answer.status, headers=told, text=text)

    async def _ask(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> tuple[int, Json]:
        assert self._session is not None
        headers = {"Authorization": f"token {next(iter(TOKENS))}"}
        async with self._session.request(method, f"{self.upstream}{path}", json=data, headers=headers) as answer:
            return answer.status, await answer.json()

    async def _git(self, request: web.Request) -> web.StreamResponse:
        await asyncio.to_thread(self.on_git)
        token = password_of(request)
        # GitHub asks for a password even where it could say no at once.
        if token in self.faults.expired or not (token in TOKENS or token.startswith("ghs_")):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="GitHub"'})
        inside = request.path.removeprefix(f"/{self._full_name}.git")
        fault = self.faults.note_git(request.method, request.path)
        if fault and not fault.has_acted:
            return self._troubled(request, fault)
        answer = await serve_git(request, self._bare.path.parent, f"/{self._bare.path.name}{inside}")
        return self._troubled(request, fault) if fault else answer

    def _troubled(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.text is not None:
            return web.Response(status=fault.status, text=fault.text, headers=dict(fault.headers))
        if fault.status:
            body = {"message": fault.message or "trouble"}
            return web.json_response(body, status=fault.status, headers=dict(fault.headers))
        assert request.transport is not None
        request.transport.abort()
        return web.Response(status=500)

    async def open(self) -> None:
        """Get ready; in the loop that serves."""
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session:
            await self._session.close()


@contextmanager
def serving(proxy: Proxy) -> Iterator[None]:
    """Serve on the loopback from a thread of its own, until the block ends."""
    loop = asyncio.new_event_loop()
    ready, finished = threading.Event(), asyncio.Event()
    failure: list[BaseException] = []

    async def serve() -> None:
        await proxy.open()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            proxy.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            ready.set()
            await finished.wait()
        finally:
            await runner.cleanup()
            await proxy.close()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as err:
            failure.append(err)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run, name="github-proxy")
    thread.start()
    ready.wait()
    if failure:
        raise failure[0]
    try:
        yield
    finally:
        loop.call_soon_threadsafe(finished.set)
        thread.join()


def repository_path(folder: Path) -> Path:
    """Where the bare repository lies."""
    return folder / "origin.git"
