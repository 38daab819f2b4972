"""Starts processes, alone in this package: every child has a clean environment and inherits no descriptor."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import SandboxError

CLEAN_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


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


class Detached:
    """A process in a session of its own that neither needs nor notices the end of whoever started it."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, log: Path) -> None:
        with log.open("ab") as sink:
            self._process = _start(
                argv, cwd, CLEAN_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
            )
        self._ended = select.poll()
        self._handle = os.pidfd_open(self._process.pid)
        self._ended.register(self._handle, select.POLLIN)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end at most so long; whether it has ended."""
        self._ended.poll(timeout_s * 1000)
        return self._process.poll() is not None

    def stop(self, patience_s: float) -> None:
        """Ask it to end, and kill it when it does not in time."""
        self._process.terminate()
        if not self.wait(patience_s):
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Let go of the handle; a process that still runs goes on."""
        os.close(self._handle)


def _start(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    stdin: int,
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
