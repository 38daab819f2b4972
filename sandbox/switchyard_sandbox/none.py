"""`NoneDriver`: the same contract with no isolation at all, for those who ask for exactly that."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from switchyard_git.checkout import alternate

from switchyard_sandbox import programs, reaper
from switchyard_sandbox.contract import (
    TERMINAL_SIZE,
    WORKDIR,
    BadCode,
    BoxId,
    BoxInfo,
    BoxSpec,
    Command,
    CommandId,
    Enforcement,
    Extraction,
    Finished,
    IsolationUnavailable,
    OutputSink,
    Terminal,
    TerminalSize,
)
from switchyard_sandbox.embedded import confinement
from switchyard_sandbox.embedded.job import NO_BOX, PLAN, Job, Plan
from switchyard_sandbox.embedded.launching import TERMINAL_KIND, allowed_s, check_command
from switchyard_sandbox.embedded.machine import box_uid
from switchyard_sandbox.embedded.workspace import Shared, Workspace
from switchyard_sandbox.execution import command_folder, follow, forgotten, list_commands, next_folder
from switchyard_sandbox.extract import View, extract
from switchyard_sandbox.inbox import put_file
from switchyard_sandbox.journal import Entry, Journal
from switchyard_sandbox.layers import ensure_layer
from switchyard_sandbox.mirror import CodeStore
from switchyard_sandbox.processes import Process
from switchyard_sandbox.spawning import SPAWNER
from switchyard_sandbox.supervision import begin_in
from switchyard_sandbox.terminal import begin_terminal

_DELTA_TIMEOUT_S = 600.0
_WITHOUT = ("isolation", "uid", "network", "seccomp", "cpus", "memory", "pids", "disk")


class NoneDriver:
    """Plain directories and plain processes: commands run as the user, see the host, and reach the network."""

    kind = "none"

    def __init__(self, state: Path, *, owner: str = "") -> None:
        """Bind the driver to a state folder."""
        self._state = state.absolute()
        self._journal = Journal(self._state, self.kind, owner)
        self._store = CodeStore(self._state, box_uid())

    def probe(self) -> Sequence[Enforcement]:
        """Nothing is enforced, and every line says so, but for where the work tree lies."""
        hint = "use the embedded sandbox"
        copied = "the work tree is a copy on disk; directories can be renamed"
        return [
            *(Enforcement(name, False, "commands run as the user on the host", hint) for name in _WITHOUT),
            Enforcement("workspace disk", True, copied),
            Enforcement("workspace memory", False, "nothing is mounted for boxes that isolate nothing", hint),
            Enforcement("workspace copy", True, copied),
        ]

    def create(self, spec: BoxSpec) -> BoxId:
        """Make a box: a copy of the commit's files.

        Raises:
            IsolationUnavailable: A workspace in memory is asked for.
            BadCode: The repository or a commit can't be used.
            SetUpFailed: A set-up command failed.
        """
        if spec.workspace == "memory":
            raise IsolationUnavailable("this driver keeps files on disk alone", hint='choose workspace = "disk"')
        SPAWNER.look_after(self.kind, self._state)
        checkout = self._store.checkout(spec.code)
        layer = ensure_layer(self._state, spec, self, self._harvest, checkout)
        box, folder = self._journal.open(spec)
        try:
            (folder / "inbox").mkdir()
            (folder / "tmp").mkdir()
            programs.link(folder, spec.programs)
            workspace = Workspace(folder, Shared(checkout, layer), None)
            workspace.prepare(None, keep_owner=False)
            borrowed = workspace.upper / ".git" / "objects" / "info" / "alternates"
            borrowed.write_bytes(alternate(self._store.objects))
            ends = time.time() + spec.ttl_s
            (folder / PLAN).write_text(Plan(**{**vars(NO_BOX), "place": str(folder), "ends": ends}).dump())
            if spec.code.commit != spec.code.anchor:
                self._lay_delta(box, spec)
        except BaseException:
            self.destroy(box)
            raise
        return box

    def workdir(self, box: BoxId) -> str:
        """A folder of the host, since nothing is mounted."""
        self._journal.read(box)
        return str(_workspace(self._journal.folder(box)).upper)

    def put(self, box: BoxId, name: str, data: bytes, *, mode: int = 0o644) -> str:
        """Write a file beside the work tree."""
        self._journal.read(box)
        inbox = self._journal.folder(box) / "inbox"
        put_file(inbox, name, data, mode)
        return str(inbox / name)

    def execute(self, box: BoxId, command: Command, sink: OutputSink | None = None) -> Finished:
        """Run one command to its end."""
        folder, supervisor = self._begin(box, command)
        with forgotten(folder, supervisor):
            return follow(folder, sink, capture=command.capture)

    def start(self, box: BoxId, command: Command) -> CommandId:
        """Start a command that goes on without us."""
        folder, supervisor = self._begin(box, command)
        supervisor.close()
        return CommandId(folder.name)

    def attach(
        self, box: BoxId, command: CommandId, sink: OutputSink | None = None, *, after: int = 0, capture: bool = True
    ) -> Finished:
        """Follow a command to its end."""
        self._journal.read(box)
        return follow(command_folder(self._journal.folder(box), command), sink, after=after, capture=capture)

    def commands(self, box: BoxId) -> Sequence[CommandId]:
        """The commands that were begun, oldest first."""
        self._journal.read(box)
        return list_commands(self._journal.folder(box))

    def open_terminal(self, box: BoxId, command: Command, size: TerminalSize = TERMINAL_SIZE) -> Terminal:
        """Start a command on a terminal of its own."""
        entry, box_folder = self._journal.read(box), self._journal.folder(box)
        check_command(command)
        folder, _ = next_folder(box_folder)
        return begin_terminal(box_folder, _job(box_folder, entry, command, folder, size))

    def extract(self, box: BoxId, quarantine: Path) -> Extraction:
        """Write the box's tree into the quarantine."""
        entry = self._journal.read(box)
        workspace = _workspace(self._journal.folder(box))
        return extract(workspace.folder, entry, quarantine, View(str(workspace.upper), stamps=workspace.stamps()))

    def destroy(self, box: BoxId) -> None:
        """Kill everything in the box and remove it."""
        self._journal.remove(box, reaper.end_box)

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[BoxInfo]:
        """The boxes whose labels include these."""
        return self._journal.list(labels)

    def reap(self, *, keep: frozenset[BoxId] = frozenset()) -> Sequence[BoxId]:
        """Destroy orphans and boxes past their ttl."""
        return reaper.reap(self._journal, keep)

    def _begin(self, box: BoxId, command: Command) -> tuple[Path, Process]:
        entry, box_folder = self._journal.read(box), self._journal.folder(box)
        check_command(command)
        folder, _ = next_folder(box_folder)
        return folder, begin_in(box_folder, _job(box_folder, entry, command, folder), command.stdin)

    def _lay_delta(self, box: BoxId, spec: BoxSpec) -> None:
        pack = self._journal.folder(box) / "inbox" / ".delta.pack"
        self._store.write_delta(spec.code, pack)
        script = 'git index-pack --stdin --fix-thin < "$1" && git checkout --quiet --force --detach "$2"'
        argv = ("/bin/sh", "-c", script, "sh", str(pack), spec.code.commit)
        finished = self.execute(box, Command(argv, timeout_s=_DELTA_TIMEOUT_S))
        pack.unlink()
        if not finished.ok:
            said = finished.stderr.decode("utf-8", "replace").strip()
            raise BadCode(f"{spec.code.commit} could not be laid out in box {box}: {said}", hint="run `git fsck`")

    def _harvest(self, box: BoxId) -> tuple[Path, Path]:
        folder = self._journal.folder(box)
        reaper.end_box(folder)
        return _workspace(folder).upper, _workspace(folder).home


def _workspace(folder: Path) -> Workspace:
    """The workspace of a box; where it was copied from no longer matters."""
    return Workspace(folder, Shared(Path(), None), None)


def _job(box: Path, entry: Entry, command: Command, folder: Path, size: TerminalSize | None = None) -> Job:
    workspace = _workspace(box)
    own = {"HOME": str(workspace.home), "TMPDIR": str(box / "tmp"), **({"TERM": TERMINAL_KIND} if size else {})}
    limits = entry.box_limits
    return Job(
        folder=str(folder),
        bwrap="",
        arguments=[],
        command=list(command.argv),
        env=confinement.environment(
            [own, entry.env, entry.gateway_env, command.env],
            proxied=False,
            certificates=False,
            programs=programs.linked_folder(box),
        ),
        cwd=_on_host(command.cwd, workspace.upper),
        rlimits={"RLIMIT_CORE": 0, "RLIMIT_FSIZE": limits.disk_mb << 20},
        cpus=[],
        pids=0,
        memory_bytes=limits.memory_mb << 20,
        watched=[str(workspace.upper), str(workspace.home), str(box / "tmp")],
        disk_bytes=(limits.disk_mb << 20) + workspace.copied_bytes(),
        output_bytes=limits.output_mb << 20,
        timeout_s=allowed_s(entry, command),
        stall_s=command.stall_s,
        network=[],
        internal=[],
        gateway=entry.gateway,
        tree=str(workspace.upper),
        watch=list(command.watch),
        terminal=(size.rows, size.columns) if size else None,
    )


def _on_host(cwd: str, upper: Path) -> str:
    """Where a path below the work tree of every box lies for this one."""
    if cwd == WORKDIR or cwd.startswith(WORKDIR + "/"):
        return str(upper) + cwd.removeprefix(WORKDIR)
    return cwd
