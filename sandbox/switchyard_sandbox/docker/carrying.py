"""Files between a box and this machine: its tree comes out as an archive that is unpacked without trust."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from switchyard_sandbox.contract import BoxLost, SandboxError
from switchyard_sandbox.docker.client import Client, told
from switchyard_sandbox.docker.container import Container
from switchyard_sandbox.docker.ending import end_group
from switchyard_sandbox.docker.engine import Engine
from switchyard_sandbox.docker.task import FIRST_GROUP, HOME
from switchyard_sandbox.docker.unpacking import Unpacked, unpack
from switchyard_sandbox.launch import CLEAN_ENVIRONMENT

_TOLD_BYTES = 4000
# --sparse: a hole costs nothing, however large; --hard-dereference: a second name of a file is another file.
# What its owner may not read is made readable first: a tar that meets one such file has read all others by then.
_PACK = """
cd "$1" || exit
find . -xdev -type d ! -perm -700 -exec chmod u+rwx {} \\; -o -type f ! -perm -400 -exec chmod u+r {} + || exit
exec tar --create --format=gnu --sparse --hard-dereference --numeric-owner --one-file-system \\
    --anchored --no-wildcards --exclude=./.git .
"""


def bring_out(client: Client, container: Container, place: str, target: Path, pids: int) -> Unpacked:
    """Unpack a folder of a box into an empty one of this machine; commands run neither before nor meanwhile.

    Args:
        pids: The box's limit of processes.

    Raises:
        BoxLost: The container has ended.
        SandboxError: It could not be read, or an attacker made the archive.
    """
    engine = Engine(container.engine)
    stands = end_group(engine, container.id, init_pid=container.init_pid, uid=container.uid, group=None, pids=pids)
    if not stands:
        raise BoxLost(f"the container {container.id[:12]} has ended", hint="create another box")
    output = _Output(client, container, ("/bin/sh", "-c", _PACK, "tar", place))
    unpacked = unpack(cast(BinaryIO, io.BufferedReader(output)), target, container.pristine_folders)
    output.finish()
    return unpacked


def run_inside(client: Client, container: Container, argv: Sequence[str]) -> None:
    """Run something of our own in a box, as its user, while no command runs.

    Raises:
        SandboxError: It failed.
    """
    output = _Output(client, container, argv)
    while output.readinto(bytearray(1 << 16)):
        pass
    output.finish()


class _Output(io.RawIOBase):
    """What a program in the box writes to stdout, to be read like a file."""

    def __init__(self, client: Client, container: Container, argv: Sequence[str]) -> None:
        self._api, self._argv = client.sdk.api, tuple(argv)
        with told():
            self._id = self._api.exec_create(
                container.id,
                list(argv),
                user=f"{container.uid}:{FIRST_GROUP}",
                environment={**CLEAN_ENVIRONMENT, "HOME": HOME},
                workdir="/",
            )["Id"]
            self._pieces: Iterator[tuple[bytes | None, bytes | None]] = self._api.exec_start(
                self._id, stream=True, demux=True
            )
        self._rest = memoryview(b"")
        self._complaint = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """The next bytes; 0 at the end."""
        while not self._rest:
            with told():
                piece = next(self._pieces, None)
            if piece is None:
                return 0
            said, complained = piece
            self._rest = memoryview(said or b"")
            self._complaint = (self._complaint + (complained or b""))[:_TOLD_BYTES]
        length = min(len(self._rest), len(buffer))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length

    def finish(self) -> None:
        """See that the program has ended well.

        Raises:
            SandboxError: It did not.
        """
        while self.readinto(bytearray(1 << 16)):
            pass
        with told():
            code = self._api.exec_inspect(self._id)["ExitCode"]
        if code:
            said = self._complaint.decode("utf-8", "replace").strip() or "nothing"
            raise SandboxError(
                f"{self._argv[0]} ended with {code} in the box and said {said}",
                hint="the image needs sh, git, GNU tar, find and coreutils",
            )
