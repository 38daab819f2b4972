"""Files between a box and this machine: its tree comes out as an archive that is unpacked without trust."""

from __future__ import annotations

import io
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from switchyard_sandbox.contract import BoxLost, SandboxError
from switchyard_sandbox.docker.container import Container
from switchyard_sandbox.docker.ending import end_group
from switchyard_sandbox.docker.engine import Engine, EngineError, split_frames
from switchyard_sandbox.docker.task import FIRST_GROUP, HOME
from switchyard_sandbox.docker.unpacking import Unpacked, unpack
from switchyard_sandbox.launch import CLEAN_ENVIRONMENT

_TOLD_BYTES = 1 << 20
_SHOWN = 2000
_BURIED_S = 10.0
"""The engine closes a program's output a moment before it knows how that ended."""
_PIECE = 1 << 16
# --sparse: a hole costs nothing, however large; --hard-dereference: a second name of a file is another file.
# What its owner may not read is made readable first: a tar that meets one such file has read all others by then.
# Sockets, which tar leaves out, are named on stderr.
_PACK = """
cd "$1" || exit
find . -xdev -path ./.git -prune \\
    -o -type d ! -perm -700 -exec chmod u+rwx {} \\; \\
    -o -type f ! -perm -400 -exec chmod u+r {} + \\
    -o -type s -printf '\\0socket %p\\0' >&2 || exit
exec tar --create --format=gnu --sparse --hard-dereference --numeric-owner --one-file-system \\
    --anchored --no-wildcards --exclude=./.git .
"""


def see_none_left(container: Container, pids: int) -> None:
    """See that nothing that commands started is alive any more.

    Args:
        pids: The box's limit of processes.

    Raises:
        BoxLost: The container has ended.
    """
    with engine_told():
        stands = end_group(
            Engine(container.engine),
            container.id,
            init_pid=container.init_pid,
            uid=container.uid,
            group=None,
            pids=pids,
        )
    if not stands:
        raise BoxLost(f"the container {container.id[:12]} has ended", hint="create another box")


def bring_out(container: Container, place: str, target: Path, anew: Collection[str] = ()) -> Unpacked:
    """Unpack a folder of a box into an empty one of this machine; nothing of the box is alive meanwhile.

    Args:
        anew: Files that are unpacked even if they are as the box found them.

    Raises:
        SandboxError: It could not be read, or an attacker made the archive.
    """
    output = _Output(container, ("/bin/sh", "-c", _PACK, "tar", place))
    with closing(io.BufferedReader(output, _PIECE)) as reader:
        return unpack(cast(BinaryIO, reader), target, container.pristine, output.sockets, anew)


def run_inside(container: Container, argv: Sequence[str]) -> None:
    """Run something of our own in a box, as its user, while no command runs.

    Raises:
        SandboxError: It failed.
    """
    with closing(_Output(container, argv)) as output:
        output.finish()


class _Output(io.RawIOBase):
    """What a program in the box writes to stdout, to be read like a file."""

    def __init__(self, container: Container, argv: Sequence[str]) -> None:
        self._engine, self._program = Engine(container.engine), argv[0]
        request = {
            "AttachStdout": True,
            "AttachStderr": True,
            "User": f"{container.uid}:{FIRST_GROUP}",
            "WorkingDir": "/",
            "Env": [f"{name}={value}" for name, value in {**CLEAN_ENVIRONMENT, "HOME": HOME}.items()],
            "Cmd": list(argv),
        }
        with engine_told():
            self._name, self._connection, self._waiting = self._engine.execute(container.id, request)
        self._rest = memoryview(b"")
        self._complaint = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """The next bytes; 0 at the end."""
        while not self._rest:
            pieces, self._waiting = split_frames(self._waiting)
            self._rest = memoryview(b"".join(data for number, data in pieces if number == 1))
            self._complaint += b"".join(data for number, data in pieces if number == 2)
            self._complaint = self._complaint[:_TOLD_BYTES]
            if not self._rest:
                piece = self._connection.recv(_PIECE)
                if not piece:
                    return 0
                self._waiting += piece
        length = min(len(self._rest), len(buffer))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length

    def sockets(self) -> list[str]:
        """See that the program has ended well, and which sockets it named."""
        self.finish()
        said = self._complaint.decode("utf-8", "surrogateescape").split("\0")
        return [piece.removeprefix("socket ") for piece in said if piece.startswith("socket ")]

    def close(self) -> None:
        """Let go of the connection; a program that still runs is told by a broken pipe."""
        self._connection.close()
        super().close()

    def finish(self) -> None:
        """See that the program has ended well.

        Raises:
            SandboxError: It did not.
        """
        while self.readinto(bytearray(_PIECE)):
            pass
        code = self._exit_code()
        if code != 0:
            said = self._complaint.decode("utf-8", "replace").strip()[-_SHOWN:] or "nothing"
            raise SandboxError(
                f"{self._program} ended with {code} in the box and said {said}",
                hint="the image needs sh, git, GNU tar, find and coreutils",
            )

    def _exit_code(self) -> object:
        """What it ended with; None: the engine does not know, since the container ended under it."""
        give_up = time.monotonic() + _BURIED_S
        with engine_told():
            while (state := self._engine.look_at(self._name))["Running"] and time.monotonic() < give_up:
                time.sleep(0.005)
        return state["ExitCode"]


@contextmanager
def engine_told() -> Iterator[None]:
    """Turn what the engine refuses into an error of ours."""
    try:
        yield
    except EngineError as err:
        raise SandboxError(str(err), hint="look into the engine's log") from err
