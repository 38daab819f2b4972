"""Commands of a Daytona box: begun and followed apart, at once, on a terminal; trees brought out of a hostile one."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.daytona.standin import stand_in
from sandbox.boxes import Ground, make_ground
from switchyard_sandbox import (
    BoxId,
    BoxLost,
    Chunk,
    Command,
    CommandId,
    GatewayAccess,
    Limits,
    SandboxError,
    Terminal,
    TerminalSize,
)
from switchyard_sandbox.daytona.collecting import unpack
from switchyard_sandbox.daytona.driver import DaytonaDriver

pytestmark = [pytest.mark.sandbox, pytest.mark.daytona, pytest.mark.slow]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    stand_in().reset()
    made = make_ground(tmp_path, "daytona")
    yield made
    made.close()
    stand_in().check()


@pytest.fixture
def box(ground: Ground) -> BoxId:
    return ground.box(ground.spec(ground.commit({"README.md": "hello\n"})))


def another(ground: Ground) -> DaytonaDriver:
    """A driver that knows only what is on disk, as one of a later process does."""
    return DaytonaDriver(ground.state, api_key="stand-in", api_url=stand_in().url)


class TestFollowing:
    def test_a_command_is_followed_from_where_another_reader_stopped(self, ground: Ground, box: BoxId) -> None:
        command = ground.driver.start(box, Command(("sh", "-c", "echo 1; sleep 0.3; echo 2 >&2; sleep 0.3; echo 3")))
        assert list(another(ground).commands(box)) == [command]
        first: list[Chunk] = []
        whole = another(ground).attach(box, command, first.append)
        rest: list[Chunk] = []
        again = another(ground).attach(box, command, rest.append, after=1)
        assert (whole.stdout, whole.stderr, whole.exit_code) == (b"1\n3\n", b"2\n", 0)
        assert replace(again, duration_s=0) == replace(whole, duration_s=0)
        assert rest == first[1:]

    def test_a_reader_that_walks_away_leaves_the_command_running(self, ground: Ground, box: BoxId) -> None:
        command = ground.driver.start(box, Command(("sh", "-c", "echo 1; sleep 1; echo 2")))

        def leave(_: Chunk) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            ground.driver.attach(box, command, leave)
        assert ground.driver.attach(box, command, capture=True).stdout == b"1\n2\n"

    def test_without_capture_only_the_sink_sees_the_output(self, ground: Ground, box: BoxId) -> None:
        seen: list[bytes] = []
        finished = ground.driver.execute(
            box, Command(("echo", "x"), capture=False), lambda chunk: seen.append(chunk.data)
        )
        assert (finished.stdout, seen) == (b"", [b"x\n"])

    def test_commands_of_one_box_run_at_once(self, ground: Ground, box: BoxId) -> None:
        results: dict[int, bytes] = {}

        def work(number: int) -> None:
            script = f"touch at{number}; until [ -e at{1 - number} ]; do sleep 0.05; done; echo {number}"
            results[number] = ground.run(box, script, timeout_s=30.0).stdout

        threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {0: b"0\n", 1: b"1\n"}

    @pytest.mark.parametrize("name", ["9", "../1", "", "x"])
    def test_a_command_that_nobody_began_is_lost(self, ground: Ground, box: BoxId, name: str) -> None:
        with pytest.raises(BoxLost):
            ground.driver.attach(box, CommandId(name))

    def test_nothing_of_a_command_is_left_in_the_box(self, ground: Ground, box: BoxId) -> None:
        for _ in range(2):
            ground.did(box, "head -c 1000000 /dev/zero")
        assert ground.did(box, "ls ~/.switchyard/exec | wc -l").strip() == "1"
        assert not any(told["sessions"] for told in stand_in().report()["boxes"].values())

    def test_too_many_processes_are_refused_by_the_kernel(self, ground: Ground) -> None:
        box = ground.box(ground.spec(ground.commit({"a": "a\n"}), limits=Limits(pids=40)))
        script = "for i in $(seq 100); do sleep 5 & done 2>/dev/null; wait"
        finished = ground.run(box, script, timeout_s=20.0)
        assert not finished.ok
        assert ground.did(box, "echo on") == "on\n"


class TestTerminals:
    def test_a_command_has_a_terminal_of_its_size(self, ground: Ground, box: BoxId) -> None:
        script = "test -t 0 && stty size; read answer; echo got $answer; pwd; exit 4"
        terminal = ground.driver.open_terminal(box, Command(("sh", "-c", script)), TerminalSize(31, 97))
        said = _until(terminal, b"31 97\r\n")
        assert said == b"31 97\r\n"
        terminal.send(b"hello\r")
        rest = _until(terminal, None)
        assert b"got hello\r\n" in rest
        assert ground.driver.workdir(box).encode() in rest
        finished = terminal.finish()
        assert (finished.exit_code, finished.stdout, finished.stderr) == (4, b"", b"")
        terminal.close()
        terminal.close()

    def test_it_can_be_resized_and_interrupted(self, ground: Ground, box: BoxId) -> None:
        script = "trap 'stty size' WINCH; trap 'echo int; exit 5' INT; echo ready; while :; do sleep 0.1; done"
        terminal = ground.driver.open_terminal(box, Command(("sh", "-c", script)))
        _until(terminal, b"ready")
        terminal.resize(TerminalSize(11, 22))
        _until(terminal, b"11 22")
        terminal.send(b"\x03")
        _until(terminal, b"int")
        assert terminal.finish().exit_code == 5
        terminal.close()

    def test_closing_it_ends_everything(self, ground: Ground, box: BoxId) -> None:
        mark = f"4646.{os.getpid()}"
        terminal = ground.driver.open_terminal(
            box, Command(("sh", "-c", f"setsid sleep {mark} & trap '' HUP TERM; echo ready; sleep {mark}"))
        )
        _until(terminal, b"ready")
        terminal.close()
        assert ground.run(box, f"pgrep -f '[s]leep {mark}'").exit_code == 1

    def test_its_time_is_limited(self, ground: Ground, box: BoxId) -> None:
        terminal = ground.driver.open_terminal(box, Command(("sleep", "60"), timeout_s=1.0))
        assert _until(terminal, None) == b""
        assert terminal.finish().limit == "timeout"
        terminal.close()


class TestHostileTrees:
    def test_a_supervisors_own_records_may_be_forged_and_prove_nothing(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, 'echo "{}" > ~/.switchyard/stamps.json; echo more >> README.md')
        assert ground.extract(box).changed == ("README.md",)

    def test_a_file_of_holes_is_not_carried_out(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, "truncate -s 200M holes; echo x > y")
        extraction = ground.extract(box)
        assert extraction.changed == ("y",)
        assert [(finding.path, finding.kind) for finding in extraction.findings] == [("holes", "too_large")]

    def test_deep_folders_and_closed_ones_stop_nothing(self, ground: Ground, box: BoxId) -> None:
        script = (
            "import os\n"
            "os.mkdir('shut'); open('shut/x', 'w').write('x'); os.chmod('shut', 0)\n"
            "for _ in range(210): os.mkdir('d'); os.chdir('d')\n"
            "open('end', 'w').write('x')\n"
        )
        finished = ground.driver.execute(box, Command(("python3", "-c", script)))
        assert finished.ok, finished
        extraction = ground.extract(box)
        assert extraction.changed == ("shut/x",)
        assert [finding.kind for finding in extraction.findings] == ["too_deep"]

    @pytest.mark.parametrize(
        "records",
        [
            [{"path": "../x", "kind": "file", "size": 1, "executable": False}, b"x"],
            [{"path": "/x", "kind": "file", "size": 1, "executable": False}, b"x"],
            [{"path": "a/../../x", "kind": "file", "size": 1, "executable": False}, b"x"],
            [{"path": ".git/config", "kind": "file", "size": 1, "executable": False}, b"x"],
            [{"path": "a", "kind": "file", "size": 100, "executable": False}, b"short"],
            [{"path": "a", "kind": "file", "size": -1, "executable": False}, b""],
            [{"path": "a", "kind": "socket", "size": 0}, b""],
            [{"path": "a", "kind": "same", "size": 0}, b"", {"path": "a/b", "kind": "file", "size": 1}, b"x"],
            [{"path": "a", "kind": "file", "size": 1}, b"x", {"path": "a", "kind": "same", "size": 0}, b""],
            [{"path": "a", "kind": "file", "size": 1}, b"x", {"path": "a", "kind": "file", "size": 1}, b"y"],
            [{"path": "a", "kind": "link", "size": 4}, b"/etc", {"path": "a/b", "kind": "file", "size": 1}, b"x"],
            [{"path": "a\0b", "kind": "file", "size": 1}, b"x"],
            [{"path": ["a"], "kind": "file", "size": 1}, b"x"],
            [b"no json at all"],
            [b"[" * 5000],
        ],
    )
    def test_a_forged_pack_is_refused_as_a_whole(self, tmp_path: Path, records: list[object]) -> None:
        pack, outside = tmp_path / "pack", tmp_path / "tree"
        parts = [part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n" for part in records]
        pack.write_bytes(b"".join(parts))
        with pytest.raises(SandboxError, match="malformed"):
            unpack(pack, outside)
        assert {place.name for place in tmp_path.iterdir()} <= {"pack", "tree"}
        assert not Path("/etc/b").exists()


class TestWhatACloudCantHave:
    def test_model_endpoints_are_refused_with_what_to_do(self, ground: Ground) -> None:
        spec = replace(
            ground.spec(ground.commit({"a": "a\n"})),
            gateway=GatewayAccess(ground.folder / "socket", {"X": "{gateway}"}),
        )
        with pytest.raises(SandboxError, match="gateway") as caught:
            ground.driver.create(spec)
        assert "embedded" in caught.value.hint
        assert list(ground.driver.list()) == []

    def test_the_probe_names_it(self, ground: Ground) -> None:
        lines = {line.name: line for line in ground.driver.probe()}
        assert lines["isolation"].enforced
        assert not lines["gateway"].enforced
        assert not lines["programs"].enforced
        assert all(line.hint for line in lines.values() if not line.enforced)


def _until(terminal: Terminal, what: bytes | None) -> bytes:
    """What a terminal says up to `what`, or to its end."""
    said, give_up = b"", time.monotonic() + 30
    while what is None or what not in said:
        piece = terminal.receive(1.0)
        if piece == b"":
            assert what is None, said
            return said
        said += piece or b""
        assert time.monotonic() < give_up, said
    return said
