"""The boxes on disk: a folder each, whose journal entry is written before anything else of the box is made."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from switchyard_sandbox.contract import KEEP, BoxId, BoxInfo, BoxLost, BoxSpec, Limits, SandboxError, WorkspaceKind
from switchyard_sandbox.embedded.job import ENTRY
from switchyard_sandbox.embedded.locking import is_held
from switchyard_sandbox.embedded.ownership import is_orphan, own
from switchyard_sandbox.embedded.procfs import is_alive, start_time
from switchyard_sandbox.removal import throw_away
from switchyard_sandbox.spawning import SPAWNER

_FRESH = ".new-"
_ID = re.compile(r"box-[0-9a-f]{16}")


@dataclass(frozen=True)
class Entry:
    """What the journal says of one box."""

    id: str
    kind: str
    labels: dict[str, str]
    owner: str
    created: float
    ttl_s: float
    commit: str
    anchor: str
    repository: str
    network: list[str] = field(default_factory=list)
    gateway: str = ""
    """The gateway's socket; empty: the box has none."""
    gateway_env: dict[str, str] = field(default_factory=dict, repr=False)
    """With the box's token: the journal is for its owner alone."""
    env: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    remote: str = ""
    workspace: WorkspaceKind = "disk"

    @property
    def box_limits(self) -> Limits:
        """What the box may use."""
        return Limits(**self.limits)  # type: ignore[arg-type]

    def remaining_s(self, now: float) -> float:
        """How long the box may still live."""
        return self.created + self.ttl_s - now


@dataclass(frozen=True)
class Journal:
    """The boxes of one state folder and kind."""

    state: Path
    kind: str
    owner: str

    def open(self, spec: BoxSpec) -> tuple[BoxId, Path]:
        """Write a new box's entry; nothing of the box exists before it.

        Raises:
            SandboxError: The box's variables can't be given to a process.
        """
        _check_variables(spec.env)
        box = BoxId(f"box-{secrets.token_hex(8)}")
        # Under a name that tells its maker until it is whole.
        fresh = self.state / "boxes" / f"{_FRESH}{os.getpid()}-{start_time(os.getpid())}-{box}"
        fresh.mkdir(parents=True)
        entry = Entry(
            id=box,
            kind=self.kind,
            labels=dict(spec.labels),
            owner=self.owner,
            created=time.time(),
            ttl_s=spec.ttl_s,
            commit=spec.code.commit,
            anchor=spec.code.anchor,
            repository=str(spec.code.repository),
            network=list(spec.network),
            gateway=str(spec.gateway.socket) if spec.gateway else "",
            gateway_env=dict(spec.gateway.env) if spec.gateway else {},
            env=dict(spec.env),
            limits=asdict(spec.limits),
            paths=list(spec.code.paths),
            remote=spec.code.remote,
            workspace=spec.workspace,
        )
        with open(fresh / ENTRY, "w", opener=_private) as file:
            file.write(json.dumps(asdict(entry)))
        if KEEP not in spec.labels:
            own(str(fresh))
        fresh.rename(self.folder(box))
        return box, self.folder(box)

    def folder(self, box: BoxId) -> Path:
        """Where a box of this id lies, or would lie."""
        return self.state / "boxes" / box

    def read(self, box: BoxId) -> Entry:
        """One box's entry.

        Raises:
            BoxLost: There is no such box.
        """
        try:
            entry = _load(self.folder(box)) if _ID.fullmatch(box) else None
        except FileNotFoundError:
            entry = None
        if entry is None or entry.kind != self.kind:
            raise BoxLost(f"there is no box {box}", hint="it was destroyed or reaped; create another")
        return entry

    def entries(self) -> list[Entry]:
        """Every box of this kind."""
        found = []
        for folder in sorted((self.state / "boxes").glob("box-*")):
            with contextlib.suppress(FileNotFoundError):
                found.append(_load(folder))
        return [entry for entry in found if entry.kind == self.kind]

    def is_orphan(self, entry: Entry) -> bool:
        """Whether all who made or used a box are gone, unless it was made to outlive its maker."""
        return is_orphan(str(self.folder(BoxId(entry.id))))

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[BoxInfo]:
        """The boxes whose labels include these."""
        wanted = (labels or {}).items()
        return [self._info(entry) for entry in self.entries() if wanted <= entry.labels.items()]

    def sweep(self) -> None:
        """Remove what makers left that died before they wrote an entry."""
        for folder in (self.state / "boxes").glob(f"{_FRESH}*"):
            pid, start = folder.name.removeprefix(_FRESH).split("-")[:2]
            if not is_alive(int(pid), int(start)):
                SPAWNER.remove(folder)

    def remove(self, box: BoxId, end: Callable[[Path], None]) -> None:
        """Take a box away: out of sight at once, then its commands; its files go in the background. One that is gone is
        no error.

        The folder moves first: a command that is just starting finds nothing to mount, and one that has started is in
        its folder for `end` to find.
        """
        if not _ID.fullmatch(box):
            return
        throw_away(str(self.folder(box)))
        self.empty_trash(end, box)

    def empty_trash(self, end: Callable[[Path], None], prefix: str = "") -> None:
        """Have deleted what was thrown away, this time or before a crash."""
        for folder in (self.state / "trash").glob(f"{prefix}*"):
            end(folder)
            SPAWNER.remove(folder)

    def _info(self, entry: Entry) -> BoxInfo:
        running = is_held(str(self.folder(BoxId(entry.id)) / ENTRY))
        alive: Literal["idle", "running"] = "running" if running else "idle"
        state: Literal["idle", "running", "orphan"] = "orphan" if self.is_orphan(entry) else alive
        return BoxInfo(BoxId(entry.id), entry.kind, entry.labels, state, entry.created)


def kinds_used(state: Path) -> set[str]:
    """The kinds of which a state folder has boxes, live or left behind."""
    found = set()
    for folder in (state / "boxes").glob("box-*"):
        # One that was removed meanwhile, or is only half made, is of no kind.
        with contextlib.suppress(FileNotFoundError):
            found.add(_load(folder).kind)
    return found


def lock_path(folder: Path) -> Path:
    """The lock that a running command of the box holds."""
    return folder / ENTRY


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _load(folder: Path) -> Entry:
    return Entry(**json.loads((folder / ENTRY).read_text()))


def _check_variables(env: Mapping[str, str]) -> None:
    """bubblewrap's options are handed over with NUL between them: one in a value would begin another option."""
    for name, value in env.items():
        if not name or "=" in name or "\0" in name + value:
            raise SandboxError(
                f"variable {name!r} of a box can't be given to a process",
                hint="a name is not empty and holds no '=', and neither it nor its value holds NUL",
            )
