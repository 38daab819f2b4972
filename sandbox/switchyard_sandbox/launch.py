"""Starts processes, alone in this package: every child has a clean environment and inherits no descriptor."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import SandboxError

CLEAN_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

_END_BYTES = 1_000


@dataclass(frozen=True)
class Result:
    """What a process left behind."""

    code: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] = CLEAN_ENVIRONMENT,
    timeout_s: float,
    stdin: bytes = b"",
) -> Result:
    """Run a program of the host to its end.

    Raises:
        SandboxError: It could not be started, or took too long; its whole group was killed.
    """
    process = _start(argv, cwd, env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise SandboxError(
                f"{argv[0]} took longer than {timeout_s:g} s in {cwd}", hint="look for a slow disk, then retry"
            ) from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Result(process.returncode, stdout, stderr)


def run_for_its_end(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float, stdin: bytes
) -> tuple[int, bytes]:
    """Run a program that may say more than fits into memory; its exit code, and the end of its stderr.

    Raises:
        SandboxError: It could not be started, or took too long; its whole group was killed.
    """
    until = time.monotonic() + timeout_s
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        with _start(argv, cwd, env, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            try:
                end = _read_end(process, until)
                return process.wait(max(until - time.monotonic(), 0)), end
            except subprocess.TimeoutExpired:
                raise SandboxError(
                    f"{argv[0]} took longer than {timeout_s:g} s in {cwd}", hint="look for a slow disk, then retry"
                ) from None
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)


def _read_end(process: subprocess.Popen[bytes], until: float) -> bytes:
    """Read stderr until it is closed. Raises TimeoutExpired."""
    assert process.stderr is not None
    source, end, poll = process.stderr.fileno(), b"", select.poll()
    poll.register(source, select.POLLIN)
    while True:
        left_s = until - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1_000):
            raise subprocess.TimeoutExpired(process.args, left_s)
        piece = os.read(source, 65_536)
        if not piece:
            return end
        end = (end + piece)[-_END_BYTES:]


def detach(argv: Sequence[str], *, cwd: Path, log: Path) -> None:
    """Start a process in a session of its own that neither needs nor notices the end of whoever started it."""
    # A shell in between ends at once and is waited for: the process is nobody's child to leave behind.
    script = ("/bin/sh", "-c", 'exec >>"$0" 2>&1 </dev/null; "$@" &', str(log))
    nowhere = subprocess.DEVNULL
    with _start((*script, *argv), cwd, CLEAN_ENVIRONMENT, stdin=nowhere, stdout=nowhere, stderr=nowhere) as shell:
        shell.wait()


def serve_apart(argv: Sequence[str]) -> int:
    """Start a process that serves us over a socket, its input, and ends when we do; our end's descriptor.

    It has a session of its own, so that what it forks outlives us.

    Raises:
        SandboxError: It could not be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    handed = [
        (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
        *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)),
    ]
    with theirs:
        try:
            os.posix_spawn(argv[0], list(argv), CLEAN_ENVIRONMENT, file_actions=handed, setsid=True)
        except OSError as err:
            ours.close()
            raise SandboxError(f"{argv[0]} could not be started: {err}", hint="check that it is installed") from err
    return ours.detach()


def _start(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    stdin: object,
    stdout: object,
    stderr: int,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            argv, cwd=cwd, env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
    except OSError as err:
        raise SandboxError(
            f"{argv[0]} could not be started in {cwd}: {err}", hint="check that it is installed"
        ) from err
