"""When the state folder can't take any more: the run stops there and goes on later, and no task is blamed for it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import sqlalchemy as sa

from switchyard.errors import WorkFailed

LEAST_FREE_BYTES = 1 << 20
"""With less than this, whatever fails is taken to fail for want of room: git and others say so in many ways."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_UNWRITABLE = ("disk is full", "disk i/o error", "readonly database", "unable to open database")


class StateUnwritable(WorkFailed):
    """The disk under the state folder is full, read-only or broken; everything recorded so far stands."""

    kind = "state_unwritable"


def blocked_by_disk(err: BaseException, state: Path) -> StateUnwritable | None:
    """What an error comes to if the disk under the state folder is its cause; None where it is not.

    Args:
        err: Whatever a station, the engine or the database raised.
        state: The state folder.
    """
    if isinstance(err, StateUnwritable):
        return err
    if not (_is_about_disk(err) or shutil.disk_usage(state).free < LEAST_FREE_BYTES):
        return None
    return StateUnwritable(
        f"nothing more can be written to {state}: {_first_line(err)}",
        hint="make room there, then `switchyard run` goes on where it was",
    )


def is_locked(err: sa.exc.OperationalError) -> bool:
    """Whether another process merely holds the database for longer than we were willing to wait."""
    return "locked" in str(err.orig)


def _is_about_disk(err: BaseException) -> bool:
    if isinstance(err, sa.exc.OperationalError):
        return any(sign in str(err.orig).lower() for sign in _UNWRITABLE)
    return isinstance(err, OSError) and err.errno in _FULL


def _first_line(err: BaseException) -> str:
    said = str(err.orig) if isinstance(err, sa.exc.OperationalError) else str(err)
    return said.strip().partition("\n")[0] or type(err).__name__
