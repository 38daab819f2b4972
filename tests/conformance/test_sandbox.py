"""What every sandbox driver promises of commands, whatever it isolates with."""

from __future__ import annotations

import os
import threading
import time

import pytest
from sandbox.boxes import MARK, Ground, living
from switchyard_sandbox import BoxId, Chunk, Command, SandboxError

pytestmark = pytest.mark.sandbox


class TestCommands:
    def test_an_exit_code_comes_back(self, ground: Ground, box: BoxId) -> None:
        finished = ground.run(box, "exit 7")
        assert (finished.exit_code, finished.signal, finished.limit, finished.ok) == (7, None, None, False)

    def test_a_signal_comes_back_as_a_signal(self, ground: Ground, box: BoxId) -> None:
        finished = ground.run(box, "kill -TERM $$")
        assert (finished.exit_code, finished.signal, finished.limit) == (None, 15, None)

    def test_a_missing_program_answers_as_a_shell_would(self, ground: Ground, box: BoxId) -> None:
        assert ground.driver.execute(box, Command(("no-such-program",))).exit_code == 127

    def test_a_file_that_is_no_program_answers_as_a_shell_would(self, ground: Ground, box: BoxId) -> None:
        assert ground.driver.execute(box, Command(("./README.md",))).exit_code == 126

    def test_output_comes_back_byte_for_byte(self, ground: Ground, box: BoxId) -> None:
        finished = ground.run(box, r"printf '\377\000\n\r no end'; printf '\200' >&2")
        assert finished.stdout == b"\xff\x00\n\r no end"
        assert finished.stderr == b"\x80"

    def test_output_beyond_the_cap_is_dropped_and_said_so(self, ground: Ground, box: BoxId) -> None:
        finished = ground.run(box, "head -c 70000000 /dev/zero; echo end >&2")
        assert len(finished.stdout) == 64 << 20
        assert (finished.exit_code, finished.stderr, finished.truncated) == (0, b"end\n", True)

    def test_chunks_arrive_in_order_while_the_command_runs(self, ground: Ground, box: BoxId) -> None:
        chunks: list[Chunk] = []
        times: list[float] = []

        def take(chunk: Chunk) -> None:
            chunks.append(chunk)
            times.append(time.monotonic())

        script = "echo one; sleep 0.4; echo two >&2; sleep 0.4; echo three"
        ground.driver.execute(box, Command(("sh", "-c", script)), take)
        assert [(chunk.stream, chunk.data) for chunk in chunks] == [
            ("stdout", b"one\n"),
            ("stderr", b"two\n"),
            ("stdout", b"three\n"),
        ]
        assert [chunk.sequence for chunk in chunks] == [0, 1, 2]
        assert times[2] - times[0] > 0.5

    def test_a_sink_that_fails_ends_the_command(self, ground: Ground, box: BoxId) -> None:
        def fail(_: Chunk) -> None:
            raise ValueError("full")

        with pytest.raises(ValueError, match="full"):
            ground.driver.execute(box, Command(("sh", "-c", f"echo x; sleep {MARK}")), fail)
        assert living(MARK) == []

    def test_standard_input_is_given_and_ends(self, ground: Ground, box: BoxId) -> None:
        data = os.urandom(300_000)
        assert ground.driver.execute(box, Command(("cat",), stdin=data)).stdout == data

    def test_without_input_reading_ends_at_once(self, ground: Ground, box: BoxId) -> None:
        assert ground.driver.execute(box, Command(("cat",))).stdout == b""

    def test_a_command_starts_in_the_work_tree_or_where_it_is_told(self, ground: Ground, box: BoxId) -> None:
        assert ground.did(box, "cat README.md") == "hello\n"
        assert ground.run(box, "cat x.txt", cwd="/workspace/src/deep").stdout == b"x\n"

    def test_the_work_tree_has_a_path_that_commands_can_use(self, ground: Ground, box: BoxId) -> None:
        workdir = ground.driver.workdir(box)
        assert ground.driver.execute(box, Command(("cat", f"{workdir}/README.md"))).stdout == b"hello\n"
        assert ground.did(box, "pwd").strip() == workdir

    def test_a_missing_cwd_is_an_error_of_the_caller(self, ground: Ground, box: BoxId) -> None:
        with pytest.raises(SandboxError) as caught:
            ground.run(box, "true", cwd="/workspace/nowhere")
        assert "nowhere" in str(caught.value)

    def test_nothing_of_the_hosts_environment_is_seen(
        self, ground: Ground, commit: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET_TOKEN", "hunter2")
        box = ground.box(ground.spec(commit, env={"FROM_SPEC": "1", "BOTH": "spec"}))
        finished = ground.driver.execute(box, Command(("env",), env={"FROM_COMMAND": "ü\n2", "BOTH": "command"}))
        names = {line.split("=")[0] for line in finished.stdout.decode().splitlines() if "=" in line}
        own = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TERM"}
        assert names - {"PWD", "TMPDIR"} == {*own, "FROM_SPEC", "FROM_COMMAND", "BOTH"}
        assert "BOTH=command" in finished.stdout.decode()
        assert "FROM_COMMAND=ü\n2" in finished.stdout.decode()

    @pytest.mark.parametrize("env", [{"A": "x\0--ro-bind\0/etc\0/tmp/etc"}, {"A\0B": "x"}, {"A=B": "x"}, {"": "x"}])
    def test_variables_that_no_process_can_be_given_make_no_box(
        self, ground: Ground, commit: str, env: dict[str, str]
    ) -> None:
        with pytest.raises(SandboxError) as caught:
            ground.box(ground.spec(commit, env=env))
        assert "variable" in str(caught.value)
        assert ground.driver.list() == []

    def test_arguments_arrive_unchanged(self, ground: Ground, box: BoxId) -> None:
        words = ("", " ", "a'b\"c", "-n", "$HOME", "*", "line\nbreak", "ü\udcff")
        finished = ground.driver.execute(box, Command(("printf", "%s\\0", *words)))
        assert finished.stdout.split(b"\0")[:-1] == [word.encode("utf-8", "surrogateescape") for word in words]

    @pytest.mark.parametrize("argv", [(), ("a\0b",)])
    def test_a_command_no_process_can_have_is_refused(self, ground: Ground, box: BoxId, argv: tuple[str, ...]) -> None:
        with pytest.raises(SandboxError):
            ground.driver.execute(box, Command(argv))

    def test_the_next_command_finds_what_the_last_one_left(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, 'echo kept > made.txt; echo kept > "$HOME/made.txt"')
        assert ground.did(box, 'cat made.txt "$HOME/made.txt"') == "kept\nkept\n"

    def test_commands_of_different_boxes_run_at_once(self, ground: Ground, commit: str) -> None:
        boxes = [ground.box(ground.spec(commit)) for _ in range(4)]
        results: dict[BoxId, bytes] = {}

        def work(box: BoxId) -> None:
            results[box] = ground.run(box, f"echo {box} > who; sleep 0.5; cat who").stdout

        threads = [threading.Thread(target=work, args=(box,)) for box in boxes]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {box: f"{box}\n".encode() for box in boxes}
        assert time.monotonic() - began < 1.9
