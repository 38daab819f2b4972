"""A small repository with a bare origin, an agent in a shell script each, and the real command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from end_to_end.yard import GIT_ENV

CONFIG = """\
[agent]
command = ["sh", ".agents/work.sh", "{task_id}"]
[agent.gone]
kind = "command"
command = ["no-such-agent"]
[sandbox]
memory_mb = 512
disk_mb = 256
timeout_minutes = 1
allow_degraded = true
[checks]
kept = "test -e kept.txt"
[limits]
concurrency = 2
repairs = 0
"""
AGENT = """\
set -eu
if test -e ".agents/$1.sh"; then . ".agents/$1.sh"; else echo "$1" > "made-by-$1.txt"; fi
"""


@dataclass(frozen=True)
class Ending:
    """What a caller of the command sees."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error object."""
        return dict(self.document["error"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


class Plot:
    """A worktree in a folder with a space, its bare origin, and the command run in it."""

    def __init__(self, folder: Path, agents: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None):
        self.folder = folder / "a plot"
        self.repo, self.origin, self.home = self.folder / "repo", self.folder / "origin.git", self.folder / "home"
        self.home.mkdir(parents=True)
        self.git("init", "-q", "--bare", "-b", "main", str(self.origin), at=self.folder)
        self.git("init", "-q", "-b", "main", str(self.repo), at=self.folder)
        self.git("remote", "add", "origin", str(self.origin))
        scripts = {f".agents/{name}.sh": text for name, text in (agents or {}).items()}
        self.commit(
            {"switchyard.toml": CONFIG, "kept.txt": "kept\n", ".agents/work.sh": AGENT, **scripts, **(files or {})}
        )

    @property
    def env(self) -> dict[str, str]:
        """A clean environment for git and for the command."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, **GIT_ENV, "HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state")}

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git, in the worktree by default."""
        command = ["git", "-C", str(at or self.repo), *arguments]
        answer = subprocess.run(command, check=True, capture_output=True, env=self.env).stdout
        return answer.decode("utf-8", "backslashreplace")

    def write(self, path: str, text: str) -> Path:
        """Write a file of the worktree."""
        file = self.repo / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def commit(self, files: Mapping[str, str]) -> None:
        """Write files, commit everything and push it to the origin's main."""
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "--all")
        self.git("commit", "-q", "-m", "Lay out")
        self.git("push", "-q", "origin", "HEAD:main")

    def task(self, name: str, *front: str, body: str = "Do it.") -> Path:
        """Write a ready task, not committed."""
        lines = "".join(f"{line}\n" for line in front)
        text = f"---\nid: {name}\ntitle: Do {name}\nstate: ready\n{lines}---\n{body}\n"
        return self.write(f".switchyard/tasks/{name}.md", text)

    def start(self, *arguments: str, at: Path | None = None) -> subprocess.Popen[bytes]:
        """Start the command without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "switchyard.cli.main", *arguments],
            cwd=at or self.repo,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, at: Path | None = None, timeout_s: float = 120) -> Ending:
        """Run the command to its end."""
        with self.start(*arguments, at=at) as process:
            try:
                out, err = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Ending(process.returncode, out.decode(), err.decode())

    def rows(self) -> dict[str, dict[str, Any]]:
        """Each task's row of `status --json`."""
        return {row["id"]: row for row in self.run("status", "--json").document["tasks"]}

    def branches(self) -> dict[str, str]:
        """The factory branches of the origin by task, each with its commit."""
        form = "--format=%(refname) %(objectname)"
        listing = self.git("for-each-ref", form, "refs/heads/factory", at=self.origin)
        pairs = (line.split() for line in listing.splitlines())
        return {ref.rpartition("/")[2]: commit for ref, commit in pairs}

    def changes(self, task: str) -> list[str]:
        """`M path`, `A path`, … of a published task against the origin's main."""
        commit = self.branches()[task]
        listing = self.git(
            "-c", "core.quotePath=false", "diff", "--name-status", "--no-renames", f"main...{commit}", at=self.origin
        )
        return [line.replace("\t", " ") for line in listing.splitlines()]
