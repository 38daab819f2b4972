"""Follows a command by the files that its supervisor writes, so that neither side ever waits for the other."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from switchyard_sandbox.contract import BoxLost, Chunk, CommandId, Finished, OutputSink, SandboxError, Stream
from switchyard_sandbox.embedded.job import EXIT, LOG, OUTPUT, PROCESS
from switchyard_sandbox.embedded.ownership import share
from switchyard_sandbox.frames import HEADER
from switchyard_sandbox.processes import Process as Supervisor
from switchyard_sandbox.supervision import lost

__all__ = [
    "LOG",
    "Output",
    "Supervisor",
    "command_folder",
    "finished",
    "follow",
    "forgotten",
    "list_commands",
    "next_folder",
]

_LOOK_EVERY_S = 0.02
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
        while len(data) - position >= HEADER.size:
            number, length = HEADER.unpack_from(data, position)
            end = position + HEADER.size + length
            if end > len(data):
                break
            self._deliver(_STREAMS[number], data[position + HEADER.size : end])
            position = end
        self._rest = data[position:]

    def _deliver(self, stream: Stream, data: bytes) -> None:
        if self._kept:
            self._kept[stream].write(data)
        if self._sink is not None and self._sequence >= self._after:
            self._sink(Chunk(self._sequence, stream, data))
        self._sequence += 1


def next_folder(box: Path) -> tuple[Path, int]:
    """A fresh folder for a box's next command, and its number; who begins one owns the box too."""
    share(str(box))
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
        SandboxError: The command could not be started, or its supervisor was killed.
    """
    try:
        supervisor = Supervisor(folder)
    except FileNotFoundError as err:
        raise lost(folder) from err
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
    """Where a command of a box has its files, for somebody who will follow it and so owns the box too.

    Raises:
        BoxLost: There is no such command.
    """
    share(str(box))
    folder = box / "exec" / command
    if not command.isdecimal() or not (folder / PROCESS).exists():
        raise BoxLost(f"there is no command {command} in {box.name}", hint="`commands` lists those that were begun")
    return folder


def list_commands(box: Path) -> Sequence[CommandId]:
    """The commands of a box that have begun, oldest first."""
    begun = [int(process.parent.name) for process in (box / "exec").glob(f"*/{PROCESS}")]
    return [CommandId(str(number)) for number in sorted(begun)]


def finished(folder: Path, output: Output) -> Finished:
    """How a command ended, by the files of its folder.

    Raises:
        BoxLost: The box was destroyed meanwhile.
        SandboxError: The command could not be started, or its supervisor was killed.
    """
    try:
        end = json.loads((folder / EXIT).read_text())
    except FileNotFoundError as err:
        raise lost(folder) from err
    if "error" in end:
        if not folder.exists():
            raise lost(folder)
        raise SandboxError(f"the command could not be started: {end['error']}", hint="run `switchyard sandbox probe`")
    if end["limit"] == "cancelled":
        raise lost(folder)
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
