"""Follows a command by the files that its shim writes, so that neither side ever waits for the other."""

from __future__ import annotations

import io
import json
import os
import select
import shutil
import signal
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from switchyard_sandbox.contract import BoxLost, Chunk, CommandId, Finished, OutputSink, SandboxError, Stream
from switchyard_sandbox.embedded.job import EXIT, JOB, OUTPUT, PROCESS, STDIN, Job
from switchyard_sandbox.embedded.procfs import is_alive
from switchyard_sandbox.launch import detach

LOG = "shim.log"
_SHIM = Path(__file__).with_name("shim.py")
_HEADER = struct.Struct("<BI")
_LOOK_EVERY_S = 0.02
_BEGIN_S = 30.0
_STOP_S = 5.0
_STREAMS: dict[int, Stream] = {1: "stdout", 2: "stderr"}


class Output:
    """The frames of one command, read as they are written."""

    def __init__(self, path: Path, sink: OutputSink | None, *, after: int = 0, capture: bool = True) -> None:
        self._path, self._sink, self._after = path, sink, after
        self._file: BinaryIO | None = None
        self._rest = b""
        self._sequence = 0
        self._kept: dict[Stream, io.BytesIO] = {"stdout": io.BytesIO(), "stderr": io.BytesIO()} if capture else {}

    def read(self) -> None:
        """Take what is new."""
        if self._file is None and self._path.exists():
            self._file = self._path.open("rb")
        while self._file is not None and (data := self._file.read(1 << 20)):
            self._take(self._rest + data)

    def whole(self, stream: Stream) -> bytes:
        """All that came on a stream; empty where it was not to be kept."""
        return self._kept[stream].getvalue() if self._kept else b""

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _take(self, data: bytes) -> None:
        position = 0
        while len(data) - position >= _HEADER.size:
            number, length = _HEADER.unpack_from(data, position)
            end = position + _HEADER.size + length
            if end > len(data):
                break
            self._deliver(_STREAMS[number], data[position + _HEADER.size : end])
            position = end
        self._rest = data[position:]

    def _deliver(self, stream: Stream, data: bytes) -> None:
        if self._kept:
            self._kept[stream].write(data)
        if self._sink is not None and self._sequence >= self._after:
            self._sink(Chunk(self._sequence, stream, data))
        self._sequence += 1


class Supervisor:
    """The process that sees to one command, as its folder names it: not ours to wait for, so seen by a handle."""

    def __init__(self, folder: Path) -> None:
        process = json.loads((folder / PROCESS).read_text())
        self._pid, self._start = int(process["pid"]), int(process["start"])
        self._handle = _open_process(self._pid, self._start)
        self._ended = select.poll()
        if self._handle >= 0:
            self._ended.register(self._handle, select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end at most so long; whether it has ended."""
        return self._handle < 0 or bool(self._ended.poll(timeout_s * 1000))

    def stop(self, patience_s: float) -> None:
        """Ask it to end, and kill it when it does not in time."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.wait(0):
                return
            signal.pidfd_send_signal(self._handle, number)
            self.wait(patience_s)

    def close(self) -> None:
        """Let go of the handle; a process that still runs goes on."""
        if self._handle >= 0:
            os.close(self._handle)


def next_folder(box: Path) -> tuple[Path, int]:
    """A fresh folder for a box's next command, and its number."""
    commands = box / "exec"
    commands.mkdir(exist_ok=True)
    number = 1
    while True:
        try:
            (commands / str(number)).mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return commands / str(number), number


def begin(folder: Path, job: Job, stdin: bytes) -> Supervisor:
    """Hand a job to a shim of its own, and see it begin.

    Raises:
        BoxLost: The box was destroyed meanwhile.
        SandboxError: The command could not be started, or its shim was killed.
    """
    try:
        (folder / STDIN).write_bytes(stdin)
        (folder / JOB).write_text(job.dump())
        detach((sys.executable, "-I", "-S", str(_SHIM), str(folder)), cwd=Path("/"), log=folder / LOG)
        give_up = time.monotonic() + _BEGIN_S
        while not (folder / PROCESS).exists():
            if not folder.exists() or time.monotonic() > give_up:
                raise _lost(folder)
            time.sleep(0.002)
        return Supervisor(folder)
    except FileNotFoundError as err:
        raise _lost(folder) from err


@contextmanager
def forgotten(folder: Path, supervisor: Supervisor) -> Iterator[None]:
    """See that a command ends with the block, however that ends, and leaves no files."""
    try:
        yield
    finally:
        supervisor.stop(_STOP_S)
        supervisor.close()
        shutil.rmtree(folder, ignore_errors=True)


def follow(folder: Path, sink: OutputSink | None, *, after: int = 0, capture: bool = True) -> Finished:
    """Stay with a command to its end, whoever began it.

    Raises:
        BoxLost: There is no such command, or the box was destroyed meanwhile.
        SandboxError: The command could not be started, or its shim was killed.
    """
    try:
        supervisor = Supervisor(folder)
    except FileNotFoundError as err:
        raise _lost(folder) from err
    output = Output(folder / OUTPUT, sink, after=after, capture=capture)
    try:
        ended = False
        while not ended:
            ended = supervisor.wait(_LOOK_EVERY_S if sink else 1.0)
            if sink or ended:
                output.read()
    finally:
        supervisor.close()
        output.close()
    return finished(folder, output)


def command_folder(box: Path, command: CommandId) -> Path:
    """Where a command of a box has its files.

    Raises:
        BoxLost: There is no such command.
    """
    folder = box / "exec" / command
    if not command.isdecimal() or not (folder / PROCESS).exists():
        raise BoxLost(f"there is no command {command} in {box.name}", hint="`commands` lists those that were begun")
    return folder


def list_commands(box: Path) -> Sequence[CommandId]:
    """The commands of a box that have begun, oldest first."""
    begun = [int(process.parent.name) for process in (box / "exec").glob(f"*/{PROCESS}")]
    return [CommandId(str(number)) for number in sorted(begun)]


def _open_process(pid: int, start: int) -> int:
    """A handle of exactly this process; -1: it has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return -1
    if is_alive(pid, start):
        return handle
    os.close(handle)
    return -1


def finished(folder: Path, output: Output) -> Finished:
    """How a command ended, by the files of its folder.

    Raises:
        BoxLost: The box was destroyed meanwhile.
        SandboxError: The command could not be started, or its supervisor was killed.
    """
    try:
        end = json.loads((folder / EXIT).read_text())
    except FileNotFoundError as err:
        raise _lost(folder) from err
    if "error" in end:
        if not folder.exists():
            raise _lost(folder)
        raise SandboxError(f"the command could not be started: {end['error']}", hint="run `switchyard sandbox probe`")
    if end["limit"] == "cancelled":
        raise _lost(folder)
    code = end["code"]
    return Finished(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        limit=end["limit"] or None,
        stdout=output.whole("stdout"),
        stderr=output.whole("stderr"),
        truncated=end["truncated"],
        duration_s=end["duration_s"],
        opened=None if end["unseen"] else tuple(end["opened"]),
        unseen=end["unseen"],
    )


def _lost(folder: Path) -> SandboxError:
    if not folder.exists():
        return BoxLost(f"the box of {folder} was destroyed while a command ran", hint="create another")
    log = folder / LOG
    said = log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""
    return SandboxError(f"the supervisor of {folder} was killed {said}".strip(), hint="look for a full disk or memory")
