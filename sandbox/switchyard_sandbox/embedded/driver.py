"""`EmbeddedDriver`: boxes on this machine without a server; each command runs under a shim that outlives us."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from switchyard_sandbox import certificates, extract, programs, reaper
from switchyard_sandbox.audit import read_decisions
from switchyard_sandbox.contract import (
    INBOX,
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
)
from switchyard_sandbox.embedded import confinement, limits, probe
from switchyard_sandbox.embedded.job import AUDIT
from switchyard_sandbox.embedded.launching import Box, make_job, view_of
from switchyard_sandbox.embedded.machine import Machine, look
from switchyard_sandbox.embedded.workspace import Shared, Workspace
from switchyard_sandbox.execution import (
    Supervisor,
    begin,
    command_folder,
    follow,
    forgotten,
    list_commands,
    next_folder,
)
from switchyard_sandbox.inbox import put_file
from switchyard_sandbox.journal import Journal
from switchyard_sandbox.layers import ensure_layer
from switchyard_sandbox.mirror import CodeStore

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
        machine = look(self._state)
        limits.require(machine, spec.limits, allow_degraded=spec.allow_degraded)
        store = CodeStore(self._state, machine.uid)
        checkout = store.checkout(spec.code)
        layer = ensure_layer(self._state, spec, self, self._harvest, checkout)
        box, folder = self._journal.open(spec)
        try:
            self._furnish(folder, machine, spec, Shared(checkout, layer))
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
        folder, _ = self._begin(self._open(box), command)
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

    def destroy(self, box: BoxId) -> None:
        """Kill everything in the box and remove it."""
        self._journal.remove(box, reaper.end_commands)

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[BoxInfo]:
        """The boxes whose labels include these."""
        return self._journal.list(labels)

    def reap(self, *, keep: frozenset[BoxId] = frozenset()) -> Sequence[BoxId]:
        """Destroy orphans and boxes past their ttl."""
        return reaper.reap(self._journal, keep)

    def _furnish(self, folder: Path, machine: Machine, spec: BoxSpec, shared: Shared) -> None:
        (folder / "inbox").mkdir(mode=0o755)
        (folder / "inbox").chmod(0o755)
        confinement.write_etc(folder / "etc")
        if spec.network:
            certificates.give(folder / "etc", self._certificates)
        (folder / "shared.json").write_text(shared.dump())
        programs.install(folder, spec.programs)
        Workspace(folder, shared, machine.overlay).prepare(machine.uid)

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

    def _begin(self, box: Box, command: Command) -> tuple[Path, Supervisor]:
        remaining = max(0.0, box.entry.remaining_s(time.time()))
        timeout_s = remaining if command.timeout_s is None else min(command.timeout_s, remaining)
        folder, number = next_folder(box.folder)
        job = make_job(look(self._state), box, command, number, timeout_s, self._internal)
        return folder, begin(folder, job, command.stdin)

    def _open(self, box: BoxId) -> Box:
        entry = self._journal.read(box)
        folder = self._journal.folder(box)
        shared = Shared.load((folder / "shared.json").read_text())
        workspace = Workspace(folder, shared, look(self._state).overlay)
        return Box(folder, entry, workspace, CodeStore(self._state, None).objects, programs.installation(folder))

    def _harvest(self, box: BoxId) -> tuple[Path, Path]:
        workspace = self._open(box).workspace
        return workspace.upper, workspace.home
