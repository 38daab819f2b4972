"""The machines behind the stand-in's sandboxes: embedded boxes, each with a resident program that starts processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import struct
import subprocess
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox import BoxLost, BoxSpec, Chunk, CodeIn, Command, EmbeddedDriver, Limits

from fakes.daytona import resident

HOME = "/home/agent"
_SOCKET = ".resident.sock"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": "/nonexistent"}


@dataclass
class Process:
    """One process of a machine."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, kind: int, data: bytes = b"") -> None:
        """Tell the resident something about the process."""
        self.writer.write(resident.HEADER.pack(kind, len(data)) + data)

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """What it says, and last how it ended."""
        kind = 0
        while kind != resident.ENDED:
            try:
                kind, length = resident.HEADER.unpack(await self.reader.readexactly(resident.HEADER.size))
                yield kind, await self.reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                # The machine is gone, and the process with it.
                kind = resident.ENDED
                yield kind, struct.pack("<i", -9)
        self.writer.close()


class Machine:
    """One box and its resident."""

    def __init__(self, driver: EmbeddedDriver, folder: Path, spec: BoxSpec) -> None:
        self._driver, self._spec = driver, spec
        self._box = driver.create(spec)
        self._home = folder / "boxes" / self._box / "home"
        self._program = driver.put(self._box, "resident.py", Path(resident.__file__).read_bytes())
        self._thread: threading.Thread | None = None

    @property
    def home(self) -> Path:
        """Its home directory, as the host sees it."""
        return self._home

    def start(self) -> None:
        """Let it run; returns when processes can be started."""
        ready, said = threading.Event(), []
        (self._home / _SOCKET).unlink(missing_ok=True)

        def hear(chunk: Chunk) -> None:
            said.append(chunk.data)
            ready.set()

        def live() -> None:
            argv = ("/usr/bin/python3", "-I", "-S", self._program, f"{HOME}/{_SOCKET}")
            try:
                self._driver.execute(self._box, Command(argv, cwd=HOME), hear)
            except BoxLost:
                # Destroyed while it ran, as sandboxes are.
                return
            finally:
                ready.set()

        self._thread = threading.Thread(target=live, daemon=True)
        self._thread.start()
        if not ready.wait(20) or said != [b"ready\n"]:
            raise RuntimeError(f"the resident of {self._box} did not start: {said}")

    async def spawn(
        self,
        argv: list[str],
        *,
        cwd: str = "",
        env: dict[str, str] | None = None,
        pty: tuple[int, int] | None = None,
        drain: bool = True,
    ) -> Process:
        """Start a process.

        Args:
            drain: Whether its end waits for the last that holds its output, as a shell's pipe does.
        """
        reader, writer = await asyncio.open_unix_connection(str(self._home / _SOCKET), limit=1 << 20)
        request = {"argv": argv, "cwd": cwd, "env": env, "pty": pty, "drain": drain}
        writer.write(json.dumps(request).encode() + b"\n")
        return Process(0, reader, writer)

    async def run(self, argv: list[str], stdin: bytes = b"", **options: object) -> tuple[int, bytes]:
        """Run a process to its end; its exit code and what it said on both streams."""
        process = await self.spawn(argv, **options)  # type: ignore[arg-type]
        process.send(resident.STDIN, stdin)
        process.send(resident.EOF)
        said, code = b"", 0
        async for kind, data in process.frames():
            if kind in (resident.STDOUT, resident.STDERR):
                said += data
            elif kind == resident.ENDED:
                (code,) = struct.unpack("<i", data)
        return code, said

    def clone(self, url: str, path: str, commit: str) -> str:
        """Clone a repository into the home, from outside: the box has no network. What git complained of, if it did.

        An address of example.com means the folder of this machine that its path names.
        """
        target, top, owner = self._home / path, self._home / path.partition("/")[0], self._home.stat()
        source = url.removeprefix("https://example.com")
        commands = [("git", "clone", "--quiet", "--", source, str(target))]
        commands += [("git", "-C", str(target), "checkout", "--quiet", commit)] if commit else []
        commands += [("chown", "-R", f"{owner.st_uid}:{owner.st_gid}", "--", str(top))] if os.getuid() == 0 else []
        for argv in commands:
            done = subprocess.run(argv, env=_ENVIRONMENT, capture_output=True, check=False)
            if done.returncode:
                return done.stderr.decode("utf-8", "replace")
        return ""

    async def stop(self) -> None:
        """End everything that runs; files stay."""
        if self._thread is not None and self._thread.is_alive():
            process = await self.spawn([])
            process.writer.close()
            await asyncio.to_thread(self._thread.join, 20)

    def destroy(self) -> None:
        """End it and remove it."""
        self._driver.destroy(self._box)


class Ground:
    """Makes machines below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._driver = EmbeddedDriver(folder, owner="stand-in")
        self._commit = _make_repository(folder / "empty")

    def machine(self, *, cpus: float, memory_mb: int, disk_mb: int, ttl_s: float) -> Machine:
        """A new machine, not started; its files are what the embedded sandbox shows of this one."""
        code = CodeIn(self._folder / "empty", self._commit, self._commit)
        limits = Limits(cpus=cpus, memory_mb=memory_mb, disk_mb=disk_mb, pids=2048, output_mb=1)
        labels = {"run": "stand-in", "task": "machine", "attempt": "1", "role": "machine"}
        return Machine(self._driver, self._folder, BoxSpec(labels, code, limits, ttl_s=ttl_s, allow_degraded=True))


def copy_home(source: Path, target: Path) -> None:
    """Make one home a copy of another, owners included."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(("cp", "-a", "--", str(source), str(target)), check=True)
    (target / _SOCKET).unlink(missing_ok=True)


def _make_repository(folder: Path) -> str:
    folder.mkdir(parents=True)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for words in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "empty")):
        subprocess.run(("git", *words), cwd=folder, env=_ENVIRONMENT, check=True)
    done = subprocess.run(("git", "rev-parse", "HEAD"), cwd=folder, env=_ENVIRONMENT, check=True, capture_output=True)
    return done.stdout.decode().strip()
