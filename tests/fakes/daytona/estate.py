"""The stand-in's sandboxes and snapshots, and what the service says of each."""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daytona_api_client import CreateSandbox

from fakes.daytona.machines import Ground, Machine, copy_home

_FOREVER_S = 86400.0


@dataclass
class Box:
    """One sandbox."""

    id: str
    asked: CreateSandbox
    machine: Machine
    created: float
    state: str = "started"
    sessions: dict[str, Any] = field(default_factory=dict)
    terminals: dict[str, Any] = field(default_factory=dict)
    active: float = 0.0
    """When it was last used, by the wall clock."""
    heartbeats: int = 0

    @property
    def ttl_s(self) -> float:
        """How long it may live."""
        return (self.asked.ttl_minutes or 0) * 60.0 or _FOREVER_S

    def describe(self, base: str, *, listed: bool = False) -> dict[str, Any]:
        """As the service describes it; a list tells less."""
        asked, moment = self.asked, datetime.fromtimestamp(self.created, UTC).isoformat()
        told = {
            "id": self.id,
            "organizationId": "stand-in",
            "name": asked.name or self.id,
            "snapshot": asked.snapshot,
            "user": asked.user or "agent",
            "labels": asked.labels or {},
            "public": bool(asked.public),
            "networkBlockAll": bool(asked.network_block_all),
            "networkAllowList": asked.network_allow_list,
            "domainAllowList": asked.domain_allow_list,
            "target": asked.target or "here",
            "cpu": asked.cpu or 1,
            "gpu": 0,
            "memory": asked.memory or 1,
            "disk": asked.disk or 3,
            "state": self.state,
            "autoStopInterval": asked.auto_stop_interval,
            "autoDeleteInterval": asked.auto_delete_interval,
            "createdAt": moment,
            "lastActivityAt": datetime.fromtimestamp(self.active, UTC).isoformat(),
            "toolboxProxyUrl": f"{base}/toolbox",
        }
        return told if listed else {**told, "env": asked.env or {}, "kvm": False}


@dataclass
class Snapshot:
    """The files of a sandbox, kept."""

    id: str
    name: str
    folder: Path
    source: str
    created: float

    def describe(self) -> dict[str, Any]:
        """As the service describes it."""
        moment = datetime.fromtimestamp(self.created, UTC).isoformat()
        return {
            "id": self.id,
            "general": False,
            "name": self.name,
            "state": "active",
            "size": 1.0,
            "entrypoint": None,
            "cpu": 1,
            "gpu": 0,
            "mem": 1,
            "disk": 3,
            "errorReason": None,
            "createdAt": moment,
            "updatedAt": moment,
            "lastUsedAt": None,
            "sourceSandboxId": self.source,
        }


class Estate:
    """All of them, below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ground = Ground(folder / "machines")
        self.boxes: dict[str, Box] = {}
        self.snapshots: dict[str, Snapshot] = {}

    def find(self, key: str) -> Box | None:
        """A sandbox by id or name."""
        return self.boxes.get(key) or next((box for box in self.boxes.values() if box.asked.name == key), None)

    async def create(self, asked: CreateSandbox) -> Box:
        """A sandbox that runs."""
        box_id, ttl_s = str(uuid.uuid4()), (asked.ttl_minutes or 0) * 60.0 or _FOREVER_S
        machine = await asyncio.to_thread(
            self._ground.machine,
            cpus=float(asked.cpu or 1),
            memory_mb=(asked.memory or 4) << 10,
            disk_mb=(asked.disk or 10) << 10,
            ttl_s=ttl_s,
        )
        if asked.snapshot in self.snapshots:
            await asyncio.to_thread(copy_home, self.snapshots[asked.snapshot].folder, machine.home)
        await asyncio.to_thread(machine.start)
        now = time.time()
        box = self.boxes[box_id] = Box(box_id, asked, machine, now, active=now)
        return box

    async def destroy(self, box: Box) -> None:
        """Remove a sandbox."""
        self.boxes.pop(box.id, None)
        box.state = "destroyed"
        await asyncio.to_thread(box.machine.destroy)

    async def stop(self, box: Box) -> None:
        """End what runs in it."""
        await box.machine.stop()
        box.sessions.clear()
        box.state = "stopped"

    async def start(self, box: Box) -> None:
        """Let it run again."""
        await asyncio.to_thread(box.machine.start)
        box.state = "started"

    async def keep(self, box: Box, name: str) -> None:
        """Make a snapshot of a sandbox."""
        folder = self._folder / "snapshots" / str(uuid.uuid4())
        folder.parent.mkdir(exist_ok=True)
        await asyncio.to_thread(copy_home, box.machine.home, folder)
        self.snapshots[name] = Snapshot(str(uuid.uuid4()), name, folder, box.id, time.time())

    def forget(self, snapshot: Snapshot) -> None:
        """Remove a snapshot."""
        del self.snapshots[snapshot.name]
        shutil.rmtree(snapshot.folder)

    async def expire(self) -> None:
        """Remove what is past its time, as the service does by itself."""
        now = time.time()
        for box in list(self.boxes.values()):
            if now - box.created > box.ttl_s:
                await self.destroy(box)

    async def close(self) -> None:
        """Remove everything."""
        for box in list(self.boxes.values()):
            await self.destroy(box)
