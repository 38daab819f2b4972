"""What every sandbox driver promises, whatever it isolates with."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox.boxes import DRIVERS, Ground, make_ground
from switchyard_sandbox import (
    BadCode,
    BoxId,
    BoxLost,
    Chunk,
    Command,
    Limits,
    SandboxError,
    SetUp,
    SetUpFailed,
)

pytestmark = pytest.mark.sandbox
MARK = f"4242.{os.getpid()}"
# Each worker sleeps for a time of its own, so that none takes another's processes for its own.
"""A sleep of just that length, so that what is left of a box can be told in the list of processes."""


@pytest.fixture(params=sorted(DRIVERS))
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, request.param)
    yield made
    made.close()


@pytest.fixture
def commit(ground: Ground) -> str:
    return ground.commit({"README.md": "hello\n", "src/app.py": "print('app')\n", "src/deep/x.txt": "x\n"})


@pytest.fixture
def box(ground: Ground, commit: str) -> BoxId:
    return ground.box(ground.spec(commit))


def living(mark: str) -> list[str]:
    """Commands on this machine that sleep for just that long."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", mark.encode()]:
            found.append(str(process))
    return found


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


class TestLimits:
    def test_the_total_timer_kills_every_descendant(self, ground: Ground, box: BoxId) -> None:
        script = f"trap '' TERM; (setsid sleep {MARK} &) ; sleep {MARK}"
        finished = ground.run(box, script, timeout_s=0.7)
        assert finished.limit == "timeout"
        assert not finished.ok
        assert finished.duration_s < 3
        assert living(MARK) == []

    def test_silence_ends_a_command_and_output_does_not(self, ground: Ground, box: BoxId) -> None:
        assert ground.run(box, f"echo x; sleep {MARK}", stall_s=0.6).limit == "stall"
        talking = ground.run(box, "for i in 1 2 3 4 5; do echo $i; sleep 0.3; done", stall_s=1.2)
        assert (talking.limit, talking.exit_code) == (None, 0)

    def test_a_daemon_does_not_outlive_its_command(self, ground: Ground, box: BoxId) -> None:
        began = time.monotonic()
        assert ground.did(box, f"(setsid sleep {MARK} >/dev/null 2>&1 &); (sleep {MARK} &); echo done") == "done\n"
        assert time.monotonic() - began < 5
        assert living(MARK) == []

    def test_a_box_past_its_ttl_ends_by_itself(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit, ttl_s=1.5))
        finished = ground.run(box, f"sleep {MARK}")
        assert finished.limit == "timeout"
        assert finished.duration_s < 4

    def test_the_disk_quota_ends_who_goes_on_writing(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit, limits=Limits(disk_mb=20)))
        script = "i=0; while :; do head -c 4000000 /dev/zero > f$i || exit 9; i=$((i+1)); sleep 0.05; done"
        assert ground.run(box, script, timeout_s=30).limit == "disk"


class TestFiles:
    def test_what_is_put_stands_beside_the_work_tree(self, ground: Ground, box: BoxId) -> None:
        path = ground.driver.put(box, "notes/prompt.md", "Grüße\n".encode())
        assert ground.driver.execute(box, Command(("cat", path))).stdout == "Grüße\n".encode()
        program = ground.driver.put(box, "run.sh", b"#!/bin/sh\necho ran\n", mode=0o755)
        assert ground.driver.execute(box, Command((program,))).stdout == b"ran\n"
        assert ground.extract(box).changed == ()

    @pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a//b", "x\0y"])
    def test_a_name_that_leads_elsewhere_is_refused(self, ground: Ground, box: BoxId, name: str) -> None:
        with pytest.raises(SandboxError):
            ground.driver.put(box, name, b"")

    def test_the_box_is_a_clean_checkout_of_the_commit(self, ground: Ground, box: BoxId, commit: str) -> None:
        assert ground.did(box, "git rev-parse HEAD").strip() == commit
        assert ground.did(box, "git status --porcelain") == ""
        assert ground.did(box, "git remote -v") == ""

    def test_a_later_commit_is_laid_over_the_anchors_checkout(self, ground: Ground, commit: str) -> None:
        later = ground.commit({"README.md": "later\n", "new/file.txt": "new\n", "src/app.py": None})
        box = ground.box(ground.spec(later, anchor=commit))
        assert ground.did(box, "git rev-parse HEAD; git status --porcelain; cat README.md new/file.txt; ls src") == (
            f"{later}\nlater\nnew\ndeep\n"
        )
        assert ground.extract(box).changed == ()

    def test_an_unrelated_commit_can_lie_over_the_anchor(self, ground: Ground, commit: str) -> None:
        ground.git("checkout", "--quiet", "--orphan", "other")
        ground.git("rm", "--quiet", "-rf", ".")
        other = ground.commit({"only.txt": "x\n"})
        box = ground.box(ground.spec(other, anchor=commit))
        assert ground.did(box, "ls; git status --porcelain") == "only.txt\n"

    def test_commits_can_be_made_inside(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, "echo x > y && git add -A && git commit -qm inside && git log --oneline | wc -l")
        assert ground.extract(box).changed == ("y",)

    def test_a_directory_can_be_renamed(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, "git mv src lib && python3 -c \"import os; os.rename('lib/deep', 'lib/deeper')\"")
        tree = ground.extract(box).tree
        assert sorted(ground.listing(tree)) == ["README.md", "lib/app.py", "lib/deeper/x.txt"]

    def test_line_endings_of_the_checkout_follow_the_attributes(self, ground: Ground) -> None:
        commit = ground.commit({".gitattributes": "*.bat text eol=crlf\n", "run.bat": "one\ntwo\n"})
        assert ground.did(ground.box(ground.spec(commit)), "cat run.bat") == "one\r\ntwo\r\n"

    def test_a_submodule_is_an_empty_folder_and_stays_as_it_was(self, ground: Ground, commit: str) -> None:
        ground.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/sub")
        ground.git("commit", "--quiet", "--message", "submodule")
        box = ground.box(ground.spec(ground.git("rev-parse", "HEAD").strip()))
        ground.did(box, "ls vendor/sub; echo x > README.md")
        extraction = ground.extract(box)
        assert extraction.changed == ("README.md",)
        assert ground.listing(extraction.tree)["vendor/sub"] == ("160000", commit.encode())

    @pytest.mark.parametrize("missing", ["commit", "anchor"])
    def test_a_commit_that_is_not_there_is_named(self, ground: Ground, commit: str, missing: str) -> None:
        nowhere = "0123456789" * 4
        spec = ground.spec(nowhere, anchor=commit) if missing == "commit" else ground.spec(commit, anchor=nowhere)
        with pytest.raises(BadCode, match=nowhere):
            ground.driver.create(spec)
        assert list(ground.driver.list()) == []


class TestLife:
    def test_labels_find_a_box_again(self, ground: Ground, commit: str) -> None:
        one = ground.box(ground.spec(commit, labels={"run": "a", "task": "x"}))
        two = ground.box(ground.spec(commit, labels={"run": "a", "task": "y"}))
        assert {info.id for info in ground.driver.list({"run": "a"})} == {one, two}
        assert [info.id for info in ground.driver.list({"run": "a", "task": "y"})] == [two]
        assert list(ground.driver.list({"run": "b"})) == []

    def test_a_running_box_says_so(self, ground: Ground, box: BoxId) -> None:
        states = []

        def look(_: Chunk) -> None:
            states.extend(info.state for info in ground.driver.list())

        ground.driver.execute(box, Command(("sh", "-c", "echo x; sleep 0.2")), look)
        assert states == ["running"]
        assert [info.state for info in ground.driver.list()] == ["idle"]

    def test_a_destroyed_box_is_gone_and_destroying_it_again_is_no_error(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, "mkdir -p deny/inner && touch deny/inner/x && chmod 000 deny/inner deny")
        ground.driver.destroy(box)
        ground.driver.destroy(box)
        assert list(ground.driver.list()) == []
        assert list((ground.state / "boxes").iterdir()) == []
        ground.await_empty("trash")
        for use in (
            lambda: ground.driver.execute(box, Command(("true",))),
            lambda: ground.driver.put(box, "x", b""),
            lambda: ground.driver.workdir(box),
            lambda: ground.driver.extract(box, ground.quarantine),
        ):
            with pytest.raises(BoxLost):
                use()

    def test_ids_that_nobody_gave_out_are_lost_boxes(self, ground: Ground) -> None:
        for name in ("box-0", "../../etc", ""):
            with pytest.raises(BoxLost):
                ground.driver.execute(BoxId(name), Command(("true",)))
            ground.driver.destroy(BoxId(name))

    def test_destroying_a_running_box_kills_all_of_it(self, ground: Ground, box: BoxId) -> None:
        lost: list[BaseException] = []

        def work() -> None:
            try:
                ground.run(box, f"sleep {MARK}")
            except BoxLost as err:
                lost.append(err)

        thread = threading.Thread(target=work)
        thread.start()
        while not living(MARK):
            time.sleep(0.02)
        ground.driver.destroy(box)
        thread.join(10)
        assert living(MARK) == []
        assert len(lost) == 1

    def test_the_shared_checkout_is_never_written(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        ground.did(box, "echo changed > README.md; rm -r src; git commit -qam changed")
        other = ground.box(ground.spec(commit))
        assert ground.did(other, "cat README.md src/app.py; git log --oneline | wc -l") == ("hello\nprint('app')\n1\n")

    def test_reaping_leaves_what_is_alive_and_takes_what_is_past_its_time(self, ground: Ground, commit: str) -> None:
        alive = ground.box(ground.spec(commit))
        old = ground.box(ground.spec(commit, ttl_s=0.0))
        kept = ground.box(ground.spec(commit, ttl_s=0.0))
        assert list(ground.driver.reap(keep=frozenset({kept}))) == [old]
        assert {info.id for info in ground.driver.list()} == {alive, kept}


class TestSetUp:
    def test_what_it_installs_is_there_without_network_and_not_in_the_result(self, ground: Ground) -> None:
        commit = ground.commit({"requirements.txt": "x\n", "src/a.py": "a\n"})
        script = "mkdir -p .tools src/made && echo tool > .tools/tool && echo m > src/made/m && echo home > ~/home.txt"
        spec = ground.spec(commit, setup=SetUp(commands=(script, "cat .tools/tool >> .tools/log")))
        box = ground.box(spec)
        assert ground.did(box, "cat .tools/tool .tools/log src/made/m ~/home.txt") == "tool\ntool\nm\nhome\n"
        assert ground.extract(box).changed == ()
        ground.did(box, "echo b >> src/a.py; echo n > src/made/n")
        assert ground.extract(box).changed == ("src/a.py", "src/made/n")

    def test_it_runs_once_for_all_boxes_of_an_anchor(self, ground: Ground) -> None:
        commit = ground.commit({"a": "a\n"})
        later = ground.commit({"a": "b\n"})
        setup = SetUp(commands=("date +%s%N > stamp",))
        first, second = (ground.box(ground.spec(one, anchor=commit, setup=setup)) for one in (commit, later))
        assert ground.did(first, "cat stamp") == ground.did(second, "cat stamp")
        assert ground.did(second, "cat a") == "b\n"

    def test_what_it_did_to_tracked_files_is_not_kept(self, ground: Ground) -> None:
        commit = ground.commit({"lock.json": "{}\n", "dir/one": "1\n", "dir/two": "2\n"})
        script = (
            "echo changed > lock.json; rm -r dir; mkdir dir; echo x > dir/product; mv lock.json moved; ln -s / dir/up"
        )
        box = ground.box(ground.spec(commit, setup=SetUp(commands=(script,))))
        assert ground.did(box, "git status --porcelain -uno; cat lock.json dir/one dir/two dir/product moved") == (
            "{}\n1\n2\nx\nchanged\n"
        )
        assert ground.extract(box).changed == ()

    def test_a_failure_tells_the_command_and_its_output_and_keeps_nothing(self, ground: Ground) -> None:
        commit = ground.commit({"a": "a\n"})
        with pytest.raises(SetUpFailed) as caught:
            ground.driver.create(ground.spec(commit, setup=SetUp(commands=("true", "echo broken; exit 3"))))
        assert caught.value.command == "echo broken; exit 3"
        assert "broken" in caught.value.output
        assert list(ground.driver.list()) == []
        assert [place for place in (ground.state / "layers").iterdir() if place.is_dir()] == []
