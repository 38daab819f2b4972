"""Runs git in a clean room; the one place that starts a process and the one that knows what is dropped and forced.

What the caller's environment says about git is dropped (an inherited GIT_DIR or GIT_INDEX_FILE would make us write
into somebody's repository), and no repository can make git run a program of its own: hooks and fsmonitor are off.
"""

from __future__ import annotations

import contextlib
import enum
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from switchyard_git.errors import GitError, GitTimeout


class Settings(enum.Enum):
    """Whose git configuration applies besides the repository's own."""

    NONE = "none"
    """Nobody's: the result depends on the repository alone."""
    USER = "user"
    """The user's and the system's: credentials, proxies, line endings and ignored files."""


@dataclass(frozen=True)
class Result:
    """What a process left behind."""

    code: int
    stdout: bytes
    stderr: str
    truncated: bool = False
    """Whether stdout was cut at the limit, and the process stopped."""


FORCED = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.filesRefLockTimeout=5000",
    "core.packedRefsTimeout=5000",
    "protocol.version=2",
)
_NO_USER = ("core.attributesFile=/dev/null", "core.excludesFile=/dev/null")


TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN")
"""Variables that only a credential helper of the user's may need."""


def clean_environment(inherited: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The environment git runs in: the caller's without anything that steers git or asks a person."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith("GIT_") and name not in ("SSH_ASKPASS", "LANGUAGE")
    }
    kept |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        # An object that a partial clone lacks would be fetched by whatever program the repository names for it.
        "GIT_NO_LAZY_FETCH": "1",
        "SSH_ASKPASS_REQUIRE": "never",
        "LC_ALL": "C",
    }
    if settings is Settings.NONE:
        kept = without_tokens(kept)
        kept |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1"}
    return kept


def without_tokens(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for a program that has no use for the user's tokens."""
    return {name: value for name, value in environment.items() if name not in TOKENS}


def git_argv(
    arguments: Sequence[str | bytes], settings: Settings, config: Sequence[str] = ()
) -> tuple[str | bytes, ...]:
    """`git`, the settings that always hold, then the arguments."""
    forced = (*FORCED, *(_NO_USER if settings is Settings.NONE else ()), *config)
    return ("git", "--no-pager", *(part for setting in forced for part in ("-c", setting)), *arguments)


def run(
    argv: Sequence[str | bytes],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float,
    stdin: bytes = b"",
    limit_bytes: int | None = None,
    pass_fds: Sequence[int] = (),
) -> Result:
    """Run a program to its end and return what it said.

    Args:
        limit_bytes: Stop the program once it has written more than this, and cut there.
        pass_fds: Open files that it inherits besides its three streams.

    Raises:
        GitTimeout: It took longer than `timeout_s`; the whole process group was killed.
        GitError: It could not be started.
    """
    deadline = time.monotonic() + timeout_s
    # Files instead of pipes for two of the three streams: nothing can block but the one that is read.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(stdin)
        given.seek(0)
        process = _start(argv, cwd, env, given.fileno(), told.fileno(), pass_fds)
        with process:
            try:
                stdout, truncated = _read(process, deadline, limit_bytes)
                if truncated:
                    _kill_group(process)
                code = process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except (TimeoutError, subprocess.TimeoutExpired):
                raise GitTimeout(
                    f"{_shown(argv)} took longer than {timeout_s:g} s in {cwd}",
                    hint="look for a stuck network or lock, then retry",
                ) from None
            finally:
                if process.returncode is None:
                    _kill_group(process)
        told.seek(0)
        return Result(code, stdout, told.read().decode("utf-8", "replace"), truncated)


@contextlib.contextmanager
def stream(argv: Sequence[str | bytes], *, cwd: Path, env: Mapping[str, str], stdin: bytes) -> Iterator[IO[bytes]]:
    """A program's output to read, or to hand to another process; the program ends with the block at the latest."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(stdin)
        given.seek(0)
        process = _start(argv, cwd, env, given.fileno(), told.fileno())
        with process:
            try:
                assert process.stdout is not None
                yield process.stdout
            finally:
                _kill_group(process)


def _start(
    argv: Sequence[str | bytes],
    cwd: Path,
    env: Mapping[str, str],
    stdin: int,
    stderr: int,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    except FileNotFoundError as err:
        if not cwd.is_dir():
            raise GitError(f"{cwd} does not exist", hint="check the path") from err
        raise GitError("git was not found on PATH", hint="install git 2.39 or newer") from err
    except (OSError, ValueError) as err:
        raise GitError(
            f"{_shown(argv)} could not be started in {cwd}: {err}", hint="check the path and its rights"
        ) from err


def _read(process: subprocess.Popen[bytes], deadline: float, limit_bytes: int | None) -> tuple[bytes, bool]:
    assert process.stdout is not None
    chunks = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while limit_bytes is None or len(chunks) <= limit_bytes:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                return bytes(chunks), False
            chunks += chunk
    return bytes(chunks[:limit_bytes]), True


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _shown(argv: Sequence[str | bytes]) -> str:
    words = [part.decode("utf-8", "replace") if isinstance(part, bytes) else part for part in argv]
    position = 0
    while position < len(words) and (words[position] in ("git", "--no-pager", "-c") or words[position - 1] == "-c"):
        position += 1
    return " ".join(["git", *words[position : position + 4]])
