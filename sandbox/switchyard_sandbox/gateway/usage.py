"""What was used, a numbered line for each request, appended durably and read by number: nothing counts twice."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FILE = "usage.jsonl"


@dataclass(frozen=True)
class UsageRow:
    """One answered request."""

    sequence: int
    time: float
    """When it ended, in seconds since the epoch."""
    token: str
    labels: Mapping[str, str]
    endpoint: str
    kind: str
    model: str
    """As the answer names it; "" where it doesn't."""
    path: str
    status: int
    """What the box was answered."""
    input_tokens: int
    """The whole prompt, with what came from a cache and what went into one."""
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    """With what the model thought."""
    is_metered: bool
    """False: tokens were used that the answer does not count."""
    is_whole: bool
    """False: the answer broke off, so that the count may be short."""
    request_bytes: int
    answer_bytes: int
    duration_s: float


class UsageLog:
    """The file of one gateway."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._last = 0

    def open(self) -> None:
        """Make it ready for writing: a line that a crash cut off was never a row."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(descriptor)
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self._path, len(whole))
        lines = whole.splitlines()
        self._last = int(json.loads(lines[-1])["sequence"]) if lines else 0

    def append(self, values: Mapping[str, object]) -> None:
        """Add a row; it is on disk when this returns."""
        self._last += 1
        line = json.dumps({"sequence": self._last, **values}).encode() + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(descriptor, line)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, since: int) -> list[UsageRow]:
        """The rows after that number."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        lines = data[: data.rfind(b"\n") + 1].splitlines()
        rows = (UsageRow(**json.loads(line)) for line in lines)
        return [row for row in rows if row.sequence > since]
