"""What is blamed on the disk under the state folder, and what is not."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from switchyard.packets import Pushed
from switchyard.workflow.failures import answer
from switchyard.workflow.storage import StateUnwritable, blocked_by_disk, is_locked


def database_error(said: str) -> sa.exc.OperationalError:
    return sa.exc.OperationalError("UPDATE ledger", {}, sqlite3.OperationalError(said))


@pytest.mark.parametrize(
    "err",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EROFS, "Read-only file system"),
        database_error("database or disk is full"),
        database_error("disk I/O error"),
        database_error("attempt to write a readonly database"),
    ],
)
def test_a_disk_that_takes_no_more_is_named_with_what_to_do(tmp_path: Path, err: Exception) -> None:
    blocked = blocked_by_disk(err, tmp_path)
    assert blocked is not None
    assert str(tmp_path) in str(blocked)
    assert "sqlalche.me" not in str(blocked)
    assert "switchyard run" in blocked.hint
    assert blocked_by_disk(blocked, tmp_path) is blocked


@pytest.mark.parametrize("err", [OSError(errno.ENOENT, "no such file"), ValueError("a bug"), database_error("locked")])
def test_other_errors_are_left_to_their_own_cause(tmp_path: Path, err: Exception) -> None:
    assert blocked_by_disk(err, tmp_path) is None


def test_a_held_database_is_not_a_broken_one() -> None:
    assert is_locked(database_error("database is locked"))
    assert not is_locked(database_error("database or disk is full"))


def test_a_station_on_a_full_disk_is_begun_again_and_not_recorded_as_failed(tmp_path: Path) -> None:
    def station() -> Pushed:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StateUnwritable):
        answer(station, is_cancelled=lambda: False, state=tmp_path)


def test_a_station_that_breaks_by_itself_is_recorded_as_failed(tmp_path: Path) -> None:
    def station() -> Pushed:
        raise OSError(errno.ENOENT, "no such file")

    assert "no such file" in answer(station, is_cancelled=lambda: False, state=tmp_path)["failed"]
