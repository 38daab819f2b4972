"""A command that wants to stay: daemons, silence, ignored signals, an orchestrator or a supervisor that is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sandbox.boxes import Ground, make_ground
from switchyard_sandbox import BoxId, Command, SandboxError

from hostile.attacks import ISOLATING, MARK, orchestrator, sleepers

pytestmark = pytest.mark.sandbox

_EXECUTE = "driver.execute(box, command, lambda chunk: print(box, flush=True))"
_START = "driver.start(box, command); print(box, flush=True); time.sleep(60)"


def eventually(holds: Callable[[], bool], within_s: float = 15.0) -> bool:
    give_up = time.monotonic() + within_s
    while not holds() and time.monotonic() < give_up:
        time.sleep(0.02)
    return holds()


def kill_orchestrator(ground: Ground, script: str, act: str) -> BoxId:
    """Have a process of its own make a box and run a script in it, and kill it with SIGKILL; its box."""
    argv = [sys.executable, "-c", orchestrator(ground, script, act)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    box = BoxId(process.stdout.readline().strip())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    ground.boxes.append(box)
    return box


@pytest.mark.parametrize(
    "script",
    [
        f"setsid nohup sleep {MARK} >/dev/null 2>&1 & sleep 0.1",
        f"(trap '' TERM INT HUP; setsid sh -c '(sleep {MARK} &) &') & sleep 0.2",
        f"python3 -c 'import ctypes, os; os.fork() and os._exit(0); os.setsid(); ctypes.CDLL(None).prctl(1, 0);"
        f'os.fork() and os._exit(0); os.execvp("sleep", ["sleep", "{MARK}"])\' & sleep 0.3',
        f"sleep {MARK} & kill -STOP $!; sleep 0.1",
    ],
    ids=["setsid", "orphans", "no death signal", "stopped"],
)
def test_h25_a_daemon_does_not_outlive_its_command(ground: Ground, box: BoxId, script: str) -> None:
    ground.run(box, script, timeout_s=20)
    assert eventually(lambda: sleepers() == [], 5)


def test_h25_a_daemon_does_not_keep_its_commands_end_from_being_told(ground: Ground, box: BoxId) -> None:
    began = time.monotonic()
    finished = ground.run(box, f"sleep {MARK} & echo done", timeout_s=60)
    assert (finished.exit_code, finished.stdout) == (0, b"done\n")
    assert time.monotonic() - began < 30
    assert sleepers() == []


def test_h25_games_with_the_boxs_first_process_end_nothing_but_the_box(ground: Ground, box: BoxId) -> None:
    ground.run(box, f"sleep {MARK} & kill -STOP 1; kill -9 1; kill -9 -1; sleep 1", timeout_s=10)
    assert eventually(lambda: sleepers() == [], 5)
    assert ground.did(box, "echo alive") == "alive\n"


def test_h29_a_silent_hang_ends_with_nothing_left(ground: Ground, box: BoxId) -> None:
    assert ground.run(box, f"trap '' TERM INT HUP; sleep {MARK} & sleep {MARK}", stall_s=0.5).limit == "stall"
    assert sleepers() == []


def test_h29_waiting_for_input_ends_at_once(ground: Ground, box: BoxId) -> None:
    finished = ground.run(box, "cat; read x; read y < /dev/tty; echo end", timeout_s=10)
    assert (finished.limit, finished.stdout) == (None, b"end\n")


def test_h29_a_box_that_removes_all_it_can_ends_in_time_and_is_removed(ground: Ground, box: BoxId) -> None:
    began = time.monotonic()
    with contextlib.suppress(SandboxError):
        ground.run(box, f"rm -rf /* ~/.[a-z]* /tmp/.[a-zA-Z]* 2>/dev/null; sleep {MARK}", timeout_s=5)
    assert time.monotonic() - began < 60
    ground.driver.destroy(box)
    assert eventually(lambda: sleepers() == [])
    assert list(ground.driver.list()) == []


def test_h29_a_box_past_its_time_ends_without_anybody(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), ttl_s=3.0))
    ground.driver.start(box, Command(("sh", "-c", f"trap '' TERM HUP; sleep {MARK}")))
    assert eventually(lambda: len(sleepers()) == 1, 3)
    assert eventually(lambda: sleepers() == [])


def test_h36_a_killed_orchestrator_leaves_a_box_that_reaping_ends(ground: Ground) -> None:
    lost = kill_orchestrator(ground, f"echo started; sleep {MARK}", _EXECUTE)
    assert len(sleepers()) == 1
    (found,) = ground.driver.list()
    assert (found.id, found.state, found.labels) == (lost, "orphan", {"task": "lost"})
    assert list(ground.driver.reap()) == [lost]
    assert eventually(lambda: sleepers() == [], 5)
    assert list(ground.driver.list()) == []


def test_h36_a_successor_follows_what_a_killed_orchestrator_began(ground: Ground) -> None:
    lost = kill_orchestrator(ground, "echo one; sleep 2; echo two; exit 7", _START)
    (command,) = ground.driver.commands(lost)
    finished = ground.driver.attach(lost, command)
    assert (finished.exit_code, finished.stdout) == (7, b"one\ntwo\n")


@pytest.fixture
def embedded(tmp_path: Path) -> Ground:
    return make_ground(tmp_path, "embedded")


def supervisor_of(pid: int) -> int:
    """The process above one of a box that supervises it."""
    while pid > 1:
        status = Path(f"/proc/{pid}/status").read_text()
        pid = int(status.partition("PPid:")[2].split()[0])
        if b"spawner.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("nobody supervises it")


def supervised(ground: Ground) -> tuple[BoxId, int]:
    """A box with a command that ignores signals, and its supervisor."""
    box = ground.box(ground.spec(ground.commit({"a": "a\n"})))
    ground.driver.start(box, Command(("sh", "-c", f"trap '' TERM HUP; setsid sleep {MARK} & sleep {MARK}")))
    assert eventually(lambda: len(sleepers()) == 2)
    return box, supervisor_of(sleepers()[0])


def test_h36_killing_the_supervisor_takes_the_whole_box_with_it(embedded: Ground) -> None:
    box, supervisor = supervised(embedded)
    os.kill(supervisor, signal.SIGKILL)
    assert eventually(lambda: sleepers() == [], 5)
    embedded.driver.destroy(box)
    assert list(embedded.driver.list()) == []


def test_h36_a_supervisor_that_is_stopped_keeps_nobody_from_destroying_its_box(embedded: Ground) -> None:
    box, supervisor = supervised(embedded)
    os.kill(supervisor, signal.SIGSTOP)
    embedded.driver.destroy(box)
    assert eventually(lambda: sleepers() == [], 10)
    assert list(embedded.driver.list()) == []


def test_h36_whoever_follows_a_command_is_told_that_its_supervisor_was_killed(embedded: Ground) -> None:
    failures: list[Exception] = []
    box = embedded.box(embedded.spec(embedded.commit({"a": "a\n"})))

    def work() -> None:
        try:
            embedded.run(box, f"sleep {MARK}")
        except Exception as err:
            failures.append(err)

    thread = threading.Thread(target=work)
    thread.start()
    assert eventually(lambda: len(sleepers()) == 1)
    os.kill(supervisor_of(sleepers()[0]), signal.SIGKILL)
    thread.join(20)
    embedded.close()
    assert len(failures) == 1


def test_h24_no_control_group_is_left_behind(embedded: Ground) -> None:
    box = embedded.box(embedded.spec(embedded.commit({"a": "a\n"})))
    embedded.did(box, "true")
    embedded.run(box, f"sleep {MARK}", timeout_s=0.3)
    embedded.driver.destroy(box)
    assert list(Path("/sys/fs/cgroup").glob(f"**/switchyard-{box}*")) == []


def test_every_isolating_driver_is_tried() -> None:
    assert "embedded" in ISOLATING
    assert "none" not in ISOLATING
