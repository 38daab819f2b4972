"""The gateway's process: `python -m switchyard_sandbox.gateway.process FOLDER`, told its keys on stdin.

Whoever starts it waits until it listens and goes on; the process itself belongs to nobody. It ends when it has had no
live token and nothing to do for a while, or at SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import resource
import signal
import socket
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from switchyard_sandbox.embedded import kernel
from switchyard_sandbox.embedded.procfs import start_time
from switchyard_sandbox.gateway.endpoints import Endpoint
from switchyard_sandbox.gateway.place import LOCK, PROCESS, SOCKET, write_whole
from switchyard_sandbox.gateway.serving import Server, Settings
from switchyard_sandbox.gateway.tokens import TokenStore
from switchyard_sandbox.gateway.usage import UsageLog

_LOOK_EVERY_S = 1.0
_LAST_WORDS_S = 1.0
"""How long requests under way may take when the process is told to end."""
_LOG = "gateway.log"


def main(folder: Path) -> None:
    """Listen, leave a process behind that answers, and return."""
    told = json.load(sys.stdin)
    os.chdir(folder)
    listener = _listen()
    pid = os.fork()
    if pid == 0:
        _become_nobodys()
        asyncio.run(_serve(told, listener))
        return
    write_whole(Path(PROCESS), json.dumps({"pid": pid, "start": start_time(pid), "fingerprint": told["fingerprint"]}))


async def _serve(told: dict[str, Any], listener: socket.socket) -> None:
    settings = _settings(told)
    tokens, usage = TokenStore(Path()), UsageLog(Path())
    usage.open()
    connector = aiohttp.TCPConnector(ssl=settings.tls, limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_s, sock_read=settings.silence_s)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:
        server = Server(settings, session, tokens, usage)
        answering = web.Server(server.answer, handler_cancellation=True, access_log=None, auto_decompress=False)
        runner = web.ServerRunner(answering, shutdown_timeout=_LAST_WORDS_S)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        await _wait_for_end(server, tokens, float(told["idle_s"]))
        await runner.cleanup()


async def _wait_for_end(server: Server, tokens: TokenStore, idle_s: float) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _LOOK_EVERY_S)
        if not Path(LOCK).exists():
            # The whole state folder was removed: nobody can find us any more.
            return
        server.end_dead(time.time())
        if not server.is_busy and time.monotonic() - server.last_used > idle_s and _give_up(tokens):
            return


def _give_up(tokens: TokenStore) -> bool:
    """Whether nobody can be waiting for us: decided under the lock under which tokens are issued."""
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if tokens.alive(time.time()):
            return False
        Path(PROCESS).unlink(missing_ok=True)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


def _listen() -> socket.socket:
    """Relative to the folder: the path of a socket may not be longer than 107 bytes, and a state folder's is."""
    Path(SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o177)
    listener.bind(SOCKET)
    os.umask(0o077)
    listener.listen(256)
    return listener


def _become_nobodys() -> None:
    """Let go of whoever started us, and let nobody look into our memory."""
    kernel.hide_memory()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    log = os.open(_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    for source, target in ((nothing, 0), (nothing, 1), (log, 2)):
        os.dup2(source, target)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")


def _settings(told: dict[str, Any]) -> Settings:
    endpoints = [Endpoint(each["name"], each["kind"], each["url"]) for each in told["endpoints"]]
    return Settings(
        endpoints={endpoint.name: endpoint for endpoint in endpoints},
        keys={each["name"]: each["key"] for each in told["endpoints"]},
        tls=ssl.create_default_context(cafile=told["certificates"] or None),
        connect_s=told["connect_s"],
        silence_s=told["silence_s"],
        most_bytes=told["most_bytes"],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
