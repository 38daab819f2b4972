"""`DockerDriver`: boxes as containers of this machine's engine; each command's supervisor on the host outlives us."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from switchyard_git import Repository

from switchyard_sandbox import certificates, extract, programs
from switchyard_sandbox.audit import read_decisions
from switchyard_sandbox.contract import (
    INBOX,
    WORKDIR,
    BadCode,
    BoxId,
    BoxInfo,
    BoxLost,
    BoxSpec,
    Command,
    CommandId,
    Enforcement,
    Extraction,
    Finding,
    Finished,
    OutputSink,
    Terminal,
    TerminalSize,
)
from switchyard_sandbox.docker import images, laying, probe, reaping
from switchyard_sandbox.docker.carrying import bring_out, see_none_left
from switchyard_sandbox.docker.client import Client, connect
from switchyard_sandbox.docker.container import Container, Sources, Way, make, state_name, write_users
from switchyard_sandbox.docker.launching import begin, make_task
from switchyard_sandbox.docker.task import ENGINE, HOME
from switchyard_sandbox.docker.terminal import DockerTerminal
from switchyard_sandbox.embedded.job import AUDIT
from switchyard_sandbox.embedded.machine import box_uid
from switchyard_sandbox.embedded.workspace import copy_tree
from switchyard_sandbox.execution import (
    Supervisor,
    command_folder,
    follow,
    forgotten,
    list_commands,
    next_folder,
)
from switchyard_sandbox.extract import View
from switchyard_sandbox.inbox import put_file
from switchyard_sandbox.journal import Entry, Journal
from switchyard_sandbox.layers import ensure_layer
from switchyard_sandbox.mirror import CodeStore
from switchyard_sandbox.spawning import SPAWNER

_DEFAULT_TERMINAL = TerminalSize()


class DockerDriver:
    """Boxes as containers: read-only images, files in memory, no capability, our own system-call filter."""

    kind = "docker"

    def __init__(
        self,
        state: Path,
        *,
        owner: str = "",
        image: str = "",
        packages: Sequence[str] = (),
        base_url: str = "",
        certificates: Path | None = None,
        internal: Sequence[str] = (),
    ) -> None:
        """Bind the driver to a state folder; the engine is not asked before the first box.

        Args:
            owner: Who makes the boxes, as the journal shall name it.
            image: What boxes are made from; empty: an image of our own, built when it is first needed.
            packages: The npm packages that an image of our own has in it: agents, in pinned versions.
            base_url: The engine's socket, `unix://` and a path; empty: DOCKER_HOST, else the SDK's default.
            certificates: The authorities that boxes with a network trust; None: the system's.
            internal: Allowed host names that may resolve to a private address, such as an in-house registry.
        """
        self._state = state.absolute()
        self._journal = Journal(self._state, self.kind, owner)
        self._image, self._packages, self._base_url = image, tuple(packages), base_url
        self._certificates, self._internal = certificates, list(internal)

    def probe(self) -> Sequence[Enforcement]:
        """What the engine enforces."""
        return probe.report(self._base_url)

    def create(self, spec: BoxSpec) -> BoxId:
        """Make a box with the commit's files in it.

        Raises:
            IsolationUnavailable: There is no engine or no image.
            LimitUnenforceable: The engine can't enforce a limit, and the spec doesn't allow that.
            BadCode: The repository or a commit can't be used.
            SetUpFailed: A set-up command failed.
        """
        SPAWNER.look_after(self.kind, self._state)
        store = CodeStore(self._state, box_uid())
        checkout = store.checkout(spec.code)
        with connect(self._base_url) as client:
            probe.require(client, spec)
            image = images.resolve(client, spec.image or self._image, self._packages)
            layer = ensure_layer(self._state, spec, self, self._harvest, checkout, base=image.id)
            if layer is not None:
                image = images.with_setup(client, image, layer, state_name(self._state))
            box, folder = self._journal.open(spec)
            try:
                (folder / ENGINE).write_text(client.socket)
                self._furnish(folder, spec)
                local = None if spec.code.remote else checkout
                way = self._way(client, spec)
                name, objects = state_name(self._state), store.objects if local else None
                sources = Sources(folder, name, objects, local, layer, _uid(), way)
                container = self._make(client, image, box, spec, sources)
                with reaping.told_if_lost(self._base_url, container):
                    self._lay_out(box, container, store, spec)
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
        return self._execute(box, self._journal.read(box), command, sink)

    def start(self, box: BoxId, command: Command) -> CommandId:
        """Start a command that goes on without us."""
        folder, _ = self._begin(box, self._journal.read(box), command)
        return CommandId(folder.name)

    def attach(
        self, box: BoxId, command: CommandId, sink: OutputSink | None = None, *, after: int = 0, capture: bool = True
    ) -> Finished:
        """Follow a command to its end."""
        self._journal.read(box)
        folder = command_folder(self._journal.folder(box), command)
        return self._follow(box, folder, sink, after=after, capture=capture)

    def commands(self, box: BoxId) -> Sequence[CommandId]:
        """The commands that were begun, oldest first."""
        self._journal.read(box)
        return list_commands(self._journal.folder(box))

    def open_terminal(self, box: BoxId, command: Command, size: TerminalSize = _DEFAULT_TERMINAL) -> Terminal:
        """Start a command on a terminal of its own."""
        folder, supervisor = self._begin(box, self._journal.read(box), command, size)
        return DockerTerminal(folder, supervisor, self._container(box).engine)

    def extract(self, box: BoxId, quarantine: Path) -> Extraction:
        """Write the box's tree into the quarantine."""
        entry = self._journal.read(box)
        container = self._container(box)
        refused: dict[str, str] = {}

        def view(spool: Path) -> View:
            see_none_left(container, entry.box_limits.pids)
            if container.tree:
                stamps = container.workspace(self._journal.folder(box)).stamps()
                return View(container.tree, container.before, stamps)
            target = spool / "box"
            target.mkdir()
            unpacked = bring_out(container, WORKDIR, target, _laid_over(entry))
            refused.update(unpacked.refused)
            return View(str(target), untouched=tuple(unpacked.untouched))

        with reaping.told_if_lost(self._base_url, container):
            extraction = extract.extract(self._journal.folder(box), entry, quarantine, view)
        if container.before and container.tree and not os.path.ismount(container.tree):
            # Seen without its files, a tree looks as if all had been deleted.
            raise BoxLost(f"the container of {box} ended while it was read", hint="create another")
        own = [Finding(path, "unsafe_name", detail, refused=True) for path, detail in refused.items()]
        findings = sorted([*extraction.findings, *own], key=lambda finding: finding.path)
        return replace(extraction, findings=tuple(findings))

    def destroy(self, box: BoxId) -> None:
        """Kill everything in the box and remove it."""
        self._journal.remove(box, self._end)

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[BoxInfo]:
        """The boxes whose labels include these; one whose container is gone is an orphan."""
        found = self._journal.list(labels)
        if not found:
            return []
        with connect(self._base_url) as client:
            lost = reaping.without_container(client, self._journal, self._state)
        return [replace(info, state="orphan") if info.id in lost else info for info in found]

    def reap(self, *, keep: frozenset[BoxId] = frozenset()) -> Sequence[BoxId]:
        """Destroy orphans and boxes past their ttl, containers that no box knows and boxes whose container is gone."""
        with connect(self._base_url) as client:
            return reaping.reap(client, self._journal, self._state, keep)

    def _furnish(self, folder: Path, spec: BoxSpec) -> None:
        (folder / "inbox").mkdir(mode=0o755)
        (folder / "inbox").chmod(0o755)
        write_users(folder / "etc", _uid())
        if spec.network or spec.code.remote:
            certificates.give(folder / "etc", self._certificates)
        programs.install(folder, spec.programs)

    def _way(self, client: Client, spec: BoxSpec) -> Way:
        """How the box's files come to be: the cheapest that the machine allows, unless another is asked for."""
        if spec.workspace != "disk":
            return spec.workspace
        # Marks of an overlay are root's to read; the engine takes a comma in a path for the end of it.
        can_lay_over = os.getuid() == 0 and "," not in str(self._state) and not probe.maps_users(client)
        return "overlay" if can_lay_over and not spec.code.remote else "copy"

    def _make(self, client: Client, image: images.Image, box: BoxId, spec: BoxSpec, sources: Sources) -> Container:
        """Make the container, and meanwhile the copy of the checkout that it stands on, where it takes one."""
        if sources.way != "memory":
            sources.workspace.make_places(box_uid())
        if sources.way != "copy" or sources.checkout is None:
            return make(client, image, spec, box, sources)
        with ThreadPoolExecutor(1) as beside:
            copied = beside.submit(copy_tree, sources.checkout, sources.workspace.upper)
            container = make(client, image, spec, box, sources)
            copied.result()
        return container

    def _lay_out(self, box: BoxId, container: Container, store: CodeStore, spec: BoxSpec) -> None:
        """Bring into the box what it lacks: the code of a remote, copies in memory, set-up's layer, the commit."""
        workspace = container.workspace(self._journal.folder(box))
        if container.way == "copy":
            workspace.remember()
        if spec.code.remote:
            self._fetch(box, spec)
        if container.in_memory or (container.way == "copy" and spec.setup.commands):
            laying.lay_out(container)
        if container.way == "copy" and (spec.code.remote or spec.setup.commands):
            workspace.remember()
        if spec.code.commit != spec.code.anchor:
            self._lay_delta(box, store, spec)

    def _lay_delta(self, box: BoxId, store: CodeStore, spec: BoxSpec) -> None:
        """Bring the box from the anchor to its commit, by its own git and inside it."""
        pack = self._journal.folder(box) / "inbox" / laying.DELTA
        store.write_delta(spec.code, pack)
        pack.chmod(0o644)
        alone = replace(self._journal.read(box), network=[], gateway="", gateway_env={})
        finished = self._execute(box, alone, laying.delta_command(spec.code.commit), None)
        pack.unlink()
        if not finished.ok:
            said = finished.stderr.decode("utf-8", "replace").strip()
            raise BadCode(f"{spec.code.commit} could not be laid out in the box: {said}", hint="is git in the image?")

    def _fetch(self, box: BoxId, spec: BoxSpec) -> None:
        """Let the box's own git fetch its anchor, with no other way out than to where it lies."""
        inbox = self._journal.folder(box) / "inbox"
        laying.write_patterns(inbox, spec.code)
        alone = replace(self._journal.read(box), network=[laying.host_of(spec.code.remote)], gateway="", gateway_env={})
        finished = self._execute(box, alone, laying.fetch_command(spec.code), None)
        if not finished.ok:
            said = finished.stderr.decode("utf-8", "replace").strip()
            refused = [decision.reason for decision in finished.decisions if decision.decision != "allowed"]
            raise BadCode(
                f"{spec.code.anchor} could not be fetched from {spec.code.remote}: {'; '.join([said, *refused])}",
                hint="the remote must be public and hold the commit; without `remote` the code comes from here",
            )

    def _execute(self, box: BoxId, entry: Entry, command: Command, sink: OutputSink | None) -> Finished:
        folder, supervisor = self._begin(box, entry, command)
        with forgotten(folder, supervisor):
            return self._follow(box, folder, sink, capture=command.capture)

    def _begin(
        self, box: BoxId, entry: Entry, command: Command, terminal: TerminalSize | None = None
    ) -> tuple[Path, Supervisor]:
        remaining = max(0.0, entry.remaining_s(time.time()))
        timeout_s = remaining if command.timeout_s is None else min(command.timeout_s, remaining)
        place, container = self._journal.folder(box), self._container(box)
        folder, number = next_folder(place)
        task = make_task(container, place, entry, command, number, timeout_s, self._internal, terminal)
        return folder, begin(folder, task, command.stdin)

    def _follow(
        self, box: BoxId, folder: Path, sink: OutputSink | None, *, after: int = 0, capture: bool = True
    ) -> Finished:
        with reaping.told_if_lost(self._base_url, self._container(box)):
            finished = follow(folder, sink, after=after, capture=capture)
        return replace(finished, decisions=read_decisions(folder / AUDIT))

    def _harvest(self, box: BoxId) -> tuple[Path, Path]:
        """What set-up left in a box, brought out to be kept."""
        folder, container = self._journal.folder(box), self._container(box)
        see_none_left(container, self._journal.read(box).box_limits.pids)
        if not container.in_memory:
            # What is mounted can't be moved.
            self._remove(container)
            workspace = container.workspace(folder)
            return workspace.upper, workspace.home
        work, home = folder / "harvest" / "work", folder / "harvest" / "home"
        for place, target in ((WORKDIR, work), (HOME, home)):
            target.mkdir(parents=True)
            bring_out(replace(container, checkout="", layer=""), place, target)
        return work, home

    def _remove(self, container: Container) -> None:
        with connect(self._base_url) as client:
            reaping.remove(client, container.id)

    def _container(self, box: BoxId) -> Container:
        try:
            return Container.of(self._journal.folder(box))
        except FileNotFoundError as err:
            raise BoxLost(f"box {box} has no container yet, or no more", hint="create another") from err

    def _end(self, folder: Path) -> None:
        with connect(self._base_url) as client:
            reaping.end(client, folder)


def _laid_over(entry: Entry) -> set[str]:
    """The files that the commit has and the anchor has not: set-up may have made them too."""
    if entry.commit == entry.anchor:
        return set()
    repository = Repository.open(Path(entry.repository))
    commit, anchor = ({item.path for item in repository.list_tree(sha)} for sha in (entry.commit, entry.anchor))
    return commit - anchor


def _uid() -> int:
    """Whom commands run as: nobody's account for root, else ourselves, to whom our files belong."""
    return box_uid() or os.getuid()
