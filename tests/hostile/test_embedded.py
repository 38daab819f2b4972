"""The hostile-task catalogue against the embedded sandbox: what a command tries, and what is observed."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox.boxes import Ground, make_ground
from switchyard_sandbox import BoxId, Command, Limits
from switchyard_sandbox.embedded.machine import look

pytestmark = pytest.mark.sandbox
MARK = "4343.25"

_CALL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    ctypes.set_errno(0)
    answer = libc.syscall(*arguments)
    return answer, ctypes.get_errno()
"""


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, "embedded")
    yield made
    made.close()


@pytest.fixture
def box(ground: Ground) -> BoxId:
    return ground.box(ground.spec(ground.commit({"README.md": "hello\n", "dir/x": "x\n"})))


def python(ground: Ground, box: BoxId, code: str) -> str:
    """Run Python in a box; what it printed."""
    finished = ground.driver.execute(box, Command(("python3", "-"), stdin=code.encode()))
    assert finished.ok, finished
    return finished.stdout.decode()


def sleepers() -> int:
    """How many sleeps of the mark's length run on this machine."""
    wanted = b"sleep\0" + MARK.encode()
    count = 0
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += process.read_bytes().startswith(wanted)
        except OSError:
            continue
    return count


@pytest.mark.parametrize(
    "path",
    ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/sys/kernel/uevent_helper",
     "/usr/x", "/etc/passwd", "/bin/sh", "/switchyard/x", "/dev/sda", "/var/lib/switchyard/objects/x", "/x"],
)  # fmt: skip
def test_h01_the_kernels_and_the_systems_files_cannot_be_written(ground: Ground, box: BoxId, path: str) -> None:
    finished = ground.run(box, f"echo x > {path}")
    assert finished.exit_code not in (0, None)


def test_h06_no_socket_of_the_host_is_reachable(ground: Ground, box: BoxId) -> None:
    name = f"\0switchyard-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        code = f"import socket\ntry: socket.socket(socket.AF_UNIX).connect({name!r}); print('in')\n"
        code += "except OSError: print('no')"
        assert python(ground, box, code) == "no\n"
    assert ground.run(box, "ls /var/run/docker.sock /run/docker.sock /run/systemd /run/dbus").exit_code != 0


def test_h07_and_h11_the_dangerous_system_calls_answer_eperm(ground: Ground, box: BoxId) -> None:
    first = ["mount", "unshare", "setns", "ptrace", "io_uring_setup", "bpf", "keyctl", "open_by_handle_at"]
    rest = ["userfaultfd", "perf_event_open", "process_vm_readv", "fsopen", "chroot", "pivot_root"]
    known = {
        "x86_64": (165, 272, 308, 101, 425, 321, 250, 304, 323, 298, 310, 430, 161, 155),
        "aarch64": (40, 97, 268, 117, 425, 280, 219, 265, 282, 241, 270, 430, 51, 41),
    }
    numbers = dict(zip([*first, *rest], known[os.uname().machine], strict=True))
    code = f"{_CALL}\nfor name, number in {numbers!r}.items(): print(name, *call(number, 0, 0, 0, 0, 0))"
    answers = dict(line.split(" ", 1) for line in python(ground, box, code).splitlines())
    assert answers == dict.fromkeys(numbers, "-1 1")


def test_h07_no_new_namespace_by_clone_and_clone3_is_absent(ground: Ground, box: BoxId) -> None:
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    code = f"{_CALL}\nprint(*call({clone}, 0x10000000 | 17, 0, 0, 0, 0)); print(*call(435, 0, 0))"
    assert python(ground, box, code) == "-1 1\n-1 38\n"
    assert ground.run(box, "unshare -Ur true").exit_code != 0
    assert ground.did(
        box, "python3 -c 'import threading; t = threading.Thread(target=print, args=(1,)); t.start(); t.join()'"
    )


def test_h07_vsock_and_alg_sockets_cannot_be_made(ground: Ground, box: BoxId) -> None:
    code = (
        "import socket\nfor family in (40, 38):\n try:\n  socket.socket(family, socket.SOCK_STREAM); print('made')\n"
        " except PermissionError: print('refused')"
    )
    assert python(ground, box, code) == "refused\nrefused\n"


def test_h12_no_secret_of_the_host_is_in_any_environment(
    ground: Ground, box: BoxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_verysecret")
    seen = ground.did(box, "cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; env")
    assert "ghp_verysecret" not in seen
    assert "GITHUB_TOKEN" not in seen
    assert str(Path.home()) not in seen.replace("/home/agent", "")


def test_h13_only_the_standard_descriptors_are_open(ground: Ground, box: BoxId) -> None:
    code = "import os\nfound = sorted(os.listdir('/proc/self/fd'), key=int)\n"
    code += "print([d for d in found if os.path.exists(f'/proc/self/fd/{d}')])"
    assert python(ground, box, code) == "['0', '1', '2']\n"
    assert ground.did(box, "for f in 0 1 2; do readlink /proc/1/fd/$f; done; ls /proc/1/fd | wc -l")


def test_h14_the_hosts_homes_and_other_boxes_are_absent(ground: Ground, box: BoxId) -> None:
    other = ground.box(ground.spec(ground.commit({"secret": "other\n"})))
    for place in (Path.home(), ground.state, ground.repository, ground.state / "boxes" / other):
        assert ground.run(box, f"ls {place}").exit_code != 0
    assert ground.did(box, "ls /home") == "agent\n"
    assert ground.did(box, "ls -A /root /srv /opt /mnt /tmp /run 2>/dev/null | grep -v '^/' | tr -d '\\n'") == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "8.8.8.8"])
def test_h15_no_connection_leaves_the_box(ground: Ground, box: BoxId, address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = (
            f"import socket\ntry:\n socket.create_connection(({address!r}, {port}), timeout=3); print('out')\n"
            "except OSError: print('no')"
        )
        assert python(ground, box, code) == "no\n"


def test_h16_names_cannot_be_resolved_and_datagrams_reach_nobody(ground: Ground, box: BoxId) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.3)
        port = receiver.getsockname()[1]
        code = (
            "import socket\n"
            f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))\n"
            "for a in (('8.8.8.8', 53),):\n"
            " try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', a); print('sent')\n"
            " except OSError: print('no')\n"
            "try: socket.getaddrinfo('example.com', 80); print('resolved')\nexcept OSError: print('no')"
        )
        assert python(ground, box, code) == "no\nno\n"
        with pytest.raises(TimeoutError):
            receiver.recv(10)


def test_h19_host_processes_are_neither_seen_nor_reached(ground: Ground, box: BoxId) -> None:
    victim = subprocess.Popen(["sleep", MARK])
    try:
        code = (
            f"import os\ntry: os.kill({victim.pid}, 9); print('killed')\nexcept ProcessLookupError: print('ESRCH')\n"
            "print(len([p for p in os.listdir('/proc') if p.isdigit()]) < 10)"
        )
        assert python(ground, box, code) == "ESRCH\nTrue\n"
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_h20_set_uid_copies_and_device_nodes_gain_nothing(ground: Ground, box: BoxId) -> None:
    assert ground.did(box, "cp /usr/bin/id me && chmod 6755 me && ./me -u") == "1000\n"
    assert ground.run(box, "mknod dev c 1 1").exit_code != 0
    code = "names = ('Cap', 'NoNewPrivs', 'Seccomp:')\n"
    code += "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(names)])"
    zero = "0000000000000000"
    assert python(ground, box, code) == f"{[zero] * 5 + ['1', '2']}\n"


def test_h20_no_process_of_a_box_is_root_outside(ground: Ground, box: BoxId) -> None:
    seen: list[int] = []

    def watch(_: object) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cmdline").read_bytes().startswith(b"sleep\0" + MARK.encode()):
                    seen.append(process.stat().st_uid)
            except OSError:
                continue

    command = Command(("sh", "-c", f"sleep {MARK} & sleep 0.3; echo x; sleep 0.3"))
    ground.driver.execute(box, command, watch)
    assert seen
    assert 0 not in seen


def test_h21_the_shared_checkout_and_the_mirror_stay_as_they_are(ground: Ground, box: BoxId) -> None:
    before = _fingerprint(ground.state / "checkouts") | _fingerprint(ground.state / "mirror.git")
    ground.run(
        box,
        "chmod -R u+w . /var/lib/switchyard/objects; echo x >> README.md; rm -rf dir .git/index; mv README.md .git/;"
        "rm -rf /var/lib/switchyard/objects/*;"
        "for f in $(find /var/lib/switchyard/objects -type f); do echo x > $f; done",
    )
    assert _fingerprint(ground.state / "checkouts") | _fingerprint(ground.state / "mirror.git") == before


def test_h24_a_fork_bomb_is_held_and_reaped(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), limits=Limits(pids=60)))
    code = (
        "import os, time\ncount = 0\ntry:\n"
        f" while count < 500:\n  if os.fork() == 0: os.execvp('sleep', ['sleep', '{MARK}'])\n  count += 1\n"
        "except OSError: pass\ntime.sleep(0.5)\nprint(count)"
    )
    assert 10 < int(python(ground, box, code)) < 60
    assert sleepers() == 0
    bomb = ground.run(box, "bomb() { bomb | bomb & }; bomb; sleep 2", timeout_s=20)
    assert bomb.duration_s < 20
    assert ground.did(box, "echo alive") == "alive\n"


def test_h25_a_daemon_outlives_neither_its_command_nor_its_killed_supervisor(ground: Ground, box: BoxId) -> None:
    ground.did(box, f"setsid nohup sleep {MARK} >/dev/null 2>&1 & sleep 0.1")
    assert sleepers() == 0


def test_h26_a_memory_hog_is_killed_inside_only(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), limits=Limits(memory_mb=150)))
    code = "kept = []\nfor _ in range(800): kept.append(bytearray(1 << 20))\nprint('survived')"
    finished = ground.driver.execute(box, Command(("python3", "-c", code), timeout_s=60))
    assert b"survived" not in finished.stdout
    assert not finished.ok
    if "memory" in look(ground.state).controllers:
        assert finished.limit == "memory"
    assert ground.did(box, "echo alive") == "alive\n"


def test_h26_memory_spread_over_processes_is_held_too(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), limits=Limits(memory_mb=200)))
    hog = "import time; kept = bytearray(60 << 20); time.sleep(20)"
    script = f"for i in 1 2 3 4 5 6 7 8; do python3 -c '{hog}' & done; wait; echo survived"
    finished = ground.run(box, script, timeout_s=15)
    assert finished.duration_s < 15 or finished.limit in ("memory", "timeout")
    assert finished.limit is not None or b"Killed" in finished.stderr or "memory" in look(ground.state).controllers


@pytest.mark.parametrize(
    "script",
    [
        "head -c 60000000 /dev/zero > big",
        "i=0; while head -c 3000000 /dev/zero > f$i; do i=$((i+1)); sleep 0.02; done",
        "i=0; while : > e$i; do i=$((i+1)); done",
        "head -c 400000000 /dev/zero > /tmp/x",
        "head -c 400000000 /dev/zero > /dev/shm/x",
        "head -c 60000000 /dev/zero > ~/x",
    ],
)
def test_h27_disk_tmpfs_shared_memory_and_inodes_have_a_quota(ground: Ground, script: str) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), limits=Limits(disk_mb=30, memory_mb=300)))
    finished = ground.run(box, script, timeout_s=60)
    assert not finished.ok
    assert finished.limit != "timeout"


def test_h28_endless_output_is_capped_and_the_memory_of_the_supervisor_stays_flat(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), limits=Limits(output_mb=2)))
    finished = ground.run(box, "trap '' TERM; cat /dev/zero", timeout_s=3)
    assert (finished.limit, len(finished.stdout), finished.truncated) == ("timeout", 2 << 20, True)
    assert finished.duration_s < 6


def test_h29_a_silent_hang_ends_with_nothing_left(ground: Ground, box: BoxId) -> None:
    assert ground.run(box, f"trap '' TERM INT HUP; sleep {MARK} & sleep {MARK}", stall_s=0.5).limit == "stall"
    assert sleepers() == 0


def test_h30_there_is_no_terminal_to_type_into(ground: Ground, box: BoxId) -> None:
    code = (
        "import fcntl, os, pty\n"
        "try: os.open('/dev/tty', os.O_RDWR); print('tty')\nexcept OSError: print('none')\n"
        "for master in pty.openpty():\n for request in (0x5412, 0x541C, 0x15412):\n"
        "  try: fcntl.ioctl(master, request, b'x'); print('typed')\n  except OSError as err: print(err.errno)"
    )
    answers = python(ground, box, code).split()
    assert answers[0] == "none"
    assert "typed" not in answers
    assert answers.count("1") >= 4


def test_h33_special_files_do_not_hold_anything_up(ground: Ground, box: BoxId) -> None:
    ground.did(box, "mkfifo a dir/b; ln -s a c")
    began = time.monotonic()
    assert {finding.kind for finding in ground.extract(box).findings} == {"special_file"}
    assert time.monotonic() - began < 5


def test_h34_bombs_meet_a_cap(ground: Ground, box: BoxId) -> None:
    ground.did(box, "truncate -s 1G sparse; mkdir .GIT; : > 'git~1'")
    kinds = {finding.path: finding.kind for finding in ground.extract(box).findings}
    assert kinds == {"sparse": "too_large", ".GIT": "nested_git", "git~1": "nested_git"}


def test_h36_a_killed_orchestrator_leaves_a_box_that_reaping_ends(ground: Ground) -> None:
    commit = ground.commit({"a": "a\n"})
    program = (
        "import sys; from pathlib import Path; from switchyard_sandbox import *\n"
        f"driver = EmbeddedDriver(Path({str(ground.state)!r}))\n"
        f"code = CodeIn(Path({str(ground.repository)!r}), {commit!r}, {commit!r})\n"
        "box = driver.create(BoxSpec(labels={'task': 'lost'}, code=code, allow_degraded=True))\n"
        f"driver.execute(box, Command(('sh', '-c', 'echo started; sleep {MARK}')), lambda chunk: print(flush=True))\n"
    )
    orchestrator = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert orchestrator.stdout is not None
    orchestrator.stdout.readline()
    os.kill(orchestrator.pid, signal.SIGKILL)
    orchestrator.wait()
    orchestrator.stdout.close()
    assert sleepers() == 1
    (lost,) = ground.driver.list()
    assert (lost.state, lost.labels) == ("orphan", {"task": "lost"})
    assert list(ground.driver.reap()) == [lost.id]
    assert sleepers() == 0
    assert list(ground.driver.list()) == []
    assert list((ground.state / "boxes").iterdir()) == []


def test_h36_killing_the_supervisor_takes_the_whole_box_with_it(ground: Ground, box: BoxId) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            ground.run(box, f"setsid sleep {MARK} & sleep {MARK}")
        except Exception as err:
            failures.append(err)

    thread = threading.Thread(target=work)
    thread.start()
    while sleepers() < 2:
        time.sleep(0.02)
    (process,) = (ground.state / "boxes" / box / "exec").glob("*/process.json")
    os.kill(int(process.read_text().split(":")[1].split(",")[0]), signal.SIGKILL)
    thread.join(10)
    give_up = time.monotonic() + 5
    while sleepers() and time.monotonic() < give_up:
        time.sleep(0.02)
    assert sleepers() == 0
    assert len(failures) == 1


def test_no_control_group_is_left_behind(ground: Ground, box: BoxId) -> None:
    ground.did(box, "true")
    ground.run(box, f"sleep {MARK}", timeout_s=0.3)
    ground.driver.destroy(box)
    assert list(Path("/sys/fs/cgroup").glob(f"**/switchyard-{box}*")) == []


def test_the_filter_is_the_one_the_kernel_runs(ground: Ground, box: BoxId) -> None:
    assert ctypes.sizeof(ctypes.c_void_p) == 8
    assert ground.did(box, "grep Seccomp_filters /proc/self/status").split() == ["Seccomp_filters:", "1"]


def _fingerprint(tree: Path) -> dict[str, tuple[int, int, int]]:
    stats = {str(path): path.lstat() for path in tree.rglob("*")}
    return {path: (stat.st_size, stat.st_mtime_ns, stat.st_mode) for path, stat in stats.items()}
