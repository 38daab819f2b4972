"""Reads what the proxy of one command wrote down."""

from __future__ import annotations

import json
from pathlib import Path

from switchyard_sandbox.contract import Decision


def read_decisions(audit: Path) -> tuple[Decision, ...]:
    """The decisions in the order in which they fell; none where there was no proxy."""
    try:
        lines = audit.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return ()
    return tuple(Decision(**json.loads(line)) for line in lines)
