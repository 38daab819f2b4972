"""What the host asks a supervisor in a box to do, as one JSON file; without heavy imports: every command reads it."""

from __future__ import annotations

import json

TASK, STDIN = "task.json", "stdin"
"""Files of a command's folder beside those that every driver writes: what is asked, and what the command reads."""


class Task:
    """One command. Paths are the box's; sizes in bytes, times in seconds."""

    def __init__(
        self,
        *,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        tree: str,
        watch: list[str],
        lock: str,
        output_bytes: int,
        memory_bytes: int,
        disk_bytes: int,
        measured: list[str],
        pids: int,
        timeout_s: float,
        stall_s: float | None,
        mark: str,
    ) -> None:
        self.argv = argv
        self.env = env
        """All of its environment."""
        self.cwd = cwd
        self.tree = tree
        """The work tree."""
        self.watch = watch
        """Files of it whose opening is noted."""
        self.lock = lock
        """Held, together with others, while the command runs."""
        self.output_bytes = output_bytes
        self.memory_bytes = memory_bytes
        self.disk_bytes = disk_bytes
        self.measured = measured
        """Folders that together may take `disk_bytes`."""
        self.pids = pids
        self.timeout_s = timeout_s
        self.stall_s = stall_s
        self.mark = mark
        """On a terminal: the line that is said before the command's own output."""

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(vars(self))

    @classmethod
    def load(cls, text: str) -> Task:
        """From JSON."""
        return cls(**json.loads(text))
