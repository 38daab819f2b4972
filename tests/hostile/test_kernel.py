"""A command that goes for the kernel: its files, its dangerous calls, other processes, more privileges."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from sandbox.boxes import Ground
from switchyard_sandbox import BoxId, Chunk, Command

from hostile.attacks import CALL, MARK, python, sleepers

pytestmark = pytest.mark.sandbox

_NUMBERS = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "move_mount": (429, 429),
    "mount_setattr": (442, 442),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "memfd_secret": (447, 447),
    "syslog": (103, 116),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "clock_settime": (227, 112),
    "acct": (163, 89),
    "quotactl": (179, 60),
}
"""By processor: x86_64, aarch64."""
_UNKNOWN = {"docker": ("open_tree_attr",)}
"""Calls that an engine can't refuse: it takes them by name, and its library is older than they are."""
_COLUMN = ("x86_64", "aarch64").index(os.uname().machine)

_WRITE_EVERY_SETTING = """
import os
written = []
for folder, _, names in os.walk('/proc/sys'):
    for name in names:
        place = os.path.join(folder, name)
        try:
            with open(place) as file: value = file.read()
            descriptor = os.open(place, os.O_WRONLY)
        except (OSError, ValueError):
            continue
        # The value that is there already: a kernel that lets us write loses nothing.
        try:
            os.write(descriptor, value.encode())
            written.append(place)
        except OSError:
            pass
        os.close(descriptor)
print(written)
"""

_HIDDEN = (
    "kallsyms",
    "kcore",
    "keys",
    "modules",
    "timer_list",
    "sched_debug",
    "kmsg",
    "kpagecount",
    "slabinfo",
    "vmallocinfo",
    "scsi",
)


@pytest.mark.parametrize(
    "path",
    ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/sys/kernel/uevent_helper",
     "/proc/irq/default_smp_affinity", "/sys/power/state", "/sys/fs/cgroup/cgroup.procs", "/proc/1/oom_score_adj_x"],
)  # fmt: skip
def test_h01_the_kernels_files_cannot_be_opened_for_writing(ground: Ground, box: BoxId, path: str) -> None:
    code = f"import os\ntry: os.open({path!r}, os.O_WRONLY); print('open')\nexcept OSError: print('refused')"
    assert python(ground, box, code) == "refused\n"


def test_h01_no_setting_of_the_kernel_can_be_written(ground: Ground, box: BoxId) -> None:
    assert python(ground, box, _WRITE_EVERY_SETTING) == "[]\n"


@pytest.mark.parametrize("name", _HIDDEN)
def test_h01_what_tells_of_the_kernels_memory_is_hidden(ground: Ground, box: BoxId, name: str) -> None:
    code = (
        "import os\n"
        f"place = '/proc/{name}'\n"
        "try: print(len(os.listdir(place)) if os.path.isdir(place) else len(open(place, 'rb').read(64)))\n"
        "except OSError: print(0)"
    )
    assert python(ground, box, code) == "0\n"


def test_h07_and_h11_the_dangerous_system_calls_answer_eperm(ground: Ground, box: BoxId) -> None:
    numbers = {
        name: pair[_COLUMN] for name, pair in _NUMBERS.items() if name not in _UNKNOWN.get(ground.driver.kind, ())
    }
    code = f"{CALL}\nfor name, number in {numbers!r}.items(): print(name, *call(number, 0, 0, 0, 0, 0))"
    answers = dict(line.split(" ", 1) for line in python(ground, box, code).splitlines())
    # A call that is newer than an engine's filter knows is not there at all.
    assert {name: answer for name, answer in answers.items() if answer not in ("-1 1", "-1 38")} == {}
    assert list(answers) == list(numbers)
    assert answers["ptrace"] == answers["mount"] == answers["bpf"] == "-1 1"


def test_h07_no_new_namespace_by_clone_and_clone3_is_absent(ground: Ground, box: BoxId) -> None:
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    spaces = (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000)
    code = f"{CALL}\nprint({{call({clone}, space | 17, 0, 0, 0, 0) for space in {spaces}}}, call(435, 0, 0))"
    assert python(ground, box, code) == "{(-1, 1)} (-1, 38)\n"
    assert ground.run(box, "unshare -Ur true").exit_code != 0
    assert ground.did(
        box, "python3 -c 'import threading; t = threading.Thread(target=print, args=(1,)); t.start(); t.join()'"
    )


def test_h07_only_ordinary_families_of_sockets_can_be_made(ground: Ground, box: BoxId) -> None:
    code = (
        "import errno, socket\nanswers = set()\n"
        "for family in set(range(64)) - {1, 2, 10, 16}:\n"
        " for kind in (1, 2, 3, 5):\n"
        "  try: socket.socket(family, kind).close(); answers.add(family)\n"
        # Not "there is no such family": that would be said before a module for it is looked for.
        "  except OSError as err: answers.add(errno.errorcode[err.errno])\n"
        "print(answers)"
    )
    assert python(ground, box, code) == "{'EPERM'}\n"


def test_h11_the_filter_cannot_be_got_around_by_another_calling_convention(ground: Ground, box: BoxId) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("only x86_64 has the x32 numbers")
    code = f"{CALL}\nprint(call(0x40000000 | 101, 0, 0, 0, 0), call(0x40000000 | 521, 0, 0, 0, 0))"
    finished = ground.run(box, "exec python3 -", stdin=code.encode())
    # Either they answer an error, or whoever calls them is ended.
    assert finished.signal == signal.SIGSYS or (finished.ok and b"(0," not in finished.stdout)


def test_h19_host_processes_are_neither_seen_nor_reached(ground: Ground, box: BoxId) -> None:
    victim = subprocess.Popen(["sleep", MARK])
    try:
        code = (
            f"import glob, os\ntry: os.kill({victim.pid}, 9); print('killed')\n"
            "except (ProcessLookupError, PermissionError): print('no')\n"
            "lines = [open(place, 'rb').read() for place in glob.glob('/proc/[0-9]*/cmdline')]\n"
            f"print(len(lines) < 16, [line for line in lines if {MARK!r}.encode() in line.split(b'\\0')])"
        )
        assert python(ground, box, code) == "no\nTrue []\n"
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_h19_a_signal_to_everybody_reaches_the_box_alone(ground: Ground, box: BoxId) -> None:
    victim = subprocess.Popen(["sleep", MARK])
    try:
        ground.run(box, "kill -9 -1; sleep 1", timeout_s=10)
        assert victim.poll() is None
        assert ground.did(box, "echo alive") == "alive\n"
    finally:
        victim.kill()
        victim.wait()


def test_h20_set_uid_copies_and_device_nodes_gain_nothing(ground: Ground, box: BoxId) -> None:
    own = ground.did(box, "id -u").strip()
    assert own != "0"
    assert ground.did(box, "cp /usr/bin/id me && chmod 6755 me && ./me -u").strip() == own
    assert ground.run(box, "mknod dev c 1 1").exit_code != 0
    code = "names = ('Cap', 'NoNewPrivs', 'Seccomp:')\n"
    code += "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(names)])"
    zero = "0000000000000000"
    assert python(ground, box, code) == f"{[zero] * 5 + ['1', '2']}\n"


def test_h20_no_process_of_a_box_is_root_outside(ground: Ground, box: BoxId) -> None:
    seen: set[int] = set()

    def watch(_: Chunk) -> None:
        seen.update(os.stat(f"/proc/{pid}").st_uid for pid in sleepers())  # noqa: PTH116

    ground.driver.execute(box, Command(("sh", "-c", f"sleep {MARK} & sleep 0.5; echo x; sleep 0.5")), watch)
    assert seen
    assert 0 not in seen
