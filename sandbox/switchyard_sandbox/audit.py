"""Reads what a box's proxy wrote down, from one command to the next."""

from __future__ import annotations

import json
from pathlib import Path

from switchyard_sandbox.contract import Decision


class Audit:
    """The decisions of one box after the moment that this was made; its commands never overlap."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = path.stat().st_size if path.exists() else 0

    def fresh(self) -> tuple[Decision, ...]:
        """Those that were added since."""
        if not self._path.exists():
            return ()
        with self._path.open("rb") as file:
            file.seek(self._begin)
            lines = file.read().split(b"\n")[:-1]
        return tuple(Decision(**json.loads(line)) for line in lines)
