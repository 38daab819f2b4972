"""A command that takes all it can get: processes, memory, disk, output, processor time, descriptors."""

from __future__ import annotations

import tracemalloc

import pytest
from sandbox.boxes import Ground
from switchyard_sandbox import BoxId, Command, Limits

from hostile.attacks import MARK, can_hold, python, sleepers

pytestmark = pytest.mark.sandbox

_HELD_WITHOUT_NAME = """
import os, time
held = []
for number in range(40):
    held.append(os.open('gone', os.O_RDWR | os.O_CREAT))
    os.unlink('gone')
    os.write(held[-1], bytes(6 << 20))
time.sleep(6)
print('kept')
"""
_MAPPED_WITHOUT_NAME = """
import mmap, os, time
held = []
for number in range(40):
    descriptor = os.open('gone', os.O_RDWR | os.O_CREAT)
    os.unlink('gone')
    os.write(descriptor, bytes(6 << 20))
    held.append(mmap.mmap(descriptor, 6 << 20))
    os.close(descriptor)
time.sleep(6)
print('kept')
"""
_MEMORY_FILES = """
import os, time
held = [os.memfd_create('x') for _ in range(40)]
for descriptor in held:
    os.write(descriptor, bytes(8 << 20))
time.sleep(6)
print('kept')
"""
_SHARED_MEMORY = """
import mmap, time
held = [mmap.mmap(-1, 8 << 20) for _ in range(40)]
for one in held:
    one.write(bytes(8 << 20))
time.sleep(6)
print('kept')
"""


def small(ground: Ground, **limits: object) -> BoxId:
    """A box with some limits set low."""
    return ground.box(ground.spec(ground.commit({"a": "a"}), limits=Limits(**limits)))  # type: ignore[arg-type]


def test_h24_a_fork_bomb_is_held_and_reaped(ground: Ground) -> None:
    box = small(ground, pids=60)
    code = (
        "import os, time\ncount = 0\ntry:\n"
        f" while count < 500:\n  if os.fork() == 0: os.execvp('sleep', ['sleep', '{MARK}'])\n  count += 1\n"
        "except OSError: pass\ntime.sleep(0.5)\nprint(count)"
    )
    assert 10 < int(python(ground, box, code)) < 60
    assert sleepers() == []


def test_h24_processes_that_flee_their_parents_are_held_too(ground: Ground) -> None:
    box = small(ground, pids=60)
    code = (
        "import os, time\nmade = 0\n"
        "for _ in range(400):\n"
        " try: pid = os.fork()\n except OSError: break\n"
        " if pid == 0:\n"
        "  os.setsid()\n"
        "  try:\n"
        f"   if os.fork() == 0: os.execvp('sleep', ['sleep', '{MARK}'])\n"
        "  finally: os._exit(0)\n"
        " os.waitpid(pid, 0)\n made += 1\n"
        "print(len([one for one in os.listdir('/proc') if one.isdigit()]))"
    )
    assert int(python(ground, box, code)) <= 62
    assert sleepers() == []


def test_h24_a_box_lives_on_after_a_fork_bomb(ground: Ground) -> None:
    box = small(ground, pids=60)
    bomb = ground.run(box, "bomb() { bomb | bomb & }; bomb; sleep 2", timeout_s=20)
    assert bomb.duration_s < 20
    assert ground.did(box, "echo alive") == "alive\n"


def test_h26_a_memory_hog_is_killed_inside_only(ground: Ground) -> None:
    box = small(ground, memory_mb=150)
    code = "kept = []\nfor _ in range(400): kept.append(bytearray(1 << 20))\nprint('survived')"
    finished = ground.driver.execute(box, Command(("python3", "-c", code), timeout_s=60))
    assert b"survived" not in finished.stdout
    assert not finished.ok
    if can_hold(ground, "memory"):
        assert finished.limit == "memory"
    assert ground.did(box, "echo alive") == "alive\n"


def test_h26_memory_spread_over_processes_is_held_too(ground: Ground) -> None:
    box = small(ground, memory_mb=200)
    hog = "import time; kept = bytearray(60 << 20); time.sleep(3); print(1)"
    finished = ground.run(box, f"for i in 1 2 3 4 5 6 7 8; do python3 -c '{hog}' & done; wait", timeout_s=30)
    assert finished.stdout.count(b"1") < 8
    assert ground.did(box, "echo alive") == "alive\n"


@pytest.mark.parametrize("code", [_MEMORY_FILES, _SHARED_MEMORY], ids=["memory files", "shared memory"])
def test_h26_memory_that_belongs_to_no_process_is_held_too(ground: Ground, code: str) -> None:
    box = small(ground, memory_mb=150)
    finished = ground.driver.execute(box, Command(("python3", "-c", code), timeout_s=40))
    assert finished.stdout == b""
    assert finished.limit == "memory"


def test_h26_files_in_memory_end_the_command_and_never_count_as_a_failed_start(ground: Ground) -> None:
    box = small(ground, memory_mb=64)
    fill = "head -c 500000000 /dev/zero >"
    finished = ground.run(box, f"echo forged >&2; {fill} /dev/shm/x; {fill} /tmp/x; {fill} /run/x; false", timeout_s=60)
    assert finished.stderr.startswith(b"forged\n")
    assert not finished.ok
    if ground.driver.kind == "embedded" and can_hold(ground, "memory"):
        assert finished.limit == "memory"
    assert ground.did(box, "echo alive") == "alive\n"


@pytest.mark.parametrize(
    "script",
    [
        "head -c 60000000 /dev/zero > big",
        "for i in $(seq 40); do head -c 3000000 /dev/zero > f$i || exit 1; done; sleep 4",
        "for i in $(seq 20000); do : > e$i || exit 1; done; sleep 4",
        "head -c 400000000 /dev/zero > /tmp/x",
        "head -c 400000000 /dev/zero > /dev/shm/x",
        "head -c 60000000 /dev/zero > ~/x",
        "mkdir d; cd d; for i in $(seq 1500); do mkdir d; cd d; head -c 100000 /dev/zero > f || exit 1; done; sleep 4",
    ],
    ids=["one file", "many files", "inodes", "tmp", "shm", "home", "depth"],
)
def test_h27_disk_tmpfs_shared_memory_and_inodes_have_a_quota(ground: Ground, script: str) -> None:
    box = small(ground, disk_mb=30, memory_mb=300)
    finished = ground.run(box, script, timeout_s=60)
    assert not finished.ok
    assert finished.limit != "timeout"


def test_h27_what_lies_in_a_folder_that_nobody_may_list_counts(ground: Ground) -> None:
    limits, commit = Limits(disk_mb=30, memory_mb=300), ground.commit({"a": "a"})
    box = ground.box(ground.spec(commit, limits=limits, workspace="copy"))
    fill = "for i in $(seq 40); do head -c 3000000 /dev/zero > d/f$i || exit 1; done"
    finished = ground.run(box, f"mkdir d; chmod 333 d; {fill}; sleep 4", timeout_s=60)
    assert finished.limit == "disk"


@pytest.mark.parametrize("code", [_HELD_WITHOUT_NAME, _MAPPED_WITHOUT_NAME], ids=["open", "mapped"])
def test_h27_files_without_a_name_count(ground: Ground, code: str) -> None:
    box = small(ground, disk_mb=30, memory_mb=600)
    finished = ground.driver.execute(box, Command(("python3", "-c", code), timeout_s=40))
    assert finished.stdout == b""
    assert finished.limit != "timeout"


def test_h28_endless_output_without_a_newline_is_capped_and_ends_at_the_timeout(ground: Ground) -> None:
    box = small(ground, output_mb=2)
    finished = ground.run(box, "trap '' TERM; head -c 60000000 /dev/zero; sleep 60", timeout_s=4)
    assert (finished.limit, len(finished.stdout), finished.truncated) == ("timeout", 2 << 20, True)
    assert finished.duration_s < 8


def test_h28_output_nobody_keeps_takes_no_memory(ground: Ground) -> None:
    box = small(ground, output_mb=64)
    seen = 0

    def count(chunk: object) -> None:
        nonlocal seen
        seen += len(chunk.data)  # type: ignore[attr-defined]

    tracemalloc.start()
    command = Command(("head", "-c", str(60 << 20), "/dev/zero"), capture=False, timeout_s=60)
    finished = ground.driver.execute(box, command, count)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (finished.exit_code, finished.stdout, seen) == (0, b"", 60 << 20)
    assert peak < 20 << 20


def test_h28_closing_output_and_going_on_hides_nothing(ground: Ground, box: BoxId) -> None:
    finished = ground.run(box, f"exec >&- 2>&-; trap '' TERM HUP; sleep {MARK}", timeout_s=1)
    assert finished.limit == "timeout"
    assert sleepers() == []


def test_h38_a_busy_box_gets_its_share_of_the_processors_alone(ground: Ground) -> None:
    box = small(ground, cpus=0.1)
    code = (
        "import os, time\n"
        "for _ in range(3):\n"
        " if os.fork() == 0:\n"
        "  while True: pass\n"
        "began = time.monotonic()\nwhile time.monotonic() - began < 3: pass\n"
        "children = [int(open(f'/proc/{p}/stat').read().rsplit(')', 1)[1].split()[11]) for p in os.listdir('/proc')"
        " if p.isdigit() and int(p) > 1]\n"
        "print(sum(children) / os.sysconf('SC_CLK_TCK') / (time.monotonic() - began))"
    )
    share = float(python(ground, box, code))
    # Daytona's boxes have whole processors.
    has_part = ground.driver.kind != "daytona" and can_hold(ground, "cpus")
    assert share < (0.2 if has_part else 1.25)
