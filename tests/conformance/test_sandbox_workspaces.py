"""What the drivers that write to a place by choice promise of it: on disk, in memory, or a copy."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from sandbox.boxes import MARK, Ground, living
from switchyard_sandbox import BoxId, BoxLost, Command, Limits, SandboxError, SetUp

pytestmark = pytest.mark.sandbox
FILES = {"README.md": "hello\n", "src/app.py": "print('app')\n", "src/deep/x.txt": "x\n"}


@pytest.fixture(params=["disk", "memory", "copy"])
def kind(request: pytest.FixtureRequest, ground: Ground) -> str:
    """A workspace that the driver's own probe says it has."""
    lines = {line.name: line.enforced for line in ground.driver.probe()}
    if not lines.get(f"workspace {request.param}", False):
        pytest.skip(f"the probe says that {ground.driver.kind} has no workspace {request.param} here")
    name: str = request.param
    return name


def box_of(ground: Ground, kind: str, **options: object) -> BoxId:
    return ground.box(ground.spec(ground.commit(FILES), workspace=kind, **options))  # type: ignore[arg-type]


def test_what_one_command_writes_the_next_one_reads_and_extraction_brings_out(ground: Ground, kind: str) -> None:
    box = box_of(ground, kind)
    assert ground.did(box, "git status --porcelain") == ""
    ground.did(box, "echo more >> README.md; echo new > made; rm src/app.py; echo kept > ~/kept")
    assert ground.did(box, "cat README.md made ~/kept; ls src") == "hello\nmore\nnew\nkept\ndeep\n"
    extraction = ground.extract(box)
    assert extraction.changed == ("README.md", "made", "src/app.py")
    assert extraction.findings == ()
    ground.did(box, "echo later > later")
    assert ground.extract(box).changed == ("README.md", "later", "made", "src/app.py")


def test_a_directory_can_be_renamed(ground: Ground, kind: str) -> None:
    box = box_of(ground, kind)
    ground.did(box, "git mv src lib && mv lib/deep lib/deeper && python3 -c \"import os; os.rename('lib', 'bin')\"")
    assert sorted(ground.listing(ground.extract(box).tree)) == ["README.md", "bin/app.py", "bin/deeper/x.txt"]


def test_what_set_up_installed_is_there(ground: Ground, kind: str) -> None:
    setup = SetUp(commands=("mkdir .tools && echo tool > .tools/tool && echo home > ~/home",))
    box = box_of(ground, kind, setup=setup)
    assert ground.did(box, "cat .tools/tool ~/home; git status --porcelain -uno") == "tool\nhome\n"
    assert ground.extract(box).changed == ()


def test_commands_at_once_write_to_one_tree(ground: Ground, kind: str) -> None:
    box = box_of(ground, kind)
    begun = [ground.driver.start(box, Command(("sh", "-c", f"sleep 0.3; echo {n} > made-{n}"))) for n in range(4)]
    assert all(ground.driver.attach(box, command).ok for command in begun)
    assert ground.extract(box).changed == tuple(f"made-{n}" for n in range(4))


def test_more_than_the_disk_limit_is_not_kept(ground: Ground, kind: str) -> None:
    box = box_of(ground, kind, limits=Limits(disk_mb=16))
    finished = ground.run(box, "head -c 15000000 /dev/zero > a; head -c 15000000 /dev/zero > b; sleep 5", timeout_s=20)
    assert finished.limit == "disk" or b"No space left" in finished.stderr


class TestMemory:
    """What is special in memory: it is sized by the kernel, and lost with whoever holds it."""

    @pytest.fixture
    def memory(self, ground: Ground) -> BoxId:
        if ground.driver.kind != "embedded" or os.getuid() != 0:
            pytest.skip("only the embedded driver's memory has a holder of its own, and only root's")
        return box_of(ground, "memory", limits=Limits(disk_mb=16, memory_mb=64))

    def test_the_kernel_itself_refuses_what_is_too_much(self, ground: Ground, memory: BoxId) -> None:
        finished = ground.run(memory, "for n in 1 2 3; do head -c 7000000 /dev/zero > f$n; done; echo went on")
        assert b"No space left on device" in finished.stderr
        assert finished.limit is None

    def test_files_without_content_meet_a_limit_too(self, ground: Ground, memory: BoxId) -> None:
        code = "import itertools\nfor n in itertools.count():\n open(f'f{n}', 'w').close()"
        finished = ground.run(memory, f'python3 -c "{code}"')
        assert finished.exit_code == 1
        assert b"No space left on device" in finished.stderr

    def test_files_do_not_take_the_memory_of_processes(self, ground: Ground, memory: BoxId) -> None:
        script = "head -c 15000000 /dev/zero > big; python3 -c \"x = b'x' * 40_000_000; print(len(x))\""
        assert ground.did(memory, script) == "40000000\n"

    def test_it_is_lost_with_the_boxs_supervisor_and_that_is_told(self, ground: Ground, memory: BoxId) -> None:
        ground.did(memory, "echo x > made")
        kill_supervisor(ground, memory)
        with pytest.raises(BoxLost, match="killed"):
            ground.run(memory, "cat made")


class TestSupervisor:
    """A box whose supervisor was killed: the kernel ends its commands, and what is on disk is still there."""

    @pytest.fixture(autouse=True)
    def _with_one(self, ground: Ground) -> None:
        if ground.driver.kind not in ("embedded", "none"):
            pytest.skip("this driver's boxes have no supervisor on this machine")

    def test_another_is_started_and_nothing_on_disk_is_lost(self, ground: Ground) -> None:
        box = box_of(ground, "disk")
        ground.did(box, "echo x > made")
        for _ in range(3):
            kill_supervisor(ground, box)
            assert ground.did(box, "cat made; echo y >> made").endswith("\n")
        assert ground.extract(box).changed == ("made",)
        assert ground.did(box, "cat made") == "x\ny\ny\ny\n"

    def test_its_commands_end_with_it(self, ground: Ground) -> None:
        box = box_of(ground, "disk")
        command = ground.driver.start(box, Command(("sleep", MARK)))
        while not living(MARK):
            time.sleep(0.02)
        kill_supervisor(ground, box)
        with pytest.raises(SandboxError, match="killed"):
            ground.driver.attach(box, command)
        give_up = time.monotonic() + 10
        while living(MARK) and time.monotonic() < give_up:
            time.sleep(0.02)
        assert living(MARK) == []
        assert ground.did(box, "echo again") == "again\n"


def kill_supervisor(ground: Ground, box: BoxId) -> None:
    """As the kernel would for lack of memory."""
    record = ground.state / "boxes" / box / "process.json"
    pid = int(record.read_text().split(":")[1].split(",")[0])
    assert Path(f"/proc/{pid}").exists()
    os.kill(pid, signal.SIGKILL)
