"""A repository, its bare origin and random tasks whose result is known beforehand: the ground for whole runs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SLOTS = 12
FILES = 5
GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}
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
concurrency = 3
"""
AGENT = """set -eu
while read -r file slot; do
    sed -i "s/^\\(slot $slot\\( .*\\)\\{0,1\\}\\)\\$/\\1 $1/" "$file"
done < ".agents/$1.edits"
"""


@dataclass(frozen=True)
class Edit:
    """One slot of one file that a task writes its name into."""

    file: str
    slot: int


@dataclass(frozen=True)
class RandomTasks:
    """Tasks over a random DAG; siblings never write the same slot, descendants may."""

    depends_on: dict[str, list[str]]
    edits: dict[str, list[Edit]] = field(default_factory=dict)

    def ancestors(self, task: str) -> set[str]:
        """Everything the task stands on."""
        found: set[str] = set()
        for parent in self.depends_on[task]:
            found |= {parent} | self.ancestors(parent)
        return found

    def oracle(self, task: str) -> dict[str, str]:
        """The files at the task's head: the edits of its ancestors and its own, in topological order."""
        contents = {f"file{number}.txt": blank_file() for number in range(FILES)}
        chosen = self.ancestors(task) | {task}
        for name in (name for name in self.depends_on if name in chosen):
            for edit in self.edits[name]:
                lines = contents[edit.file].split("\n")
                at = next(i for i, line in enumerate(lines) if line.split(" ")[:2] == ["slot", str(edit.slot)])
                lines[at] += f" {name}"
                contents[edit.file] = "\n".join(lines)
        return contents


def random_tasks(seed: int, count: int = 12) -> RandomTasks:
    """A reproducible random DAG, in topological order of its keys."""
    rng = random.Random(seed)
    names = [f"t{number:02d}" for number in range(count)]
    tasks = RandomTasks(
        {name: rng.sample(names[:at], min(at, rng.choice([0, 1, 1, 2, 3]))) for at, name in enumerate(names)}
    )
    writers: dict[Edit, list[str]] = {}
    for name in names:
        allowed = [
            edit
            for edit in (Edit(f"file{number}.txt", slot) for number in range(FILES) for slot in range(SLOTS))
            if set(writers.get(edit, [])) <= tasks.ancestors(name)
        ]
        tasks.edits[name] = rng.sample(allowed, 3)
        for edit in tasks.edits[name]:
            writers.setdefault(edit, []).append(name)
    return tasks


def blank_file() -> str:
    """Slots far enough apart that edits of two of them never conflict."""
    return "".join(f"slot {slot}\n" + "".join(f"padding {slot}.{n}\n" for n in range(6)) for slot in range(SLOTS))


class Yard:
    """A worktree with a bare origin, driven through the real command line."""

    def __init__(self, folder: Path, tasks: RandomTasks, config: str = CONFIG) -> None:
        self.folder, self.tasks = folder, tasks
        self.repo, self.origin = folder / "repo", folder / "origin.git"
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self._lay_out(config)

    @property
    def state(self) -> Path:
        """Where the factory keeps its state."""
        return self.repo / ".git" / "switchyard"

    @property
    def env(self) -> dict[str, str]:
        """A clean environment for git and for the command."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, **GIT_ENV, "HOME": str(self.home)}

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git, in the origin by default."""
        command = ["git", "-C", str(at or self.origin), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=self.env).stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the command without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "switchyard.cli.main", *arguments],
            cwd=self.repo,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, expect: int | None = 0) -> str:
        """Run the command to its end; its stdout."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        assert expect is None or process.returncode == expect, (arguments, process.returncode, out[-2000:], err[-4000:])
        return out.decode()

    def status(self) -> dict[str, dict[str, object]]:
        """Each task's row of `status --json`."""
        return {row["id"]: row for row in json.loads(self.run("status", "--json"))["tasks"]}

    def stack(self) -> list[dict[str, object]]:
        """The pull requests of `stack status --json`."""
        pulls: list[dict[str, object]] = json.loads(self.run("stack", "status", "--json"))["pull_requests"]
        return pulls

    def boxes(self) -> list[dict[str, object]]:
        """The boxes of `sandbox list --json`."""
        boxes: list[dict[str, object]] = json.loads(self.run("sandbox", "list", "--json"))["sandboxes"]
        return boxes

    def pushes(self) -> dict[str, int]:
        """How often each factory branch of the origin was moved."""
        refs = self.git("for-each-ref", "--format=%(refname)", "refs/heads/factory").split()
        return {ref: len((self.origin / "logs" / ref).read_text().splitlines()) for ref in refs}

    def files_at(self, revision: str) -> dict[str, str]:
        """The text files of a revision of the origin."""
        names = self.git("ls-tree", "--name-only", revision).split()
        return {name: self.git("show", f"{revision}:{name}") for name in names if name.startswith("file")}

    def _lay_out(self, config: str) -> None:
        self.git("init", "-q", "--bare", "-b", "main", str(self.origin), at=self.folder)
        # A bare repository keeps no reflog by itself; here it counts the pushes.
        self.git("config", "core.logAllRefUpdates", "true")
        self.git("clone", "-q", str(self.origin), str(self.repo), at=self.folder)
        self.git("checkout", "-q", "-b", "main", at=self.repo)
        self._write({f"file{number}.txt": blank_file() for number in range(FILES)})
        self._write({"switchyard.toml": config, ".agents/edit.sh": AGENT})
        self._write({f".agents/{name}.edits": edits_text(edits) for name, edits in self.tasks.edits.items()})
        self._write({f".switchyard/tasks/{name}.md": self._task(name) for name in self.tasks.depends_on})
        self.git("add", "-A", at=self.repo)
        self.git("commit", "-q", "-m", "Lay out", at=self.repo)
        self.git("push", "-q", "origin", "main", at=self.repo)

    def _write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def _task(self, name: str) -> str:
        parents = ", ".join(self.tasks.depends_on[name])
        targets = ", ".join(sorted({edit.file for edit in self.tasks.edits[name]}))
        return (
            f"---\nid: {name}\ntitle: Sign slots as {name}\nstate: ready\ndepends_on: [{parents}]\n"
            f"targets: [{targets}]\n---\nWrite your name.\n\n## Acceptance\n- [ ] Signed.\n"
        )


def edits_text(edits: Sequence[Edit]) -> str:
    """Edits as the agent's script reads them."""
    return "".join(f"{edit.file} {edit.slot}\n" for edit in edits)
