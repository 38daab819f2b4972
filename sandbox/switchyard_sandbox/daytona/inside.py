"""The program that drives a box from inside, for what the service's own calls can't do faithfully.

Their logs are lines of text, their exit codes a shell's, and what a command leaves behind goes on. So commands run
under a supervisor of ours, and this program tells of them in lines that survive the log. What it says may be forged by
whatever runs beside it: the host believes none of it more than the box's own work.

`python -I -S inside.py VERB …`; it needs nothing but the standard library, of Python 3.11 or later.
"""

from __future__ import annotations

import sys
import types

if __name__ == "__main__":
    # The package's face would import every driver; a bare stand-in keeps the start of a command cheap.
    _bare = types.ModuleType("switchyard_sandbox")
    _bare.__path__ = [__file__.rpartition("/daytona/")[0]]
    sys.modules["switchyard_sandbox"] = _bare

import base64
import json
import os
import shutil
import time
from pathlib import Path

from switchyard_sandbox.embedded.job import EXIT, OUTPUT, PROCESS
from switchyard_sandbox.launch import detach
from switchyard_sandbox.processes import Process

DATA, SPILL, END, LOST, ALIVE = "d", "s", "e", "l", "a"
"""How a line of `follow` begins: output, output in a file beside, the end, no end to come, nothing new."""
SPILL_BYTES = 256 << 10
"""More than this at once goes through a file: the service passes the lines of a log on byte by byte."""
_BEGUN = "begun"
_LARGEST_SPILL = 4 << 20
_LOOK_EVERY_S = 0.01
_ALIVE_EVERY_S = 10.0
_PATIENCE_S = 10.0


def main(verb: str, *arguments: str) -> None:
    """Do one thing; imports wait until they are needed, for every command waits for this program."""
    match verb:
        case "start":
            start(arguments[0])
        case "run":
            start(arguments[0])
            follow(Path(arguments[0]), 0, quiet=arguments[1] == "quiet")
        case "follow":
            follow(Path(arguments[0]), int(arguments[1]), quiet=arguments[2] == "quiet")
        case "end":
            end(Path(arguments[0]))
        case "supervise":
            from switchyard_sandbox.daytona import supervising

            supervising.main(arguments[0])
        case "terminal":
            from switchyard_sandbox.daytona import on_terminal

            _claim(Path(arguments[0]))
            on_terminal.main(arguments[0])
        case "lay-out":
            from switchyard_sandbox.daytona.layout import lay_out

            print(json.dumps(lay_out(json.loads(Path(arguments[0]).read_text()))))
        case "pack":
            from switchyard_sandbox.daytona.packing import pack_tree

            print(json.dumps(pack_tree(json.loads(Path(arguments[0]).read_text()))))
        case _:
            raise SystemExit(f"no such verb: {verb}")


def start(folder: str) -> None:
    """Begin a folder's task, once however often it is asked: an answer may get lost and the call be repeated."""
    place = Path(folder)
    if not _claim(place):
        return
    argv = (sys.executable, "-I", "-S", __file__, "supervise", folder)
    detach(argv, cwd=Path("/"), log=place / "supervisor.log")
    _supervisor(place)


def follow(folder: Path, offset: int, *, quiet: bool) -> None:
    """Tell of a command's output from an offset of its file on, until it has ended and all is told.

    Args:
        quiet: Whether nobody listens until the end: then the output goes in large pieces.
    """
    supervisor = _supervisor(folder)
    told = time.monotonic()
    while True:
        ended = supervisor is None or supervisor.wait(_LOOK_EVERY_S)
        size = _size(folder / OUTPUT)
        if size - offset >= _LARGEST_SPILL or (size > offset and (ended or not quiet)):
            offset += _tell(folder, offset, min(size - offset, _LARGEST_SPILL))
            told = time.monotonic()
        elif ended:
            break
        elif time.monotonic() - told > _ALIVE_EVERY_S:
            _say(ALIVE)
            told = time.monotonic()
    try:
        _say(END, base64.b64encode((folder / EXIT).read_bytes()).decode())
    except FileNotFoundError:
        _say(LOST)


def end(folder: Path) -> None:
    """End a command with all that it started, and forget it."""
    supervisor = _supervisor(folder)
    if supervisor is not None and supervisor.stop(_PATIENCE_S):
        # Killed, it could not see to the rest.
        raise SystemExit("the supervisor had to be killed")
    shutil.rmtree(folder, ignore_errors=True)


def _claim(folder: Path) -> bool:
    """Whether it is for us to begin a folder's task: somebody is the first."""
    try:
        (folder / _BEGUN).mkdir()
    except FileExistsError:
        return False
    return True


def _supervisor(folder: Path) -> Process | None:
    """Who sees to a command; None: it never began, or was forgotten."""
    give_up = time.monotonic() + _PATIENCE_S
    while (folder / _BEGUN).exists() and time.monotonic() < give_up:
        if (folder / PROCESS).exists():
            return Process(folder)
        time.sleep(_LOOK_EVERY_S / 5)
    return None


def _tell(folder: Path, offset: int, length: int) -> int:
    with (folder / OUTPUT).open("rb") as output:
        output.seek(offset)
        data = output.read(length)
    if length < SPILL_BYTES:
        _say(DATA, str(offset), base64.b64encode(data).decode())
    else:
        spill, fresh = folder / f"spill-{offset}-{length}", folder / f".spill-{offset}-{os.getpid()}"
        fresh.write_bytes(data)
        fresh.rename(spill)
        _say(SPILL, str(offset), str(length), spill.name)
    return length


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
