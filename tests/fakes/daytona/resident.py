"""Runs inside each sandbox of the stand-in and starts processes there; a connection to its socket is one process.

A connection begins with one line of JSON: argv, cwd, env (added to its own), pty ([rows, columns] or null); an empty
argv ends the program itself. Then both sides send frames, a kind and a length before the bytes. No library is needed:
the box has only the system's Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios

HEADER = struct.Struct("<BI")
STDIN, EOF, RESIZE, KILL = 0, 1, 2, 3
"""What a client sends; KILL ends the process and its descendants."""
STDOUT, STDERR, STARTED, ENDED = 1, 2, 3, 9
"""What it is told; STARTED holds the pid, ENDED the exit code or minus the signal."""
_LINGER_S = 5.0


def main(socket: str) -> None:
    """Serve until killed."""
    asyncio.run(_serve(socket))


async def _serve(socket: str) -> None:
    server = await asyncio.start_unix_server(_process, socket, limit=1 << 22)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


async def _process(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        request = json.loads(await reader.readline())
        if not request["argv"]:
            os._exit(0)
        await (_on_terminal if request["pty"] else _on_pipes)(request, reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    except OSError as err:
        _send(writer, STDERR, str(err).encode())
        _send(writer, ENDED, struct.pack("<i", 127))
    finally:
        with contextlib.suppress(ConnectionError, TimeoutError):
            await writer.drain()
            # Closed with something unread, it would take back what the other side has not read yet.
            await asyncio.wait_for(reader.read(-1), _LINGER_S)
        writer.close()


async def _on_pipes(request: dict, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    process = await asyncio.create_subprocess_exec(
        *request["argv"],
        cwd=request["cwd"] or None,
        env={**os.environ, **(request["env"] or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        process_group=0,
    )
    _send(writer, STARTED, struct.pack("<i", process.pid))
    pumps = [
        asyncio.create_task(_pump(process.stdout, writer, STDOUT)),
        asyncio.create_task(_pump(process.stderr, writer, STDERR)),
    ]
    feed = asyncio.create_task(_feed(reader, process))
    code = await process.wait()
    if request.get("drain", True):
        await asyncio.wait(pumps)
    else:
        await asyncio.wait(pumps, timeout=0.05)
    await _stop(*pumps, feed)
    _send(writer, ENDED, struct.pack("<i", code))


async def _stop(*tasks: asyncio.Task) -> None:
    """See tasks end: two can't read from one connection."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(reader: asyncio.StreamReader, process: asyncio.subprocess.Process) -> None:
    while True:
        try:
            kind, data = await _receive(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            kind, data = KILL, b""
        with contextlib.suppress(ConnectionError, RuntimeError):
            if kind == STDIN:
                process.stdin.write(data)
                await process.stdin.drain()
            elif kind == EOF:
                process.stdin.close()
        if kind == KILL:
            _kill_tree(process.pid)
            return


async def _pump(source: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: int) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(1 << 16):
            _send(writer, kind, data)
            await writer.drain()


async def _on_terminal(request: dict, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.chdir(request["cwd"] or os.environ["HOME"])
            os.execvpe(request["argv"][0], request["argv"], {**os.environ, **(request["env"] or {})})
        finally:
            os._exit(127)
    _resize(master, *request["pty"])
    _send(writer, STARTED, struct.pack("<i", pid))
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(master, lambda: _say(master, writer, loop, ended))
    feed = asyncio.create_task(_type(reader, master, pid))
    await ended.wait()
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    await _stop(feed)
    os.close(master)
    _send(writer, ENDED, struct.pack("<i", os.waitstatus_to_exitcode(status)))


def _say(master: int, writer: asyncio.StreamWriter, loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    try:
        data = os.read(master, 1 << 16)
    except OSError:
        data = b""
    if data:
        _send(writer, STDOUT, data)
    else:
        loop.remove_reader(master)
        ended.set()


async def _type(reader: asyncio.StreamReader, master: int, pid: int) -> None:
    while True:
        try:
            kind, data = await _receive(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            kind, data = KILL, b""
        if kind == STDIN:
            await asyncio.to_thread(_write, master, data)
        elif kind == RESIZE:
            _resize(master, *json.loads(data))
        elif kind == KILL:
            _kill_tree(pid)
            return


def _write(master: int, data: bytes) -> None:
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(master, data) :]


def _resize(master: int, rows: int, columns: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


async def _receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind, length = HEADER.unpack(await reader.readexactly(HEADER.size))
    return kind, await reader.readexactly(length)


def _send(writer: asyncio.StreamWriter, kind: int, data: bytes) -> None:
    writer.write(HEADER.pack(kind, len(data)) + data)


def _kill_tree(pid: int) -> None:
    """As the service does: the group and who descends from it now; whoever got away before stays."""
    for child in _children(pid):
        _kill_tree(child)
    for target in (pid, -pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(target, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


if __name__ == "__main__":
    main(sys.argv[1])
