"""Files that the host gives a box: beside the work tree, never in the result."""

from __future__ import annotations

import os
from pathlib import Path

from switchyard_sandbox.contract import SandboxError


def put_file(inbox: Path, name: str, data: bytes, mode: int) -> None:
    """Write one file, whole or not at all; the box can only read here.

    Raises:
        SandboxError: The name would lead out of the inbox.
    """
    check_name(name)
    target = inbox.joinpath(*name.split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    for folder in [*target.relative_to(inbox).parents][:-1]:
        (inbox / folder).chmod(0o755)
    fresh = target.with_name(f".new-{os.urandom(4).hex()}")
    fresh.write_bytes(data)
    fresh.chmod(mode)
    fresh.replace(target)


def check_name(name: str) -> None:
    """Refuse a name that would lead out of the inbox."""
    if any(part in ("", ".", "..") or "\0" in part for part in name.split("/")):
        raise SandboxError(f"{name!r} can't be put into a box", hint="give a relative path without `..`")
