"""From a box and a command to a task, and from a task to a supervisor that sees to it."""

from __future__ import annotations

import secrets
import sys
import time
from pathlib import Path

from switchyard_sandbox import programs
from switchyard_sandbox.contract import WORKDIR, BoxLost, Command, SandboxError, TerminalSize
from switchyard_sandbox.docker.container import Container
from switchyard_sandbox.docker.task import FIRST_GROUP, MOST_COMMANDS, STDIN, TASK, Task
from switchyard_sandbox.embedded import confinement
from switchyard_sandbox.embedded.job import GATEWAY_PORT, PROCESS
from switchyard_sandbox.embedded.launching import TERMINAL_KIND, check_command
from switchyard_sandbox.execution import LOG, Supervisor
from switchyard_sandbox.journal import Entry, lock_path
from switchyard_sandbox.launch import detach
from switchyard_sandbox.programs import PLACE

_PROGRAM = Path(__file__).with_name("supervise.py")
_BEGIN_S = 30.0


def make_task(
    container: Container,
    box: Path,
    entry: Entry,
    command: Command,
    number: int,
    timeout_s: float,
    internal: list[str],
    terminal: TerminalSize | None = None,
) -> Task:
    """The task of a box's `number`th command.

    Raises:
        SandboxError: The command can't be handed to a process, or the box has had too many at once.
    """
    check_command(command)
    if number >= MOST_COMMANDS:
        raise SandboxError(f"box {entry.id} holds {number} commands", hint="create another box")
    limits, workspace = entry.box_limits, container.workspace(box)
    return Task(
        engine=container.engine,
        container=container.id,
        init_pid=container.init_pid,
        uid=container.uid,
        group=FIRST_GROUP + number,
        argv=list(command.argv),
        env=environment(box, entry, command, terminal),
        without=container.without,
        cwd=command.cwd,
        workdir=WORKDIR,
        mark=f"no folder {secrets.token_hex(16)}",
        output_bytes=limits.output_mb << 20,
        timeout_s=timeout_s,
        stall_s=command.stall_s,
        network=list(entry.network),
        internal=internal,
        gateway=entry.gateway,
        lock=str(lock_path(box)),
        told=str(box / "told.json"),
        pids=limits.pids,
        opens=list(command.watch),
        tree=container.tree,
        watched=[] if container.in_memory else [str(place) for place in (workspace.upper, workspace.home)],
        disk_bytes=(limits.disk_mb << 20) + (0 if container.in_memory else workspace.copied_bytes()),
        terminal=(terminal.rows, terminal.columns) if terminal else None,
    )


def environment(box: Path, entry: Entry, command: Command, size: TerminalSize | None) -> dict[str, str]:
    """Exactly what a command finds in its environment."""
    networked = bool(entry.network)
    gateway = confinement.gateway_variables(entry.gateway_env, f"http://127.0.0.1:{GATEWAY_PORT}")
    return confinement.environment(
        [{"TERM": TERMINAL_KIND} if size else {}, entry.env, gateway, command.env],
        proxied=networked,
        certificates=networked,
        programs=f"{PLACE}/bin" if programs.installation(box) else "",
    )


def begin(folder: Path, task: Task, stdin: bytes) -> Supervisor:
    """Hand a task to a supervisor of its own, and see it begin.

    Raises:
        BoxLost: The box was destroyed meanwhile.
        SandboxError: The supervisor could not be started.
    """
    try:
        (folder / STDIN).write_bytes(stdin)
        (folder / TASK).touch(mode=0o600)
        (folder / TASK).write_text(task.dump())
        detach((sys.executable, "-I", "-S", str(_PROGRAM), str(folder)), cwd=Path("/"), log=folder / LOG)
        give_up = time.monotonic() + _BEGIN_S
        while not (folder / PROCESS).exists():
            if time.monotonic() > give_up:
                raise SandboxError(f"no supervisor began in {folder}", hint=f"look into {LOG} there")
            time.sleep(0.002)
        return Supervisor(folder)
    except FileNotFoundError as err:
        raise BoxLost(f"the box of {folder} was destroyed", hint="create another") from err
