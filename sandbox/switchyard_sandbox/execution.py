"""Follows a command by the files that its shim writes, so that neither side ever waits for the other."""

from __future__ import annotations

import json
import shutil
import struct
import sys
import time
from pathlib import Path
from typing import BinaryIO

from switchyard_sandbox.contract import BoxLost, Chunk, Finished, OutputSink, SandboxError, Stream
from switchyard_sandbox.embedded.job import EXIT, JOB, OUTPUT, STDIN, Job
from switchyard_sandbox.launch import Detached

LOG = "shim.log"
_SHIM = Path(__file__).with_name("shim.py")
_HEADER = struct.Struct("<BI")
_LOOK_EVERY_S = 0.02
_GRACE_S = 60.0
_STOP_S = 5.0
_STREAMS: dict[int, Stream] = {1: "stdout", 2: "stderr"}


class Output:
    """The frames of one command, read as they are written."""

    def __init__(self, path: Path, sink: OutputSink | None) -> None:
        self._path, self._sink = path, sink
        self._file: BinaryIO | None = None
        self._rest = b""
        self._sequence = 0
        self.streams: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    def read(self) -> None:
        """Take what is new."""
        if self._file is None and self._path.exists():
            self._file = self._path.open("rb")
        while self._file is not None and (data := self._file.read(1 << 20)):
            self._take(self._rest + data)

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
        self.streams[stream] += data
        if self._sink is not None:
            self._sink(Chunk(self._sequence, stream, data))
        self._sequence += 1


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


def run_job(folder: Path, job: Job, stdin: bytes, sink: OutputSink | None) -> Finished:
    """Hand a job to a shim of its own and stay with it to the end; its folder is gone afterwards.

    Raises:
        BoxLost: The box was destroyed meanwhile.
        SandboxError: The command could not be started, or its shim was killed.
    """
    try:
        (folder / STDIN).write_bytes(stdin)
        (folder / JOB).write_text(job.dump())
        argv = (sys.executable, "-I", "-S", str(_SHIM), str(folder))
        shim = Detached(argv, cwd=Path("/"), log=folder / LOG)
    except FileNotFoundError as err:
        raise _lost(folder) from err
    finished = follow(folder, shim, job.timeout_s, sink)
    shutil.rmtree(folder, ignore_errors=True)
    return finished


def follow(folder: Path, shim: Detached, timeout_s: float, sink: OutputSink | None) -> Finished:
    """Stay with a command to its end.

    Raises:
        BoxLost: The box was destroyed meanwhile.
        SandboxError: The command could not be started, or its shim was killed.
    """
    output = Output(folder / OUTPUT, sink)
    give_up = time.monotonic() + timeout_s + _GRACE_S
    ended = False
    try:
        while not ended:
            ended = shim.wait(_LOOK_EVERY_S if sink else 1.0)
            if sink or ended:
                output.read()
            if time.monotonic() > give_up:
                raise SandboxError(
                    f"the command in {folder} did not end {_GRACE_S:g} s after its limit", hint="look for a stuck disk"
                )
    finally:
        if not ended:
            shim.stop(_STOP_S)
        shim.close()
        output.close()
    return _finished(folder, output)


def _finished(folder: Path, output: Output) -> Finished:
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
        stdout=bytes(output.streams["stdout"]),
        stderr=bytes(output.streams["stderr"]),
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
