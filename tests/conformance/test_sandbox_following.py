"""What every sandbox driver promises of commands that go on by themselves, at once, or say a great deal."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sandbox.boxes import MARK, Ground, living
from switchyard_sandbox import BoxId, BoxLost, Chunk, Command, CommandId, Limits

pytestmark = pytest.mark.sandbox
_TALK = "for n in 1 2 3 4 5 6; do echo $n; sleep 0.2; done; echo end >&2; exit 3"
_GROWTH_BYTES = 20 << 20


def start(ground: Ground, box: BoxId, script: str, **options: object) -> CommandId:
    return ground.driver.start(box, Command(("sh", "-c", script), **options))  # type: ignore[arg-type]


class TestAttaching:
    def test_a_command_goes_on_by_itself_and_can_be_followed_twice(self, ground: Ground, box: BoxId) -> None:
        command = start(ground, box, _TALK)
        chunks: list[Chunk] = []
        first = ground.driver.attach(box, command, chunks.append)
        assert (first.exit_code, first.stdout, first.stderr) == (3, b"1\n2\n3\n4\n5\n6\n", b"end\n")
        assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
        again: list[Chunk] = []
        assert ground.driver.attach(box, command, again.append) == first
        assert again == chunks

    def test_what_was_delivered_is_not_delivered_again(self, ground: Ground, box: BoxId) -> None:
        command = start(ground, box, _TALK)
        whole: list[Chunk] = []
        ground.driver.attach(box, command, whole.append)
        rest: list[Chunk] = []
        finished = ground.driver.attach(box, command, rest.append, after=2, capture=False)
        assert rest == whole[2:]
        assert (finished.exit_code, finished.stdout, finished.stderr) == (3, b"", b"")

    def test_commands_are_told_in_the_order_of_their_beginning(self, ground: Ground, box: BoxId) -> None:
        begun = [start(ground, box, f"exit {number}") for number in range(3)]
        assert list(ground.driver.commands(box)) == begun
        assert [ground.driver.attach(box, command).exit_code for command in begun] == [0, 1, 2]
        ground.did(box, "true")
        assert list(ground.driver.commands(box)) == begun

    def test_whoever_is_interrupted_while_following_leaves_the_command_running(
        self, ground: Ground, box: BoxId
    ) -> None:
        command = start(ground, box, _TALK)

        def fail(_: Chunk) -> None:
            raise ValueError("full")

        with pytest.raises(ValueError, match="full"):
            ground.driver.attach(box, command, fail)
        assert ground.driver.attach(box, command).stdout.endswith(b"6\n")

    @pytest.mark.parametrize("command", ["99", "", "../1", "x"])
    def test_a_command_that_was_never_begun_is_lost(self, ground: Ground, box: BoxId, command: str) -> None:
        with pytest.raises(BoxLost):
            ground.driver.attach(box, CommandId(command))

    def test_commands_go_with_their_box(self, ground: Ground, box: BoxId) -> None:
        command = start(ground, box, f"sleep {MARK}")
        ground.driver.destroy(box)
        assert living(MARK) == []
        with pytest.raises(BoxLost):
            ground.driver.attach(box, command)
        with pytest.raises(BoxLost):
            ground.driver.commands(box)

    def test_a_limit_holds_although_nobody_follows(self, ground: Ground, box: BoxId) -> None:
        command = start(ground, box, f"sleep {MARK}", timeout_s=0.5)
        time.sleep(2)
        assert ground.driver.attach(box, command).limit == "timeout"
        assert living(MARK) == []


def test_a_successor_follows_from_where_a_killed_process_was(ground: Ground, box: BoxId, tmp_path: Path) -> None:
    """The first orchestrator writes down how far it came, and is killed with SIGKILL while the command talks."""
    script = "for n in $(seq 40); do echo line-$n; sleep 0.05; done; exit 4"
    noted = tmp_path / "noted"
    pid = os.fork()
    if pid == 0:
        _follow_and_note(ground, box, script, noted)
    while not noted.exists() or len(noted.read_bytes().splitlines()) < 5:
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    lines = noted.read_bytes().splitlines()
    (command,) = ground.driver.commands(box)
    chunks: list[Chunk] = []
    finished = ground.driver.attach(box, command, chunks.append, after=len(lines))
    assert finished.exit_code == 4
    assert finished.stdout == b"".join(b"line-%d\n" % number for number in range(1, 41))
    assert b"".join(lines + [chunk.data.replace(b"\n", b"") for chunk in chunks]) == finished.stdout.replace(b"\n", b"")
    assert chunks[0].sequence == len(lines)


def _follow_and_note(ground: Ground, box: BoxId, script: str, noted: Path) -> None:
    try:
        with noted.open("ab", buffering=0) as file:
            command = start(ground, box, script)
            # One write a chunk, so that the file never holds half of one.
            ground.driver.attach(
                box, command, lambda chunk: file.write(chunk.data.replace(b"\n", b"") + b"\n") and None
            )
    finally:
        os._exit(1)


class TestAtOnce:
    def test_commands_of_one_box_run_at_once_and_see_each_others_files(self, ground: Ground, box: BoxId) -> None:
        waiting = start(ground, box, "until [ -e go ]; do sleep 0.05; done; cat go", timeout_s=60)
        ground.did(box, "echo gone > .go && mv .go go")
        assert ground.driver.attach(box, waiting).stdout == b"gone\n"

    def test_each_has_its_own_output_and_end(self, ground: Ground, box: BoxId) -> None:
        results: dict[int, tuple[int | None, bytes]] = {}

        def work(number: int) -> None:
            finished = ground.run(box, f"for i in 1 2 3 4 5; do echo {number}; sleep 0.05; done; exit {number}")
            results[number] = (finished.exit_code, finished.stdout)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {number: (number, f"{number}\n".encode() * 5) for number in range(6)}

    def test_the_end_of_one_leaves_the_others_running(self, ground: Ground, box: BoxId) -> None:
        waiting = start(ground, box, "until [ -e go ]; do sleep 0.05; done; echo done", timeout_s=60)
        assert ground.run(box, "sleep 60", timeout_s=0.3).limit == "timeout"
        ground.did(box, "touch go")
        assert ground.driver.attach(box, waiting).stdout == b"done\n"

    def test_the_tree_is_not_read_while_a_command_runs(self, ground: Ground, box: BoxId) -> None:
        start(ground, box, "echo half > made; sleep 1.5; echo whole > made")
        while not ground.run(box, "test -e made").ok:
            time.sleep(0.05)
        extraction = ground.extract(box)
        assert ground.listing(extraction.tree)["made"][1] == b"whole\n"


class TestMuchOutput:
    @pytest.mark.slow
    @pytest.mark.parametrize("followed", [False, True], ids=["executed", "followed"])
    def test_a_gigabyte_of_output_takes_no_memory(self, ground: Ground, commit: str, followed: bool) -> None:
        """In a process of its own, whose peak is then told by what this one output took."""
        box = ground.box(ground.spec(commit, limits=Limits(output_mb=1100, disk_mb=4096)))
        pid = os.fork()
        if pid == 0:
            _measure(ground, box, followed)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def test_the_last_line_needs_no_end(self, ground: Ground, box: BoxId) -> None:
        assert ground.run(box, "printf 'no end'; printf 'nor here' >&2").stderr == b"nor here"

    def test_a_large_line_arrives_whole(self, ground: Ground, box: BoxId) -> None:
        finished = ground.run(box, "head -c 5000000 /dev/zero | tr '\\0' x")
        assert finished.stdout == b"x" * 5_000_000

    def test_without_capture_only_the_sink_sees_output(self, ground: Ground, box: BoxId) -> None:
        chunks: list[Chunk] = []
        command = Command(("sh", "-c", "echo out; echo err >&2"), capture=False)
        finished = ground.driver.execute(box, command, chunks.append)
        assert (finished.ok, finished.stdout, finished.stderr) == (True, b"", b"")
        assert sorted((chunk.stream, chunk.data) for chunk in chunks) == [("stderr", b"err\n"), ("stdout", b"out\n")]


def _measure(ground: Ground, box: BoxId, followed: bool) -> None:
    code = 1
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen = 0

        def count(chunk: Chunk) -> None:
            nonlocal seen
            seen += len(chunk.data)

        command = Command(("sh", "-c", "head -c 1073741824 /dev/zero"), capture=False)
        if followed:
            begun = ground.driver.start(box, command)
            finished = ground.driver.attach(box, begun, count, capture=False)
        else:
            finished = ground.driver.execute(box, command, count)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        print(f"{seen} bytes, {growth} bytes more", file=sys.stderr)
        assert finished.ok
        assert not finished.truncated
        assert seen == 1 << 30
        assert growth <= _GROWTH_BYTES
        code = 0
    finally:
        os._exit(code)


def test_the_process_that_starts_boxes_ends_with_us(ground: Ground) -> None:
    """What outlives us are boxes: whatever else a driver has started ends when its user does."""
    commit = ground.commit({"a": "a\n"})
    program = (
        "import os, sys; sys.path.insert(0, 'tests'); from pathlib import Path; from sandbox.boxes import *\n"
        f"driver = DRIVERS[{ground.driver.kind!r}](Path({str(ground.state)!r}))\n"
        f"ground = Ground(Path({str(ground.folder)!r}), driver)\n"
        f"box = driver.create(ground.spec({commit!r}))\n"
        "driver.execute(box, Command(('true',))); driver.destroy(box)\n"
        "print(' '.join(Path(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read_text().split()), flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    children = [int(pid) for pid in done.stdout.split()]
    give_up = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < give_up, children
        time.sleep(0.05)
