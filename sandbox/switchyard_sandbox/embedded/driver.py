"""`EmbeddedDriver`: boxes on this machine without a server; each command runs under a shim that outlives us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from switchyard_sandbox import certificates, extract, programs, reaper
from switchyard_sandbox.audit import read_decisions
from switchyard_sandbox.contract import (
    INBOX,
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
    OutputSink,
    Terminal,
    TerminalSize,
)
from switchyard_sandbox.embedded import limits, probe
from switchyard_sandbox.embedded.job import AUDIT, PLAN
from switchyard_sandbox.embedded.launching import (
    INBOX_FOLDER,
    Box,
    make_job,
    make_plan,
    open_box,
    view_of,
)
from switchyard_sandbox.embedded.machine import Machine, look
from switchyard_sandbox.embedded.workspace import Shared
from switchyard_sandbox.execution import command_folder, follow, forgotten, list_commands, next_folder
from switchyard_sandbox.inbox import put_file
from switchyard_sandbox.journal import Entry, Journal
from switchyard_sandbox.layers import ensure_layer
from switchyard_sandbox.mirror import CodeStore
from switchyard_sandbox.processes import Process
from switchyard_sandbox.spawning import SPAWNER
from switchyard_sandbox.supervision import begin_in
from switchyard_sandbox.terminal import begin_terminal

_DELTA = ".delta.pack"
_DELTA_TIMEOUT_S = 600.0
_LAY_DELTA = f"git index-pack --stdin --fix-thin < {INBOX}/{_DELTA} && git checkout --quiet --force --detach {{commit}}"


class EmbeddedDriver:
    """Boxes by bubblewrap, overlay, seccomp and cgroups."""

    kind = "embedded"

    def __init__(
        self, state: Path, *, owner: str = "", certificates: Path | None = None, internal: Sequence[str] = ()
    ) -> None:
        """Bind the driver to a state folder; nothing is touched before the first box.

        Args:
            owner: Who makes the boxes, as the journal shall name it.
            certificates: The authorities that boxes with a network trust; None: the system's.
            internal: Allowed host names that may resolve to a private address, such as an in-house registry.
        """
        self._state = state.absolute()
        self._journal = Journal(self._state, self.kind, owner)
        self._certificates = certificates
        self._internal = list(internal)

    def probe(self) -> Sequence[Enforcement]:
        """What this machine enforces."""
        return probe.report(self._state)

    def create(self, spec: BoxSpec) -> BoxId:
        """Make a box with the commit's files in it.

        Raises:
            IsolationUnavailable: This machine can't isolate.
            LimitUnenforceable: It can't enforce a limit, and the spec doesn't allow that.
            BadCode: The repository or a commit can't be used.
            SetUpFailed: A set-up command failed.
        """
        SPAWNER.look_after(self.kind, self._state)
        machine = look(self._state)
        limits.require(machine, spec.limits, allow_degraded=spec.allow_degraded)
        store = CodeStore(self._state, machine.uid)
        checkout = store.checkout(spec.code)
        # What set-up installs is taken from the disk.
        plain = replace(spec, workspace="disk") if spec.workspace == "memory" else spec
        layer = ensure_layer(self._state, plain, self, self._harvest, checkout)
        box, folder = self._journal.open(spec)
        try:
            self._furnish(folder, self._journal.read(box), machine, spec, Shared(checkout, layer), store.objects)
            if spec.code.commit != spec.code.anchor:
                self._lay_delta(box, store, spec)
        except BaseException:
            self.destroy(box)
            raise
        return box

    def workdir(self, box: BoxId) -> str:
        """The same in every box."""
        self._journal.read(box)
        return WORKDIR

    def put(self, box: BoxId, name: str, data: bytes, *, mode: int = 0o644) -> str:
        """Write a file beside the work tree."""
        self._journal.read(box)
        put_file(self._journal.folder(box) / "inbox", name, data, mode | 0o444)
        return f"{INBOX}/{name}"

    def execute(self, box: BoxId, command: Command, sink: OutputSink | None = None) -> Finished:
        """Run one command to its end."""
        return self._execute(self._open(box), command, sink)

    def start(self, box: BoxId, command: Command) -> CommandId:
        """Start a command that goes on without us."""
        folder, process = self._begin(self._open(box), command)
        process.close()
        return CommandId(folder.name)

    def attach(
        self, box: BoxId, command: CommandId, sink: OutputSink | None = None, *, after: int = 0, capture: bool = True
    ) -> Finished:
        """Follow a command to its end."""
        self._journal.read(box)
        folder = command_folder(self._journal.folder(box), command)
        return replace(follow(folder, sink, after=after, capture=capture), decisions=read_decisions(folder / AUDIT))

    def commands(self, box: BoxId) -> Sequence[CommandId]:
        """The commands that were begun, oldest first."""
        self._journal.read(box)
        return list_commands(self._journal.folder(box))

    def extract(self, box: BoxId, quarantine: Path) -> Extraction:
        """Write the box's tree into the quarantine."""
        opened = self._open(box)
        return extract.extract(opened.folder, opened.entry, quarantine, view_of(opened))

    def open_terminal(self, box: BoxId, command: Command, size: TerminalSize = TERMINAL_SIZE) -> Terminal:
        """Start a command on a terminal of its own."""
        opened = self._open(box)
        folder, _ = next_folder(opened.folder)
        return begin_terminal(opened.folder, make_job(look(self._state), opened, command, folder, self._internal, size))

    def destroy(self, box: BoxId) -> None:
        """Kill everything in the box and remove it."""
        self._journal.remove(box, reaper.end_box)

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[BoxInfo]:
        """The boxes whose labels include these."""
        return self._journal.list(labels)

    def reap(self, *, keep: frozenset[BoxId] = frozenset()) -> Sequence[BoxId]:
        """Destroy orphans and boxes past their ttl."""
        return reaper.reap(self._journal, keep)

    def _furnish(
        self, folder: Path, entry: Entry, machine: Machine, spec: BoxSpec, shared: Shared, objects: Path
    ) -> None:
        inbox = folder / INBOX_FOLDER
        inbox.mkdir(mode=0o755)
        inbox.chmod(0o755)
        if spec.network:
            certificates.give(folder, self._certificates)
        programs.install(folder, spec.programs)
        plan, workspace = make_plan(machine, folder, entry, shared, objects)
        workspace.prepare(machine.uid)
        (folder / PLAN).write_text(plan.dump())

    def _lay_delta(self, box: BoxId, store: CodeStore, spec: BoxSpec) -> None:
        """Bring the box from the anchor to its commit, by its own git and inside it."""
        opened = self._open(box)
        pack = opened.inbox / _DELTA
        store.write_delta(spec.code, pack)
        pack.chmod(0o644)
        script = _LAY_DELTA.format(commit=spec.code.commit)
        opened = replace(opened, entry=replace(opened.entry, network=[], gateway="", gateway_env={}))
        finished = self._execute(opened, Command(("/bin/sh", "-c", script), timeout_s=_DELTA_TIMEOUT_S), None)
        pack.unlink()
        if not finished.ok:
            said = finished.stderr.decode("utf-8", "replace").strip()
            raise BadCode(f"{spec.code.commit} could not be laid out in the box: {said}", hint="is git in /usr/bin?")

    def _execute(self, box: Box, command: Command, sink: OutputSink | None) -> Finished:
        folder, supervisor = self._begin(box, command)
        with forgotten(folder, supervisor):
            finished = follow(folder, sink, capture=command.capture)
            return replace(finished, decisions=read_decisions(folder / AUDIT))

    def _begin(self, box: Box, command: Command) -> tuple[Path, Process]:
        folder, _ = next_folder(box.folder)
        job = make_job(look(self._state), box, command, folder, self._internal)
        return folder, begin_in(box.folder, job, command.stdin)

    def _open(self, box: BoxId) -> Box:
        return open_box(self._journal.folder(box), self._journal.read(box))

    def _harvest(self, box: BoxId) -> tuple[Path, Path]:
        opened = self._open(box)
        # What is mounted can't be moved.
        reaper.end_box(opened.folder)
        return opened.workspace.upper, opened.workspace.home
