"""A small yard whose runs are killed at named points, and what must be the same however often that happens."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from end_to_end.yard import Edit, RandomTasks, Yard

from switchyard.ledger import Event, TaskView, connect, fold, read_events

PROGRAM = Path(__file__).with_name("line_program.py")
TASKS = RandomTasks(
    depends_on={"a": [], "b": [], "c": ["a", "b"]},
    edits={"a": [Edit("file0.txt", 1)], "b": [Edit("file1.txt", 2)], "c": [Edit("file0.txt", 1), Edit("file2.txt", 3)]},
)
# One task at a time, so that a kill disturbs nothing but what it is aimed at.
CONFIG = """
[agent]
command = ["sh", ".agents/edit.sh", "{task_id}"]
[sandbox]
memory_mb = 512
disk_mb = 256
timeout_minutes = 2
allow_degraded = true
[checks]
intact = "grep -q '^slot 0' file0.txt"
[limits]
concurrency = 1
"""
PAIR = RandomTasks(depends_on={"a": [], "b": []}, edits={name: TASKS.edits[name] for name in "ab"})
_VARYING = re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{6}\b|\b[0-9a-f]{7,64}\b|\b\d+(\.\d+)? ?s\b")


@dataclass(frozen=True)
class Outcome:
    """What a run came to, without its name, its times and its commit ids."""

    tasks: dict[str, tuple[str, str, int, str]]
    """State, reason, attempts and tree of each task."""
    pull_requests: dict[str, tuple[str, str, str]]
    """Base, state and body of each, by head."""
    facts: Counter[tuple[str, str, str]]
    """How often each kind of row stands in the ledger for a task; a box is made again after a crash, so not those."""


class ChaosYard(Yard):
    """A yard whose line can be killed."""

    def __init__(self, folder: Path, tasks: RandomTasks = TASKS, config: str = CONFIG) -> None:
        super().__init__(folder, tasks, config)

    def start_line(self, kill: str = "", nth: int = 1, clock_s: float = 0.0) -> subprocess.Popen[bytes]:
        """Start a run that ends itself at a point."""
        command = [sys.executable, "-W", "error", str(PROGRAM), str(self.repo), "--kill", kill, "--nth", str(nth)]
        return subprocess.Popen(
            [*command, "--clock", str(clock_s)],
            cwd=self.repo,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def kill_at(self, point: str, nth: int = 1, clock_s: float = 0.0) -> None:
        """Run until the process kills itself; a point that it never comes to is a fault of the test."""
        process = self.start_line(point, nth, clock_s)
        _, err = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, (point, process.returncode, err.decode()[-3000:])

    def commit(self, files: dict[str, str]) -> None:
        """Put files on the base branch of the origin."""
        for name, text in files.items():
            (self.repo / name).write_text(text)
        self.git("commit", "-q", "-a", "-m", "Change", at=self.repo)
        self.git("push", "-q", "origin", "main", at=self.repo)

    def copied(self, folder: Path) -> ChaosYard:
        """The same yard once more, at rest."""
        shutil.copytree(self.folder, folder, symlinks=True)
        copy = ChaosYard.__new__(ChaosYard)
        copy.folder, copy.tasks = folder, self.tasks
        copy.repo, copy.origin, copy.home = folder / "repo", folder / "origin.git", folder / "home"
        copy.git("remote", "set-url", "origin", str(copy.origin), at=copy.repo)
        return copy

    def amend(self, task: str) -> None:
        """Put another commit in place of a published branch's, as a person would."""
        ref = next(ref for ref in self.pushes() if ref.endswith(f"/{task}"))
        tree, parent = self.git("rev-parse", f"{ref}^{{tree}}", f"{ref}^").split()
        commit = self.git("commit-tree", tree, "-p", parent, "-m", "Amended").strip()
        self.git("update-ref", ref, commit)

    def heads(self) -> dict[str, str]:
        """Where the tasks' branches are in the origin."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/factory").splitlines()
        return {ref.rpartition("/")[2]: commit for ref, commit in (line.split() for line in lines)}

    def outcome(self) -> Outcome:
        """What everything came to."""
        rows = self.status()
        tasks = {
            name: (str(row["state"]), str(row["reason"]), int(str(row["attempts"])), self._tree(row["head"]))
            for name, row in rows.items()
        }
        pulls = [json.loads(file.read_text()) for file in sorted((self.state / "forge").glob("*.json"))]
        assert len(pulls) == len({pull["head"] for pull in pulls}), "two pull requests from one branch"
        return Outcome(
            tasks=tasks,
            pull_requests={
                _plain(pull["head"]): (_plain(pull["base"]), pull["state"], _plain(pull["body"])) for pull in pulls
            },
            facts=Counter(_fact(event) for event in self.events() if event.event_type != "sandbox_created"),
        )

    def events(self) -> list[Event]:
        """The ledger's rows."""
        engine = connect(self.state / "switchyard.db", read_only=True)
        with engine.connect() as connection:
            events = list(read_events(connection))
        engine.dispose()
        return events

    def agent_boxes(self) -> int:
        """How many boxes were made for agents, as the ledger tells it."""
        return sum(event.event_type == "sandbox_created" for event in self.events())

    def assert_sound(self, *, effects_given_up: int = 0) -> None:
        """What holds at rest whatever happened: one push a branch, no box, a whole ledger, status as it is folded."""
        assert set(self.pushes().values()) == {1}, self.pushes()
        assert self.boxes() == []
        assert list((self.state / "boxes").glob("*")) == []
        # Deleted in the background.
        give_up = time.monotonic() + 30
        while left := list((self.state / "trash").glob("*")):
            assert time.monotonic() < give_up, left
            time.sleep(0.05)
        self.run("ledger", "verify")
        assert self.open_effects() == effects_given_up
        self.assert_status_is_the_fold()

    def tamper(self, statement: str, *values: object) -> None:
        """Change the ledger by hand, as somebody with the rights to the file can: the triggers are no lock."""
        with self.database() as connection:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(statement, values)

    def open_effects(self) -> int:
        """How many effects were meant and have no outcome."""
        with self.database() as connection:
            (count,) = connection.execute("SELECT count(*) FROM effects WHERE outcome IS NULL").fetchone()
        return int(count)

    def assert_status_is_the_fold(self) -> None:
        """`status` says what a fold of the rows says."""
        folded = fold(self.events()).latest
        for name, row in self.status().items():
            view: TaskView = folded[name]  # type: ignore[index]
            told = (row["state"], row["attempts"], row["branch"], row["head"])
            assert told == (view.state, view.attempts, view.branch, view.head)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The database by the back door."""
        with closing(sqlite3.connect(self.state / "switchyard.db", isolation_level=None)) as connection:
            yield connection

    def _tree(self, head: object) -> str:
        return self.git("rev-parse", f"{head}^{{tree}}").strip() if head else ""


def _fact(event: Event) -> tuple[str, str, str]:
    detail = event.data.get("attempt", event.data.get("kind", ""))
    return event.task_id, event.event_type, str(detail)


def _plain(text: str) -> str:
    return _VARYING.sub("…", text)
