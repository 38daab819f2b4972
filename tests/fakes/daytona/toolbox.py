"""What a sandbox itself answers: its folders, files, single commands and clones."""

from __future__ import annotations

import asyncio
import posixpath
from typing import Any

from aiohttp import web
from daytona_toolbox_api_client import (
    ExecuteRequest,
    ExecuteResponse,
    FileInfo,
    FilesDownloadRequest,
    GitCloneRequest,
    UserHomeDirResponse,
    WorkDirResponse,
)

from fakes.daytona.checking import Record, not_found
from fakes.daytona.estate import Box, Estate
from fakes.daytona.machines import HOME

_BOUNDARY = "DAYTONA-FILE-BOUNDARY"
_WRITE = 'mkdir -p -- "$1" && cat > "$2"'


def box_of(request: web.Request, estate: Estate) -> Box:
    """The sandbox that a request is for, if it runs."""
    box = estate.boxes.get(request.match_info["box"])
    if box is None or box.state != "started":
        raise not_found(request, "Sandbox")
    return box


class Toolbox:
    """Handlers over one estate."""

    def __init__(self, estate: Estate, record: Record) -> None:
        self._estate, self._record = estate, record

    def routes(self) -> list[web.RouteDef]:
        """Every route, below a sandbox."""
        one = "/toolbox/{box}"
        return [
            web.get(f"{one}/work-dir", self._work_dir),
            web.get(f"{one}/user-home-dir", self._home_dir),
            web.post(f"{one}/process/execute", self._execute),
            web.post(f"{one}/files/bulk-upload", self._upload),
            web.post(f"{one}/files/bulk-download", self._download),
            web.get(f"{one}/files/info", self._info),
            web.post(f"{one}/files/permissions", self._permit),
            web.post(f"{one}/files/folder", self._folder),
            web.delete(f"{one}/files", self._delete),
            web.post(f"{one}/git/clone", self._clone),
        ]

    async def _work_dir(self, request: web.Request) -> web.Response:
        box_of(request, self._estate)
        return self._record.answer(request, WorkDirResponse, {"dir": HOME})

    async def _home_dir(self, request: web.Request) -> web.Response:
        box_of(request, self._estate)
        return self._record.answer(request, UserHomeDirResponse, {"dir": HOME})

    async def _execute(self, request: web.Request) -> web.Response:
        asked = await self._record.accept(request, ExecuteRequest)
        if not asked.command.strip():
            return web.json_response({"message": "command cannot be empty"}, status=400)
        argv = ["/bin/sh"]
        if asked.timeout:
            argv = ["/usr/bin/timeout", "--signal=KILL", str(asked.timeout), *argv]
        code, said = await self._run(request, argv, asked.command.encode(), cwd=asked.cwd or HOME, env=asked.envs)
        if asked.timeout and code == -9:
            return web.json_response({"message": "command execution timeout"}, status=408)
        body = {"exitCode": code if code >= 0 else 128 - code, "result": said.decode("utf-8", "replace")}
        return self._record.answer(request, ExecuteResponse, body)

    async def _upload(self, request: web.Request) -> web.Response:
        places: dict[str, str] = {}
        errors = []
        async for part in await request.multipart():
            number, _, kind = (part.name or "").partition("].")
            if kind == "path":
                places[number] = (await part.text()).strip()
            elif kind == "file" and number in places:
                place = places[number]
                argv = ["/bin/sh", "-c", _WRITE, "sh", posixpath.dirname(place) or ".", place]
                code, said = await self._run(request, argv, bytes(await part.read()))
                errors += [f"{place}: {said.decode()}"] if code else []
            else:
                self._record.invalid.append(f"upload: a part named {part.name!r}")
        return web.json_response({"errors": errors} if errors else {}, status=400 if errors else 200)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        asked = await self._record.accept(request, FilesDownloadRequest)
        response = web.StreamResponse(headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"})
        await response.prepare(request)
        for path in asked.paths:
            code, content = await self._run(request, ["/bin/cat", "--", path])
            name, kind = ("file", "application/octet-stream") if code == 0 else ("error", "application/json")
            if code and b"No such file" not in content:
                self._record.invalid.append(f"download of {path} ended with {code}: {content[-300:]!r}")
            if code:
                content = b'{"message": "file not found", "statusCode": 404, "code": "FILE_NOT_FOUND"}'
            head = (
                f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
                f'Content-Disposition: form-data; name="{name}"; filename="{path}"\r\n\r\n'
            )
            await response.write(head.encode() + content + b"\r\n")
        await response.write(f"--{_BOUNDARY}--\r\n".encode())
        return response

    async def _info(self, request: web.Request) -> web.Response:
        path = request.query["path"]
        code, said = await self._run(request, ["/usr/bin/stat", "--printf", "%s|%U|%G|%A|%a|%F", "--", path])
        if code:
            raise not_found(request, path)
        size, owner, group, mode, permissions, kind = said.decode().split("|")
        body = {
            "name": posixpath.basename(path),
            "size": int(size),
            "owner": owner,
            "group": group,
            "mode": mode,
            "permissions": permissions,
            "isDir": kind == "directory",
            "modTime": "",
        }
        return self._record.answer(request, FileInfo, body)

    async def _permit(self, request: web.Request) -> web.Response:
        return await self._plainly(request, ["/bin/chmod", request.query["mode"], "--", request.query["path"]])

    async def _folder(self, request: web.Request) -> web.Response:
        mode, path = request.query["mode"], request.query["path"]
        return await self._plainly(request, ["/bin/mkdir", "-p", "-m", mode, "--", path], status=201)

    async def _delete(self, request: web.Request) -> web.Response:
        options = ["-r"] if request.query.get("recursive") == "true" else []
        return await self._plainly(request, ["/bin/rm", *options, "--", request.query["path"]], status=204)

    async def _clone(self, request: web.Request) -> web.Response:
        asked = await self._record.accept(request, GitCloneRequest)
        if asked.username or asked.password:
            self._record.invalid.append("clone: a credential was sent into a sandbox")
        machine, inner = box_of(request, self._estate).machine, asked.path.removeprefix(f"{HOME}/")
        said = await asyncio.to_thread(machine.clone, asked.url, inner, asked.commit_id or "")
        return web.json_response({"message": said, "statusCode": 400}, status=400) if said else web.Response()

    async def _plainly(self, request: web.Request, argv: list[str], status: int = 200) -> web.Response:
        code, said = await self._run(request, argv)
        if code:
            return web.json_response({"message": said.decode("utf-8", "replace"), "statusCode": 400}, status=400)
        return web.Response(status=status)

    async def _run(
        self, request: web.Request, argv: list[str], stdin: bytes = b"", **options: Any
    ) -> tuple[int, bytes]:
        return await box_of(request, self._estate).machine.run(argv, stdin, **options)
