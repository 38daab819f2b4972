"""The files by which a gateway is found: its socket, its process and the lock of those who start or end it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.embedded.procfs import is_alive

SOCKET, PROCESS, LOCK = "gateway.sock", "gateway.json", "gateway.lock"


@dataclass(frozen=True)
class Running:
    """A gateway that runs."""

    pid: int
    start: int
    fingerprint: str
    """What its endpoints and keys hash to."""


def find_running(folder: Path) -> Running | None:
    """The gateway of a folder, if it runs."""
    try:
        known = json.loads((folder / PROCESS).read_text())
    except FileNotFoundError:
        return None
    running = Running(int(known["pid"]), int(known["start"]), str(known["fingerprint"]))
    return running if is_alive(running.pid, running.start) else None


def write_whole(path: Path, text: str) -> None:
    """Write a file of ours alone that is either absent or complete."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)
