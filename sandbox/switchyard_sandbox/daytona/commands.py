"""The commands of one box: each has a folder here, which notes that it was begun, and one of the same name there."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import BoxLost, Command, CommandId, Finished, OutputSink, SandboxError
from switchyard_sandbox.daytona.following import Follower, end, spool_in
from switchyard_sandbox.daytona.remote import Remote
from switchyard_sandbox.daytona.task import STDIN, TASK, Task
from switchyard_sandbox.embedded.confinement import environment
from switchyard_sandbox.embedded.launching import TERMINAL_KIND, allowed_s, check_command
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.embedded.ownership import share
from switchyard_sandbox.execution import next_folder
from switchyard_sandbox.journal import Entry, lock_path

USER = "user.json"
"""In a box's folder: who its commands run as."""
_BEGUN = "begun.json"
_GRACE_S = 30.0
_START_S = 60.0


@dataclass(frozen=True)
class Commands:
    """The commands of the box at `folder`."""

    folder: Path
    entry: Entry
    remote: Remote

    def execute(self, command: Command, sink: OutputSink | None) -> Finished:
        """Run a command to its end, however this ends."""
        folder = self.prepare(command)
        done = False
        try:
            finished = self._follow(folder, sink, begin=True, capture=command.capture)
            done = True
        finally:
            self.forget(folder, ended=done)
        return finished

    def start(self, command: Command) -> CommandId:
        """Start a command that goes on without us."""
        folder = self.prepare(command)
        try:
            self.remote.run(self.remote.place.inside("start", self.place(folder)), _START_S)
        except BaseException:
            self.forget(folder, ended=False)
            raise
        return CommandId(folder.name)

    def attach(self, command: CommandId, sink: OutputSink | None, *, after: int, capture: bool) -> Finished:
        """Follow a command to its end.

        Raises:
            BoxLost: There is no such command.
        """
        share(str(self.folder))
        folder = self.folder / "exec" / command
        if not command.isdecimal() or not (folder / _BEGUN).exists():
            raise BoxLost(
                f"there is no command {command} in {self.entry.id}", hint="`commands` lists those that were begun"
            )
        return self._follow(folder, sink, begin=False, after=after, capture=capture)

    def begun(self) -> Sequence[CommandId]:
        """Those that were begun, oldest first."""
        numbers = [int(place.parent.name) for place in (self.folder / "exec").glob(f"*/{_BEGUN}")]
        return [CommandId(str(number)) for number in sorted(numbers)]

    def prepare(self, command: Command, *, mark: str = "") -> Path:
        """Send a command's task into the box; returns its folder here.

        Raises:
            BoxLost: The box was destroyed.
            SandboxError: It is no command that a process can be given.
        """
        check_command(command)
        timeout_s = allowed_s(self.entry, command)
        try:
            folder, _ = next_folder(self.folder)
            name = f"{folder.name}-{secrets.token_hex(4)}"
            (folder / _BEGUN).write_text(json.dumps({"ends": time.time() + timeout_s, "name": name}))
        except FileNotFoundError as err:
            raise BoxLost(f"box {self.entry.id} was destroyed", hint="create another") from err
        task = self._task(command, timeout_s, mark).dump().encode()
        place = self.remote.place.command(name)
        self.remote.upload({f"{place}/{TASK}": task, f"{place}/{STDIN}": command.stdin})
        return folder

    def forget(self, folder: Path, *, ended: bool) -> None:
        """End a command, where it has not, and remove its files on both sides."""
        if folder.exists():
            self._forget_there(self.place(folder), ended=ended)
        shutil.rmtree(folder, ignore_errors=True)

    def place(self, folder: Path) -> str:
        """Where a command's folder is in the box: under a name of its own, for numbers are given out again."""
        return self.remote.place.command(json.loads((folder / _BEGUN).read_text())["name"])

    def _forget_there(self, place: str, *, ended: bool) -> None:
        if not ended:
            end(self.remote, place)
            return
        with suppress(SandboxError):
            # Left behind it only takes room until the box is destroyed.
            self.remote.remove(place)

    def _follow(self, folder: Path, sink: OutputSink | None, *, begin: bool, after: int = 0, capture: bool) -> Finished:
        try:
            remaining = json.loads((folder / _BEGUN).read_text())["ends"] - time.time()
            with hold(str(lock_path(self.folder)), shared=True), spool_in(folder) as spool:
                follower = Follower(
                    self.remote,
                    self.place(folder),
                    spool,
                    sink,
                    after=after,
                    capture=capture,
                    deadline_s=max(0.0, remaining) + _GRACE_S,
                )
                return follower.follow(begin=begin)
        except FileNotFoundError as err:
            raise BoxLost(f"box {self.entry.id} was destroyed while a command ran", hint="create another") from err

    def _task(self, command: Command, timeout_s: float, mark: str) -> Task:
        place, limits = self.remote.place, self.entry.box_limits
        user = json.loads((self.folder / USER).read_text())
        own = {"HOME": place.home, "PATH": user["path"], "USER": user["name"], "LOGNAME": user["name"]}
        own |= {"TERM": TERMINAL_KIND} if mark else {}
        return Task(
            argv=list(command.argv),
            env=environment([own, self.entry.env, command.env], proxied=False, certificates=False),
            cwd=place.resolve(command.cwd),
            tree=place.work,
            watch=list(command.watch),
            lock=place.lock,
            output_bytes=limits.output_mb << 20,
            memory_bytes=limits.memory_mb << 20,
            disk_bytes=(limits.disk_mb << 20) + int(user["disk_bytes"]),
            measured=place.measured,
            pids=limits.pids,
            timeout_s=timeout_s,
            stall_s=command.stall_s,
            mark=mark,
        )
