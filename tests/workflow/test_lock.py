"""One orchestrator at a time; its lock dies with it, however it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from switchyard.workflow.lock import OrchestratorRunning, orchestrator_lock

HOLDER = """
import subprocess, sys, time
from pathlib import Path
from switchyard.workflow.lock import orchestrator_lock
with orchestrator_lock(Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    print(child.pid, flush=True)
    time.sleep(60)
"""


def hold(state: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that holds the lock and has a child of its own."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(state)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


def test_a_second_holder_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    holder, child = hold(tmp_path / "state")
    try:
        with pytest.raises(OrchestratorRunning) as caught, orchestrator_lock(tmp_path / "state"):
            pytest.fail("two hold the lock")
        assert caught.value.pid == holder.pid
        assert str(holder.pid) in str(caught.value) and str(tmp_path / "state") in str(caught.value)
        assert (caught.value.kind, caught.value.exit_code) == ("orchestrator_running", 1)
        assert caught.value.hint
    finally:
        end(holder, child)


def test_a_killed_holder_leaves_the_lock_free_though_its_child_lives_on(tmp_path: Path) -> None:
    holder, child = hold(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    try:
        os.kill(child, 0)
        with orchestrator_lock(tmp_path):
            assert (tmp_path / "lock").read_text() == str(os.getpid())
    finally:
        end(holder, child)


def test_the_lock_is_free_again_after_its_holder_and_after_an_error_in_it(tmp_path: Path) -> None:
    with orchestrator_lock(tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), orchestrator_lock(tmp_path):
        raise ZeroDivisionError
    with orchestrator_lock(tmp_path):
        pass


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with orchestrator_lock(tmp_path), pytest.raises(OrchestratorRunning) as caught, orchestrator_lock(tmp_path):
        pytest.fail("two hold the lock")
    assert caught.value.pid == os.getpid()


def test_repositories_do_not_lock_one_another(tmp_path: Path) -> None:
    with orchestrator_lock(tmp_path / "one"), orchestrator_lock(tmp_path / "two"):
        pass


@pytest.mark.parametrize("left", ["", "garbage", "99999999999999999999999", "\xb2"])
def test_a_holder_whose_id_cannot_be_read_is_another_process(tmp_path: Path, left: str) -> None:
    with orchestrator_lock(tmp_path):
        (tmp_path / "lock").write_text(left, encoding="latin-1")
        with pytest.raises(OrchestratorRunning, match="process") as caught, orchestrator_lock(tmp_path):
            pytest.fail("two hold the lock")
        assert caught.value.hint


def end(holder: subprocess.Popen[str], child: int) -> None:
    holder.kill()
    holder.wait()
    if holder.stdout is not None:
        holder.stdout.close()
    os.kill(child, signal.SIGKILL)
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]:
            return
        time.sleep(0.02)
