"""The Daytona driver when the service falters, on a stand-in that falters as asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from daytona import Daytona, DaytonaConfig
from fakes.daytona.standin import StandIn, stand_in
from sandbox.boxes import Ground, make_ground
from switchyard_sandbox import BadCode, BoxId, BoxLost, BoxSpec, Chunk, CodeIn, Command, SandboxError
from switchyard_sandbox.daytona.driver import DaytonaDriver

pytestmark = [pytest.mark.sandbox, pytest.mark.daytona, pytest.mark.slow]
LOGS = "GET /process/session/{session}/command/{command}/logs"
EXEC = "POST /process/session/{session}/exec"


@pytest.fixture
def service() -> Iterator[StandIn]:
    service = stand_in()
    service.reset()
    yield service
    service.check()
    service.reset()


@pytest.fixture
def ground(service: StandIn, tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, "daytona")
    yield made
    service.reset()
    made.close()


@pytest.fixture
def box(ground: Ground) -> BoxId:
    return ground.box(ground.spec(ground.commit({"README.md": "hello\n"})))


def living(mark: str) -> list[Path]:
    return [place for place in Path("/proc").glob("[0-9]*/cmdline") if _words(place)[:2] == [b"sleep", mark.encode()]]


def _words(place: Path) -> list[bytes]:
    try:
        return place.read_bytes().split(b"\0")
    except OSError:
        return []


class TestTheLog:
    @pytest.mark.parametrize("after", [0, 1, 2, 3000, 20000])
    def test_a_dropped_connection_loses_and_repeats_nothing(
        self, ground: Ground, service: StandIn, box: BoxId, after: int
    ) -> None:
        service.fail(LOGS, "drop", after=after)
        chunks: list[Chunk] = []
        script = "seq 1 3000; sleep 0.2; seq 3001 6000 >&2; sleep 0.2; seq 6001 9000"
        finished = ground.driver.execute(box, Command(("sh", "-c", script)), chunks.append)
        said = b"".join(chunk.data for chunk in chunks)
        assert said == b"".join(b"%d\n" % number for number in range(1, 9001))
        assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
        assert (finished.exit_code, len(finished.stdout) + len(finished.stderr)) == (0, len(said))

    def test_a_connection_that_breaks_again_and_again_is_given_up_only_without_progress(
        self, ground: Ground, service: StandIn, box: BoxId
    ) -> None:
        service.fail(LOGS, "drop", after=0, times=4)
        assert ground.did(box, "echo through") == "through\n"

    def test_a_start_whose_answer_got_lost_is_no_second_start(
        self, ground: Ground, service: StandIn, box: BoxId
    ) -> None:
        service.fail(EXEC, "late", status=502)
        assert ground.did(box, "echo once >> log; sleep 0.3; cat log") == "once\n"

    def test_bytes_that_look_like_the_logs_own_marks_arrive(self, ground: Ground, box: BoxId) -> None:
        script = r"printf '\001\001\001\002\002\002\000\001\001\n\n\002'; printf '\002\002\002' >&2"
        finished = ground.run(box, script)
        assert finished.stdout == b"\x01\x01\x01\x02\x02\x02\x00\x01\x01\n\n\x02"
        assert finished.stderr == b"\x02\x02\x02"

    def test_much_output_reaches_the_sink_whole(self, ground: Ground, box: BoxId) -> None:
        sizes: list[int] = []
        command = Command(("head", "-c", "40000000", "/dev/zero"), capture=False)
        finished = ground.driver.execute(box, command, lambda chunk: sizes.append(len(chunk.data)))
        assert (sum(sizes), finished.stdout, finished.truncated) == (40_000_000, b"", False)


class TestTheSupervisor:
    def test_a_command_that_kills_it_leaves_nothing_running(self, ground: Ground, box: BoxId) -> None:
        mark = f"4343.{os.getpid()}"
        with pytest.raises(SandboxError, match="was killed"):
            ground.run(box, f"setsid sleep {mark} & kill -9 $PPID; sleep {mark}")
        assert living(mark) == []
        assert ground.did(box, "echo on") == "on\n"

    @pytest.mark.nightly
    def test_one_that_is_stopped_ends_with_everything_else_in_time(self, ground: Ground, box: BoxId) -> None:
        # The command's time ends with the box's: nobody in the box is left to see to that.
        mark = f"4444.{os.getpid()}"
        began = time.monotonic()
        with pytest.raises(SandboxError):
            ground.run(box, f"kill -STOP $PPID; sleep {mark}", timeout_s=1.0)
        assert time.monotonic() - began < 120
        assert living(mark) == []

    def test_limits_hold_although_nobody_is_left_outside(self, ground: Ground, box: BoxId, tmp_path: Path) -> None:
        mark = f"4545.{os.getpid()}"
        program = (
            "import sys, pathlib\n"
            "from switchyard_sandbox import BoxId, Command\n"
            "from switchyard_sandbox.daytona.driver import DaytonaDriver\n"
            "driver = DaytonaDriver(pathlib.Path(sys.argv[1]), api_key='stand-in', api_url=sys.argv[2])\n"
            f"driver.execute(BoxId(sys.argv[3]), Command(('sleep', '{mark}'), timeout_s=4.0))\n"
        )
        argv = (sys.executable, "-c", program, str(ground.state), stand_in().url, box)
        dying = subprocess.Popen(argv)
        _until(lambda: bool(living(mark)))
        dying.send_signal(signal.SIGKILL)
        dying.wait()
        [command] = ground.driver.commands(box)
        finished = ground.driver.attach(box, command)
        assert (finished.limit, living(mark)) == ("timeout", [])


class TestTheService:
    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_a_passing_fault_is_waited_out(self, ground: Ground, service: StandIn, status: int) -> None:
        commit = ground.commit({"a": "a\n"})
        for route in ("POST /sandbox", "POST /files/bulk-upload", "POST /process/execute", EXEC):
            service.fail(route, "status", status=status)
        box = ground.box(ground.spec(commit))
        assert ground.did(box, "cat a") == "a\n"
        assert len(service.report()["boxes"]) == 1

    def test_a_box_whose_answer_got_lost_is_found_by_its_label(self, ground: Ground, service: StandIn) -> None:
        commit = ground.commit({"a": "a\n"})
        service.fail("POST /sandbox", "late", status=504)
        box = ground.box(ground.spec(commit))
        assert len(service.report()["boxes"]) == 1
        assert ground.did(box, "cat a") == "a\n"

    def test_a_box_that_takes_long_to_start_is_waited_for(self, ground: Ground, service: StandIn) -> None:
        service.fail("POST /sandbox", "creating", delay_s=2.5)
        assert ground.did(ground.box(ground.spec(ground.commit({"a": "a\n"}))), "cat a") == "a\n"

    def test_a_service_that_stays_down_is_an_error_and_leaves_no_box(self, ground: Ground, service: StandIn) -> None:
        commit = ground.commit({"a": "a\n"})
        service.fail("POST /files/bulk-upload", "status", status=503, times=100)
        with pytest.raises(SandboxError, match="asked for by the test") as caught:
            ground.driver.create(ground.spec(commit))
        assert caught.value.hint
        assert (list(ground.driver.list()), service.report()["boxes"]) == ([], {})

    def test_a_wrong_key_is_named_and_never_shown(self, ground: Ground, service: StandIn) -> None:
        driver = DaytonaDriver(ground.state, api_key="wr0ng-key", api_url=service.url)
        with pytest.raises(SandboxError, match="refused the key") as caught:
            driver.create(ground.spec(ground.commit({"a": "a\n"})))
        assert "DAYTONA_API_KEY" in caught.value.hint
        assert "wr0ng-key" not in f"{caught.value} {caught.value.__cause__!r} {driver!r}"
        assert [line.enforced for line in driver.probe()] == [False]
        assert not [
            place for place in ground.state.rglob("*") if place.is_file() and b"wr0ng-key" in place.read_bytes()
        ]

    def test_without_a_key_nothing_is_asked(self, ground: Ground, service: StandIn) -> None:
        driver = DaytonaDriver(ground.folder / "other", api_key="", api_url=service.url)
        assert [(line.enforced, "DAYTONA_API_KEY" in line.hint) for line in driver.probe()] == [(False, True)]
        assert (list(driver.list()), list(driver.reap())) == ([], [])
        assert service.report()["spans"] == []

    def test_a_box_that_the_service_removed_is_lost(self, ground: Ground, service: StandIn, box: BoxId) -> None:
        _remove_all(service)
        with pytest.raises(BoxLost):
            ground.run(box, "true")
        with pytest.raises(BoxLost):
            ground.extract(box)
        assert [info.state for info in ground.driver.list()] == ["orphan"]
        assert list(ground.driver.reap()) == [box]
        assert list(ground.driver.list()) == []

    def test_one_that_is_removed_under_a_command_is_lost(self, ground: Ground, service: StandIn, box: BoxId) -> None:
        lost: list[BaseException] = []

        def work() -> None:
            try:
                ground.run(box, "sleep 60")
            except BoxLost as err:
                lost.append(err)

        thread = threading.Thread(target=work)
        thread.start()
        _until(
            lambda: bool(service.report()["boxes"]) and any(b["sessions"] for b in service.report()["boxes"].values())
        )
        _remove_all(service)
        thread.join(60)
        assert len(lost) == 1


class TestOrphans:
    def test_a_box_that_no_journal_knows_is_listed_and_reaped(
        self, ground: Ground, service: StandIn, box: BoxId
    ) -> None:
        (ground.state / "boxes" / box).rename(ground.folder / "lost-entry")
        assert [(info.id, info.state, info.labels["task"]) for info in ground.driver.list()] == [(box, "orphan", "t1")]
        assert list(ground.driver.list({"task": "other"})) == []
        assert list(ground.driver.reap()) == [box]
        assert service.report()["boxes"] == {}

    def test_boxes_of_another_state_folder_are_left_alone(self, ground: Ground, box: BoxId, tmp_path: Path) -> None:
        (tmp_path / "second").mkdir()
        second = make_ground(tmp_path / "second", "daytona")
        other = second.box(second.spec(second.commit({"a": "a\n"})))
        assert list(ground.driver.reap()) == []
        assert [info.id for info in second.driver.list()] == [other]
        assert second.did(other, "cat a") == "a\n"
        second.close()

    def test_a_box_of_which_only_the_label_is_left_is_destroyed(
        self, ground: Ground, service: StandIn, box: BoxId
    ) -> None:
        (ground.state / "boxes" / box / "remote.json").unlink()
        fresh = DaytonaDriver(ground.state, api_key="stand-in", api_url=service.url)
        fresh.destroy(box)
        assert service.report()["boxes"] == {}

    def test_labels_life_and_network_are_the_services_too(self, ground: Ground, service: StandIn) -> None:
        ground.box(ground.spec(ground.commit({"a": "a\n"}), ttl_s=600, network=("example.org", "example.net")))
        [told] = service.report()["boxes"].values()
        asked = told["asked"]
        assert asked["labels"].items() >= {"run": "r1", "task": "t1", "attempt": "1", "role": "agent"}.items()
        assert asked["ttlMinutes"] >= 10
        assert asked["autoStopInterval"] > asked["ttlMinutes"]
        assert asked["autoDeleteInterval"] > 0
        assert (asked["networkBlockAll"], asked["domainAllowList"]) == (False, "example.org,example.net")
        assert asked.get("env", {}) == {}

    def test_without_hosts_the_network_is_blocked(self, ground: Ground, service: StandIn, box: BoxId) -> None:
        [told] = service.report()["boxes"].values()
        assert told["asked"]["networkBlockAll"] is True
        assert "domainAllowList" not in told["asked"]


class TestCodeByClone:
    def test_the_anchor_is_cloned_and_the_rest_is_sent(self, ground: Ground, service: StandIn) -> None:
        anchor = ground.commit({"a": "a\n", ".gitattributes": "*.bat eol=crlf\n", "x.bat": "1\n"})
        later = ground.commit({"b": "b\n"})
        remote = f"https://example.com{ground.repository}"
        box = ground.box(_with_code(ground, CodeIn(ground.repository, later, anchor, remote=remote)))
        assert ground.did(box, "git rev-parse HEAD; git remote -v; git status --porcelain; cat b x.bat") == (
            f"{later}\nb\n1\r\n"
        )
        [told] = service.report()["boxes"].values()
        assert (told["asked"]["networkBlockAll"], told["asked"].get("domainAllowList")) == (True, None)
        assert ground.extract(box).changed == ()

    def test_a_commit_that_is_not_on_the_remote_is_named(
        self, ground: Ground, service: StandIn, tmp_path: Path
    ) -> None:
        anchor = ground.commit({"a": "a\n"})
        spec = _with_code(ground, CodeIn(ground.repository, anchor, anchor, remote="https://example.com/nowhere"))
        with pytest.raises(SandboxError, match="nowhere"):
            ground.driver.create(spec)
        assert service.report()["boxes"] == {}

    @pytest.mark.parametrize("remote", ["https://user:pass@example.com/x", "ssh://example.com/x", "ext::sh -c id"])
    def test_no_address_with_a_credential_or_of_another_kind_goes_in(self, ground: Ground, remote: str) -> None:
        commit = ground.commit({"a": "a\n"})
        with pytest.raises(BadCode) as caught:
            ground.driver.create(_with_code(ground, CodeIn(ground.repository, commit, commit, remote=remote)))
        assert "pass" not in str(caught.value)
        assert list(ground.driver.list()) == []


def _with_code(ground: Ground, code: CodeIn) -> BoxSpec:
    return replace(ground.spec(code.commit), code=code)


def _remove_all(service: StandIn) -> None:
    for sandbox in Daytona(DaytonaConfig(api_key="stand-in", api_url=service.url, target="here")).list():
        sandbox.delete()


def _until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)
