"""`DaytonaDriver`: boxes in Daytona's cloud; each command's supervisor lives in its box and needs nobody."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard_sandbox import extract
from switchyard_sandbox.contract import (
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
from switchyard_sandbox.daytona import code, making, probe
from switchyard_sandbox.daytona.collecting import bring_out
from switchyard_sandbox.daytona.commands import USER, Commands
from switchyard_sandbox.daytona.estate import Estate
from switchyard_sandbox.daytona.naming import put_under_odd_name
from switchyard_sandbox.daytona.remote import Remote
from switchyard_sandbox.daytona.service import connect, told
from switchyard_sandbox.daytona.setup import ensure_snapshot
from switchyard_sandbox.daytona.terminal import open_terminal
from switchyard_sandbox.inbox import check_name
from switchyard_sandbox.journal import Journal

if TYPE_CHECKING:
    from daytona import Daytona

_DEFAULT_TERMINAL = TerminalSize()


class DaytonaDriver:
    """Boxes as sandboxes of the service; code goes in as packs or by a clone, results come out as plain files."""

    kind = "daytona"

    def __init__(
        self, state: Path, *, owner: str = "", api_key: str, api_url: str = "", target: str = "", image: str = ""
    ) -> None:
        """Bind the driver to a state folder; the service is not asked before the first box.

        Args:
            owner: Who makes the boxes, as the journal shall name it.
            api_key: Never passed into a box, written or logged.
            api_url: Empty: the service's own.
            target: The region; empty: the organisation's default.
            image: What boxes are made from, or `snapshot:NAME`; empty: the service's default snapshot.
        """
        self._state = state.absolute()
        self._journal = Journal(self._state, self.kind, owner)
        self._api_key, self._api_url, self._target, self._image = api_key, api_url, target, image
        self._known: Daytona | None = None
        self._remotes: dict[BoxId, Remote] = {}

    def __repr__(self) -> str:
        return f"DaytonaDriver({str(self._state)!r})"

    def probe(self) -> Sequence[Enforcement]:
        """What the service enforces, and what it can't."""
        return probe.report(self._client, self._image)

    def create(self, spec: BoxSpec) -> BoxId:
        """Make a box with the commit's files in it.

        Raises:
            IsolationUnavailable: There is no key, or the SDK is not installed.
            LimitUnenforceable: The image's user is root, and the spec doesn't allow that.
            BadCode: The repository or a commit can't be used.
            SetUpFailed: A set-up command failed.
            SandboxError: The spec asks for what a cloud can't have, or the service refused.
        """
        making.require(spec)
        client = self._client()
        with tempfile.TemporaryDirectory(prefix="switchyard-") as spool:
            has_setup = bool(spec.setup.commands)
            parcel = code.prepare(self._state, spec.code, Path(spool), has_anchor=has_setup)
            snapshot = ensure_snapshot(self._state, client, self._image, spec, self) if has_setup else ""
            box, folder = self._journal.open(spec)
            try:
                self._make(client, box, folder, spec, parcel, snapshot)
            except BaseException:
                self.destroy(box)
                raise
        return box

    def workdir(self, box: BoxId) -> str:
        """Below the home of the image's user: no other folder need be writable."""
        return self._remote(box).place.work

    def put(self, box: BoxId, name: str, data: bytes, *, mode: int = 0o644) -> str:
        """Write a file beside the work tree."""
        remote = self._remote(box)
        check_name(name)
        path = remote.place.inbox(name)
        if not name.isprintable() or name != name.strip():
            put_under_odd_name(remote, path, data, mode)
            return path
        remote.upload({path: data})
        if mode != 0o644:
            with told(f"box {box}"):
                remote.sandbox.fs.set_file_permissions(path, mode=f"{mode:o}")
        return path

    def execute(self, box: BoxId, command: Command, sink: OutputSink | None = None) -> Finished:
        """Run one command to its end."""
        return self._commands(box).execute(command, sink)

    def start(self, box: BoxId, command: Command) -> CommandId:
        """Start a command that goes on without us."""
        return self._commands(box).start(command)

    def attach(
        self, box: BoxId, command: CommandId, sink: OutputSink | None = None, *, after: int = 0, capture: bool = True
    ) -> Finished:
        """Follow a command to its end."""
        return self._commands(box).attach(command, sink, after=after, capture=capture)

    def commands(self, box: BoxId) -> Sequence[CommandId]:
        """The commands that were begun, oldest first."""
        return self._commands(box).begun()

    def open_terminal(self, box: BoxId, command: Command, size: TerminalSize = _DEFAULT_TERMINAL) -> Terminal:
        """Open a terminal of the service's, with the command in place of its shell."""
        return open_terminal(self._commands(box), command, size)

    def extract(self, box: BoxId, quarantine: Path) -> Extraction:
        """Write the box's tree into the quarantine."""
        entry, folder = self._journal.read(box), self._journal.folder(box)
        with tempfile.TemporaryDirectory(prefix="out-", dir=folder) as spool:
            unpacked = bring_out(self._remote(box), Path(spool), entry.box_limits)
            view = extract.View(str(unpacked.tree), untouched=tuple(unpacked.untouched))
            # The commit itself is what lay in the box before the first command, not the anchor.
            extraction = extract.extract(folder, replace(entry, anchor=entry.commit), quarantine, view)
        findings = sorted([*extraction.findings, *unpacked.findings], key=lambda finding: finding.path)
        return replace(extraction, findings=tuple(findings))

    def keep(self, box: BoxId, name: str, timeout_s: float) -> None:
        """Make a snapshot of an idle box."""
        with told(f"a snapshot of box {box}"):
            self._remote(box).sandbox.create_snapshot(name, timeout_s)

    def destroy(self, box: BoxId) -> None:
        """Remove the sandbox, and with it everything that runs there."""
        self._journal.remove(box, self._end)

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[BoxInfo]:
        """The boxes whose labels include these; those that only the journal or only the service knows are orphans."""
        return self._estate().list(labels or {})

    def reap(self, *, keep: frozenset[BoxId] = frozenset()) -> Sequence[BoxId]:
        """Destroy orphans, boxes past their ttl, and what only the journal or only the service knows."""
        return self._estate().reap(keep)

    def _make(
        self, client: Daytona, box: BoxId, folder: Path, spec: BoxSpec, parcel: code.Parcel, snapshot: str
    ) -> None:
        estate = self._estate()
        labels = making.labels_of(spec, box, estate.name)
        fetching = code.host_of(spec.code.remote) if parcel.clones else ""
        with told(f"box {box} could not be made"):
            sandbox = making.make(client, making.params_of(spec, labels, self._image, snapshot, fetching), labels)
        remote = self._remotes[box] = Remote.first(client, sandbox, folder)
        user = code.lay_out(remote, parcel, seal=lambda: making.close_network(sandbox, spec))
        making.require_pids(user["uid"], spec)
        (folder / USER).write_text(json.dumps(user))

    def _commands(self, box: BoxId) -> Commands:
        return Commands(self._journal.folder(box), self._journal.read(box), self._remote(box))

    def _remote(self, box: BoxId) -> Remote:
        self._journal.read(box)
        if box not in self._remotes:
            self._remotes[box] = Remote.again(self._client(), self._journal.folder(box))
        return self._remotes[box]

    def _end(self, folder: Path) -> None:
        """Remove the sandbox of a box whose folder was thrown away."""
        box = BoxId(folder.name[: len("box-") + 16])
        self._estate().remove(box, folder, self._remotes.pop(box, None))

    def _estate(self) -> Estate:
        return Estate(self._state, self._journal, self._client, self._end)

    def _client(self) -> Daytona:
        if self._known is None:
            self._known = connect(self._api_key, self._api_url, self._target)
        return self._known
