"""Files that the host gives a box: beside the work tree, never in the result."""

from __future__ import annotations

import os
from pathlib import Path

from switchyard_sandbox.contract import SandboxError

_LONGEST_BYTES = 255
_SHOWN = 40


def put_file(inbox: Path, name: str, data: bytes, mode: int) -> None:
    """Write one file, whole or not at all; the box can only read here.

    Raises:
        SandboxError: The name would lead out of the inbox, or no such file can be made.
    """
    check_name(name)
    target = inbox.joinpath(*name.split("/"))
    fresh = target.with_name(f".new-{os.urandom(4).hex()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for folder in [*target.relative_to(inbox).parents][:-1]:
            (inbox / folder).chmod(0o755)
        fresh.write_bytes(data)
        fresh.chmod(mode)
        fresh.replace(target)
    except OSError as err:
        fresh.unlink(missing_ok=True)
        raise SandboxError(f"{name!r} could not be put: {err.strerror}", hint="check the name and the disk") from err


def check_name(name: str) -> None:
    """Refuse a name that would lead out of the inbox, or that no file can have."""
    if any(len(os.fsencode(part)) > _LONGEST_BYTES for part in name.split("/")):
        raise SandboxError(
            f"{name[:_SHOWN]!r}… can't be put into a box: a name holds {_LONGEST_BYTES} bytes",
            hint="give a shorter one",
        )
    if any(part in ("", ".", "..") or "\0" in part for part in name.split("/")):
        raise SandboxError(f"{name!r} can't be put into a box", hint="give a relative path without `..`")
