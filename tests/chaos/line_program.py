"""`switchyard run` on real parts, each in a wrapper that can kill the process at a named point.

`python line_program.py REPO [--kill POINT] [--nth N] [--clock SECONDS]` runs every ready task of REPO. The process
sends itself SIGKILL the Nth time it comes to a point that matches POINT; without one it is an ordinary run. Points are

- `driver.create before`, `driver.create after`, and so for each method of driver, forge, quarantine and artifacts;
- `agent running`: the first command of a box has a process;
- `step NAME before`, `step NAME acted`, `step NAME recorded`, and the same of `transaction NAME` and of `write`;
- `mkdir PATH`, `rename PATH`, `link PATH`, `spawn COMMAND`: just before our own code makes that folder, puts that file
  in place or starts that program.

`--clock` moves the clock of everything that the ledger writes.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from switchyard.forges import connect
from switchyard.ledger import ArtifactStore, Event
from switchyard.staffing import open_agents
from switchyard.wiring import draft, open_driver
from switchyard.workflow.engine import Engine, Json
from switchyard.workflow.factory import Factory
from switchyard.workflow.lock import orchestrator_lock
from switchyard.workflow.orchestrator import Orchestrator
from switchyard.workflow.stores import clear_stale_locks, fetch_base, open_stores
from switchyard.workspace import open_workspace

LOOK_EVERY_S = 0.002


class Fuse:
    """Ends the process when it comes to its point for the last time that it may."""

    def __init__(self, point: str, nth: int) -> None:
        self.point = point
        self._left = nth
        self._counting = threading.Lock()

    def at(self, place: str) -> None:
        """Tell where the process is."""
        if not self.point or not fnmatchcase(place, self.point):
            return
        with self._counting:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Fused:
    """A part whose every method passes the fuse before and after."""

    def __init__(self, name: str, part: object, fuse: Fuse) -> None:
        self._name, self._part, self._fuse = name, part, fuse

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._part, method)
        return self._around(f"{self._name}.{method}", found) if callable(found) else found

    def _around(self, place: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._fuse.at(f"{place} before")
            answer = method(*arguments, **named)
            self._fuse.at(f"{place} after")
            return answer

        return call


class FusedEngine(Engine):
    """The engine, with a fuse around every act and every record."""

    def __init__(self, database: Path, fuse: Fuse) -> None:
        super().__init__(database)
        self._fuse = fuse

    def step(self, name: str, function: Callable[[], Json]) -> Json:
        def act() -> Json:
            self._fuse.at(f"step {name} before")
            answer = function()
            self._fuse.at(f"step {name} acted")
            return answer

        answer = super().step(name, act)
        self._fuse.at(f"step {name} recorded")
        return answer

    def transaction(self, name: str, function: Callable[[sa.Connection], Json]) -> Json:
        def act(connection: sa.Connection) -> Json:
            self._fuse.at(f"transaction {name} before")
            answer = function(connection)
            self._fuse.at(f"transaction {name} acted")
            return answer

        answer = super().transaction(name, act)
        self._fuse.at(f"transaction {name} recorded")
        return answer

    def write(self, function: Callable[[sa.Connection], object]) -> None:
        def act(connection: sa.Connection) -> None:
            self._fuse.at("write before")
            function(connection)
            self._fuse.at("write acted")

        super().write(act)
        self._fuse.at("write recorded")

    def enqueue(self, name: str, workflow_id: str, argument: Json) -> None:
        self._fuse.at("enqueue before")
        super().enqueue(name, workflow_id, argument)
        self._fuse.at("enqueue recorded")


class Silence:
    """An audience that keeps quiet."""

    def hear(self, event: Event) -> None:
        """A row was written."""

    def tick(self, now: str) -> None:
        """Time has passed."""


def watch_files(fuse: Fuse) -> None:
    """Tell the fuse what is about to be made or started, as the interpreter itself reports it."""

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.mkdir":
            fuse.at(f"mkdir {os.fspath(arguments[0])}")
        elif event == "os.rename":
            fuse.at(f"rename {os.fspath(arguments[1])}")
        elif event == "os.link":
            fuse.at(f"link {os.fsdecode(arguments[1])}")
        elif event == "subprocess.Popen":
            fuse.at(f"spawn {' '.join(os.fsdecode(word) for word in arguments[1])}")

    sys.addaudithook(hear)


def watch_agents(state: Path, fuse: Fuse) -> None:
    """Tell the fuse once a command in a box has a process."""

    def look() -> None:
        while not any(state.glob("boxes/*/exec/*/process.json")):
            time.sleep(LOOK_EVERY_S)
        fuse.at("agent running")

    if fuse.point == "agent running":
        threading.Thread(target=look, daemon=True).start()


def run(repo: Path, fuse: Fuse, clock: Callable[[], datetime]) -> None:
    """What `switchyard run` does, composed of the same parts."""
    workspace = open_workspace(repo, environ={})
    tasks = workspace.tasks()
    watch_files(fuse)
    with orchestrator_lock(workspace.places.state):
        clear_stale_locks(workspace.places)
        mirror, quarantine = open_stores(workspace.places)
        base = fetch_base(workspace.repository, mirror, workspace.config)

        def fused(name: str, part: object) -> Any:
            return Fused(name, part, fuse)

        factory = Factory(
            config=workspace.config,
            places=workspace.places,
            origin=workspace.repository,
            quarantine=fused("quarantine", quarantine),
            artifacts=fused("artifacts", ArtifactStore(workspace.places.artifacts)),
            driver=fused("driver", open_driver(workspace)),
            agents=open_agents(workspace.config, os.environ),
            forge=fused("forge", connect(workspace, {}).open(quarantine)),
            clock=clock,
            publishing=threading.Lock(),
        )
        watch_agents(workspace.places.state, fuse)
        engine = FusedEngine(workspace.places.database, fuse)
        Orchestrator(factory, Silence(), engine).run(lambda view: draft(workspace, tasks, view, base, ()), base)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("repo", type=Path)
    parser.add_argument("--kill", default="")
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--clock", type=float, default=0.0)
    options = parser.parse_args()
    moved = timedelta(seconds=options.clock)
    run(options.repo, Fuse(options.kill, options.nth), lambda: datetime.now(UTC) + moved)


if __name__ == "__main__":
    main()
