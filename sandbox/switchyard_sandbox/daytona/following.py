"""Follows a command in a box to its end, from the host: through dropped connections, to the byte."""

from __future__ import annotations

import base64
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from switchyard_sandbox.contract import BoxLost, Finished, OutputSink, SandboxError
from switchyard_sandbox.daytona import inside
from switchyard_sandbox.daytona.listening import Log
from switchyard_sandbox.daytona.remote import Remote
from switchyard_sandbox.daytona.service import told
from switchyard_sandbox.embedded.job import EXIT, OUTPUT
from switchyard_sandbox.execution import Output, finished

_LOOK_EVERY_S = 1.0
_HEARTBEAT_S = 60.0
_SILENCE_S = 60.0
"""The program in the box says something every ten seconds."""
_TRIES = 8
_PAUSE_S = 0.2
_END_S = 60.0
_THREAD_S = 5.0


class Follower:
    """One reader of one command: a copy of its output on the host, and where in it we are."""

    def __init__(
        self,
        remote: Remote,
        folder: str,
        spool: Path,
        sink: OutputSink | None,
        *,
        after: int = 0,
        capture: bool = True,
        deadline_s: float,
    ) -> None:
        self._remote, self._folder, self._spool = remote, folder, spool
        self._quiet = "loud" if sink else "quiet"
        self._output = Output(spool / OUTPUT, sink, after=after, capture=capture)
        self._received = 0
        self._give_up = time.monotonic() + deadline_s
        self._beat = time.monotonic()
        self._ended = False

    def follow(self, *, begin: bool) -> Finished:
        """Stay to the end.

        Args:
            begin: Whether the command is still to be started.

        Raises:
            BoxLost: The box is gone.
            SandboxError: Its supervisor was killed, or the service can't be reached any more.
        """
        try:
            self._stay(begin=begin)
        finally:
            self._output.close()
        return finished(self._spool, self._output)

    def _stay(self, *, begin: bool) -> None:
        tries, before = 0, 0
        while not self._ended:
            verb = ("run", self._folder) if begin else ("follow", self._folder, str(self._received))
            try:
                with _session(self._remote, (*verb, self._quiet)) as log:
                    self._listen(log)
            except SandboxError as err:
                self._check_alive(err)
                tries = tries + 1 if self._received == before else 1
                if tries > _TRIES:
                    raise
                before = self._received
                time.sleep(_PAUSE_S * tries)

    def _listen(self, log: Log) -> None:
        heard = time.monotonic()
        while not self._ended:
            lines = log.read(_LOOK_EVERY_S)
            if lines is None:
                raise SandboxError(f"the log of {self._what} ended: {log.error}", hint="see Daytona's status page")
            now = time.monotonic()
            for line in lines:
                heard = now
                self._take(line)
            if now - heard > _SILENCE_S:
                raise SandboxError(f"{self._what} was silent for {_SILENCE_S:g} s", hint="see Daytona's status page")
            if now > self._give_up:
                raise SandboxError(f"{self._what} did not end in time", hint="something in the box keeps it alive")
            if now - self._beat > _HEARTBEAT_S:
                self._beat = now
                self._remote.refresh()

    def _take(self, line: str) -> None:
        kind, *words = line.split(" ")
        match kind, words:
            case inside.DATA, [offset, data]:
                self._append(int(offset), base64.b64decode(data))
            case inside.SPILL, [offset, length, name]:
                self._fetch(int(offset), int(length), name)
            case inside.END, [data]:
                (self._spool / EXIT).write_bytes(base64.b64decode(data))
                self._ended = True
            case inside.LOST, []:
                self._lose()

    def _append(self, offset: int, data: bytes) -> None:
        """Take what is new of a piece: after a broken connection the log comes from its beginning again."""
        fresh = data[self._received - offset :] if offset <= self._received else b""
        if not fresh:
            return
        with (self._spool / OUTPUT).open("ab") as output:
            output.write(fresh)
        self._received += len(fresh)
        self._output.read()

    def _fetch(self, offset: int, length: int, name: str) -> None:
        if offset + length <= self._received:
            return
        copy = self._spool / "spill"
        self._remote.download(f"{self._folder}/{Path(name).name}", copy)
        self._append(offset, copy.read_bytes())
        copy.unlink()

    def _lose(self) -> None:
        """Its supervisor is gone without a word: who killed that may have left anything behind."""
        self._remote.restart()
        self._ended = True

    def _check_alive(self, err: SandboxError) -> None:
        """Say what became of the box or of the time, where that explains a broken connection."""
        if not self._spool.exists() or self._is_gone():
            raise BoxLost(f"the box of {self._what} was destroyed while it ran", hint="create another") from err
        if time.monotonic() > self._give_up:
            self._remote.restart()
            raise err

    def _is_gone(self) -> bool:
        try:
            return self._remote.is_gone()
        except SandboxError:
            # The service can't be reached: that says nothing about the box.
            return False

    @property
    def _what(self) -> str:
        return f"command {Path(self._folder).name} in sandbox {self._remote.sandbox.id}"


@contextmanager
def spool_in(folder: Path) -> Iterator[Path]:
    """A folder for one reader's copies, below the command's own.

    Raises:
        BoxLost: The box was destroyed.
    """
    try:
        spool = tempfile.TemporaryDirectory(prefix="reader-", dir=folder, ignore_cleanup_errors=True)
    except FileNotFoundError as err:
        raise BoxLost(f"the box of {folder} was destroyed", hint="create another") from err
    with spool as place:
        yield Path(place)


def end(remote: Remote, folder: str) -> None:
    """End a command and all that it started, and forget it; where that fails, everything in the box ends."""
    script = remote.place.inside("end", folder)
    try:
        remote.run(script, _END_S)
    except BoxLost:
        return
    except SandboxError:
        if not remote.is_gone():
            remote.restart()


@contextmanager
def _session(remote: Remote, words: tuple[str, ...]) -> Iterator[Log]:
    """A session of its own with the program in the box, and its log."""
    from daytona import DaytonaError, SessionExecuteRequest

    process, name = remote.sandbox.process, f"switchyard-{secrets.token_hex(8)}"
    request = SessionExecuteRequest(command=remote.place.inside(*words), run_async=True)
    with told(f"sandbox {remote.sandbox.id}"):
        # Not repeated here: whoever lost an answer takes a new session, and the program begins a command only once.
        process.create_session(name, request_timeout=30)
        command = process.execute_session_command(name, request, timeout=30).cmd_id
    log = Log(remote.sandbox, name, command)
    try:
        yield log
    finally:
        log.close()
        # A session that can't be deleted ends with the command, and with the box at the latest.
        with suppress(DaytonaError):
            process.delete_session(name, request_timeout=30)
        log.wait(_THREAD_S)
