"""Journal and service held against each other, both ways, and what only one of them knows removed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard_sandbox import reaper
from switchyard_sandbox.contract import BoxId, BoxInfo, BoxLost
from switchyard_sandbox.daytona import making
from switchyard_sandbox.daytona.remote import Remote
from switchyard_sandbox.daytona.service import patiently, told
from switchyard_sandbox.journal import Journal

if TYPE_CHECKING:
    from daytona import Daytona, Sandbox

_NAME = "daytona-name"


@dataclass(frozen=True)
class Estate:
    """The boxes of one state folder."""

    state: Path
    journal: Journal
    client: Callable[[], Daytona]
    end: Callable[[Path], None]
    """Removes what belongs to a box's folder that was thrown away."""

    @property
    def name(self) -> str:
        """What names the state folder to the service: another machine may have one at the same path."""
        memo = self.state / _NAME
        if not memo.exists():
            self.state.mkdir(parents=True, exist_ok=True)
            fresh = memo.with_name(f".{_NAME}-{secrets.token_hex(4)}")
            fresh.write_text(secrets.token_hex(12))
            # The first of several to come here names it for all.
            with suppress(FileExistsError):
                memo.hardlink_to(fresh)
            fresh.unlink()
        return memo.read_text()

    def list(self, labels: Mapping[str, str]) -> Sequence[BoxInfo]:
        """The boxes whose labels include these."""
        journalled = self.journal.entries()
        if not journalled and not (self.state / _NAME).exists():
            return []
        there = self._sandboxes()
        known = {entry.id for entry in journalled}
        found = [
            replace(info, state="orphan") if info.id not in there and self._was_made(info.id) else info
            for info in self.journal.list(labels)
        ]
        strays = [_info(box, sandbox) for box, sandbox in there.items() if box not in known]
        return [*found, *(info for info in strays if labels.items() <= info.labels.items())]

    def reap(self, keep: frozenset[BoxId]) -> Sequence[BoxId]:
        """Destroy what nobody waits for any more; returns the boxes."""
        gone = list(reaper.reap(self.journal, keep, self.end))
        if not (self.state / _NAME).exists():
            return gone
        # The service is asked first: a box that is made meanwhile is in neither list, or in the journal.
        there = self._sandboxes()
        known = {entry.id for entry in self.journal.entries()}
        for box in sorted(known - there.keys()):
            if BoxId(box) not in keep and self._was_made(BoxId(box)) and not self._finds(BoxId(box)):
                self.journal.remove(BoxId(box), self.end)
                gone.append(BoxId(box))
        for box, sandbox in there.items():
            if box not in known and box not in keep and not self.journal.folder(box).exists():
                _delete(sandbox)
                gone.append(box)
        return gone

    def remove(self, box: BoxId, folder: Path, remote: Remote | None) -> None:
        """Remove the sandbox of a box; one that is gone, or was never made, is no error."""
        if remote is not None:
            _delete(remote.sandbox)
            return
        if not (self.state / _NAME).exists():
            return
        with suppress(BoxLost):
            _delete(Remote.again(self.client(), folder).sandbox)
            return
        # It died between the making and the note of it: the label finds it.
        with told(f"box {box}"):
            found = making.find(self.client(), {making.STATE: self.name, making.BOX: box})
        if found is not None:
            _delete(found)

    def _sandboxes(self) -> dict[BoxId, Sandbox]:
        """The state folder's sandboxes, by their boxes."""
        from daytona import ListSandboxesQuery

        client = self.client()
        query = ListSandboxesQuery(labels={making.STATE: self.name})
        with told("the list of sandboxes"):
            found = patiently(lambda: [sandbox for sandbox in client.list(query) if making.is_there(sandbox)])
        return {BoxId(sandbox.labels[making.BOX]): sandbox for sandbox in found if making.BOX in sandbox.labels}

    def _was_made(self, box: BoxId) -> bool:
        return Remote.is_noted(self.journal.folder(box))

    def _finds(self, box: BoxId) -> bool:
        """Whether the service knows the box's sandbox after all; a list may lag behind."""
        try:
            return not Remote.again(self.client(), self.journal.folder(box)).is_gone()
        except BoxLost:
            return False


def _delete(sandbox: Sandbox) -> None:
    from daytona import DaytonaNotFoundError

    with told(f"sandbox {sandbox.id}"), suppress(DaytonaNotFoundError):
        patiently(lambda: sandbox.delete(60))


def _info(box: BoxId, sandbox: Sandbox) -> BoxInfo:
    own = {name: value for name, value in sandbox.labels.items() if not name.startswith("switchyard.")}
    made = sandbox.created_at
    since = datetime.fromisoformat(made).timestamp() if made else time.time()
    return BoxInfo(box, "daytona", own, "orphan", since)
