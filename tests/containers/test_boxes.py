"""What a Docker engine's boxes are made of, and how journal and engine are held against each other."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound
from sandbox.boxes import DOCKER, Ground, make_ground
from switchyard_sandbox import BadCode, BoxId, BoxLost, Command, IsolationUnavailable, Limits, SetUp
from switchyard_sandbox.contract import WorkspaceKind
from switchyard_sandbox.docker.client import Client, connect
from switchyard_sandbox.docker.container import STATE, state_name
from switchyard_sandbox.docker.driver import DockerDriver
from switchyard_sandbox.docker.images import BASE, NODE_BASE, build, prune_setups, resolve
from switchyard_sandbox.embedded.procfs import resident_bytes
from switchyard_sandbox.survey import REQUEST

needs_engine = pytest.mark.skipif(not DOCKER, reason="no Docker engine to test with: run `make test-docker`")


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with closing(make_ground(tmp_path, "docker")) as made:
        yield made


@pytest.fixture
def client() -> Iterator[Client]:
    with connect(DOCKER) as made:
        yield made


@pytest.fixture
def commit(ground: Ground) -> str:
    return ground.commit({"a.txt": "a\n", "deep/b.txt": "b\n"})


def inspect(client: Client, box: BoxId) -> dict[str, Any]:
    return dict(client.sdk.api.inspect_container(f"switchyard-{box}"))


def volumes(client: Client, ground: Ground) -> list[str]:
    label = f"{STATE}={state_name(ground.state)}"
    return [volume.name for volume in client.sdk.volumes.list(filters={"label": label})]


class TestWithoutEngine:
    def test_it_says_what_is_missing_and_runs_nothing(self, tmp_path: Path) -> None:
        driver = DockerDriver(tmp_path / "state", base_url=f"unix://{tmp_path}/no.sock")
        (line,) = driver.probe()
        assert (line.name, line.enforced) == ("isolation", False)
        assert "no.sock" in line.how
        assert "DOCKER_HOST" in line.hint
        assert list(driver.list()) == []

    def test_an_engine_on_another_machine_is_refused(self, tmp_path: Path) -> None:
        driver = DockerDriver(tmp_path / "state", base_url="tcp://198.51.100.1:2375")
        (line,) = driver.probe()
        assert "198.51.100.1" in line.how
        assert "unix://" in line.hint


@needs_engine
class TestContainers:
    def test_a_box_is_a_container_without_rights(self, ground: Ground, client: Client, commit: str) -> None:
        limits = Limits(cpus=1.5, memory_mb=300, pids=77)
        box = ground.box(ground.spec(commit, limits=limits))
        about = inspect(client, box)
        host, config = about["HostConfig"], about["Config"]
        assert (host["NetworkMode"], host["ReadonlyRootfs"], host["Privileged"]) == ("none", True, False)
        assert (host["CapDrop"], host["CapAdd"], host["IpcMode"], host["PidMode"]) == (["ALL"], None, "private", "")
        assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (300 << 20, 300 << 20, 77)
        assert host["NanoCpus"] == 1_500_000_000
        assert "no-new-privileges" in host["SecurityOpt"]
        assert config["User"] == "65534:65534"
        assert config["Labels"]["switchyard.label.task"] == "t1"
        writable = {mount["Destination"] for mount in about["Mounts"] if mount["RW"]}
        assert writable == {"/workspace", "/home/agent"}
        assert not any("docker.sock" in mount["Source"] for mount in about["Mounts"])

    def test_the_image_cannot_be_written(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        script = "for place in /usr /etc /opt /var /switchyard /var/lib; do touch $place/x && echo $place; done"
        assert ground.run(box, script).stdout == b""

    def test_a_box_in_memory_holds_its_size_and_comes_out_the_same(self, ground: Ground, commit: str) -> None:
        box = ground.box(replace(ground.spec(commit, limits=Limits(disk_mb=20)), workspace="memory"))
        ground.did(box, "echo c > c.txt; rm a.txt; ln -s c.txt link; mkfifo pipe; ln c.txt hard; chmod 000 deep/b.txt")
        extraction = ground.extract(box)
        assert extraction.changed == ("a.txt", "c.txt", "hard", "link")
        assert [(finding.path, finding.kind) for finding in extraction.findings] == [("pipe", "special_file")]
        assert ground.run(box, "head -c 40000000 /dev/zero > big").limit == "disk"

    def test_a_box_in_memory_has_what_set_up_installed(self, ground: Ground, commit: str) -> None:
        setup = SetUp(commands=("mkdir tool && echo t > tool/t && echo h > ~/h",))
        box = ground.box(replace(ground.spec(commit, setup=setup), workspace="memory"))
        assert ground.did(box, "cat tool/t ~/h; git status --porcelain -uno") == "t\nh\n"
        assert ground.extract(box).changed == ()

    def test_a_tracked_file_that_is_made_what_set_up_had_made_is_a_change(self, ground: Ground, commit: str) -> None:
        setup = SetUp(commands=("echo made > generated",))
        later = ground.commit({"generated": "tracked\n"})
        box = ground.box(replace(ground.spec(later, anchor=commit, setup=setup), workspace="memory"))
        assert ground.did(box, "cat generated; echo made > generated") == "tracked\n"
        assert ground.extract(box).changed == ("generated",)

    def test_set_up_is_a_layer_of_an_image_and_made_again_when_it_is_gone(
        self, ground: Ground, client: Client, commit: str
    ) -> None:
        setup = SetUp(commands=("date +%s%N > stamp",))
        first = ground.box(ground.spec(commit, setup=setup))
        name = inspect(client, first)["Config"]["Image"]
        layer = client.sdk.images.get(name)
        assert any(tag.startswith("switchyard-setup:") for tag in layer.tags)
        stamp = ground.did(first, "cat stamp")
        ground.driver.destroy(first)
        client.sdk.images.remove(layer.tags[0], force=True)
        assert ground.did(ground.box(ground.spec(commit, setup=setup)), "cat stamp") == stamp

    def test_an_old_image_of_set_up_is_pruned_unless_a_box_stands_on_it(
        self, ground: Ground, client: Client, commit: str
    ) -> None:
        box = ground.box(ground.spec(commit, setup=SetUp(commands=("echo pruned > tool",))))
        name = inspect(client, box)["Config"]["Image"]
        state = state_name(ground.state)
        prune_setups(client, state, kept_days=0)
        assert client.sdk.images.get(name)
        ground.driver.destroy(box)
        ground.driver.reap()
        prune_setups(client, state_name(ground.folder), kept_days=0)
        assert client.sdk.images.get(name)
        give_up = time.monotonic() + 30
        with pytest.raises(ImageNotFound):
            # The engine prunes for one at a time, and refuses who comes meanwhile: another test's reaping.
            while time.monotonic() < give_up:
                prune_setups(client, state, kept_days=0)
                client.sdk.images.get(name)
                time.sleep(0.2)

    def test_directories_that_lie_below_an_overlay_move_and_come_out(
        self, ground: Ground, client: Client, commit: str
    ) -> None:
        setup = SetUp(commands=("mkdir tool && echo t > tool/t && echo h > ~/h",))
        for workspace in ("disk", "copy"):
            box = ground.box(replace(ground.spec(commit, setup=setup), workspace=workspace))
            ground.did(box, "git mv deep moved && cat tool/t ~/h && rm -r tool && echo n > new")
            assert ground.extract(box).changed == ("deep/b.txt", "moved/b.txt", "new")
            if os.getuid() == 0:
                kinds = {mount["Destination"]: mount["Type"] for mount in inspect(client, box)["Mounts"]}
                assert kinds["/workspace"] == ("volume" if workspace == "disk" else "bind")
            ground.driver.destroy(box)
        assert volumes(client, ground) == []

    def test_a_fork_bomb_is_held_and_leaves_nothing(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit, limits=Limits(pids=60)))
        bomb = "import os\nwhile True:\n try: os.fork()\n except OSError: pass"
        finished = ground.driver.execute(box, Command(("python3", "-c", bomb), timeout_s=2))
        assert finished.limit == "timeout"
        # Where no room was left for whoever ends them, the whole box was ended: then it says so.
        try:
            assert ground.did(box, "ls /proc | grep -c '^[0-9]'").strip() in ("4", "5", "6")
        except BoxLost:
            assert [info.state for info in ground.driver.list()] == ["orphan"]

    def test_commands_at_once_end_alone(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        long = ground.driver.start(box, Command(("sh", "-c", "sleep 2; echo lived")))
        ground.did(box, "(setsid sleep 99 >/dev/null 2>&1 &); echo short")
        look = (
            "import glob\n"
            "print([1 for place in glob.glob('/proc/[0-9]*/cmdline') if open(place).read() == 'sleep\\0' + '99\\0'])"
        )
        assert ground.driver.execute(box, Command(("python3", "-c", look))).stdout == b"[]\n"
        assert ground.driver.attach(box, long).stdout == b"lived\n"

    def test_a_gigabyte_of_output_keeps_memory_flat(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        command = ground.driver.start(box, Command(("sh", "-c", "head -c 1000000000 /dev/zero; echo end >&2")))
        folder = ground.state / "boxes" / box / "exec" / command
        pid = json.loads((folder / "process.json").read_text())["pid"]
        peak = 0
        while not (folder / "exit.json").exists():
            peak = max(peak, resident_bytes([pid]))
            time.sleep(0.1)
        assert 0 < peak < 30 << 20
        finished = ground.driver.attach(box, command, capture=False)
        assert (finished.exit_code, finished.truncated) == (0, True)


@needs_engine
class TestReconciliation:
    def test_a_container_that_no_journal_knows_is_removed(self, ground: Ground, client: Client, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        (ground.state / "boxes" / box / "box.json").unlink()
        assert list(ground.driver.reap()) == [box]
        assert client.sdk.containers.list(all=True, filters={"label": f"switchyard.box={box}"}) == []

    def test_a_box_whose_container_is_gone_is_an_orphan_and_reaped(
        self, ground: Ground, client: Client, commit: str
    ) -> None:
        box, other = ground.box(ground.spec(commit)), ground.box(ground.spec(commit))
        client.sdk.api.remove_container(f"switchyard-{box}", force=True)
        assert {info.id: info.state for info in ground.driver.list()} == {box: "orphan", other: "idle"}
        with pytest.raises(BoxLost):
            ground.run(box, "true")
        assert list(ground.driver.reap()) == [box]
        assert [info.id for info in ground.driver.list()] == [other]
        ground.driver.destroy(other)
        assert volumes(client, ground) == []

    def test_containers_of_another_state_folder_are_left_alone(
        self, ground: Ground, client: Client, commit: str, tmp_path: Path
    ) -> None:
        box = ground.box(ground.spec(commit))
        other = DockerDriver(tmp_path / "other", image="switchyard-test", base_url=DOCKER)
        assert list(other.reap()) == []
        assert inspect(client, box)["State"]["Running"]

    def test_a_box_that_is_made_while_the_engine_answers_is_left_alone(
        self, ground: Ground, client: Client, commit: str
    ) -> None:
        may_answer = threading.Event()
        meddler = Meddler(ground.folder / "m.sock", rb"GET \S*/containers/json\?\S*all=1", may_answer.wait)
        with meddler as engine, ThreadPoolExecutor(1) as beside:
            reaped = beside.submit(engine.driver(ground.state).reap)
            assert engine.was_asked.wait(30)
            box = ground.box(ground.spec(commit))
            may_answer.set()
            assert list(reaped.result(30)) == []
        assert inspect(client, box)["State"]["Running"]

    def test_a_container_ends_by_itself(self, ground: Ground, client: Client, commit: str) -> None:
        box = ground.box(ground.spec(commit, ttl_s=100.0))
        assert inspect(client, box)["Config"]["Cmd"][-1] == "160"
        ground.run(box, "kill -9 -1; kill -9 1")
        assert inspect(client, box)["State"]["Running"]


@needs_engine
class TestEndedFromOutside:
    @pytest.mark.parametrize(
        ("workspace", "question", "after_bytes"),
        [("disk", rb"GET /containers/\w+/top", 0), ("memory", rb"POST /exec/\w+/start", 1 << 20)],
    )
    def test_while_its_tree_is_read_nothing_comes_out(
        self, ground: Ground, commit: str, workspace: WorkspaceKind, question: bytes, after_bytes: int
    ) -> None:
        box = ground.box(replace(ground.spec(commit), workspace=workspace))
        ground.did(box, "head -c 30000000 /dev/urandom > large; rm a.txt")

        place = ground.state / "boxes" / box / "container.json"
        record = json.loads(place.read_text())

        def end() -> None:
            # The engine's own kill would wait until all that was said has been read.
            os.kill(record["init_pid"], signal.SIGKILL)

        with Meddler(ground.folder / "m.sock", question, end, after_bytes=after_bytes) as engine:
            place.write_text(json.dumps({**record, "engine": str(engine.place)}))
            with pytest.raises(BoxLost, match="ended"):
                engine.driver(ground.state).extract(box, ground.quarantine)
            assert engine.was_asked.is_set()
        assert list((ground.state / "boxes" / box).glob("extract-*")) == []
        assert ground.git("for-each-ref", cwd=ground.quarantine) == ""

    def test_while_its_tree_is_surveyed_it_is_lost_too(self, ground: Ground, client: Client, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        # Git takes longer over it than the engine over the end of a container.
        ground.did(box, "head -c 60000000 /dev/urandom > large; rm a.txt")
        folder = ground.state / "boxes" / box
        with ThreadPoolExecutor(1) as beside:
            extracted = beside.submit(ground.extract, box)
            while not list(folder.glob(f"extract-*/{REQUEST}")):
                time.sleep(0.001)
            client.sdk.api.remove_container(f"switchyard-{box}", force=True)
            with pytest.raises(BoxLost, match="ended"):
                extracted.result(60)
        assert list(folder.glob("extract-*")) == []

    @pytest.mark.parametrize(
        ("workspace", "question"),
        [("disk", rb"POST \S*/containers/\w+/start"), ("memory", rb"POST /containers/\w+/exec")],
    )
    def test_while_it_is_made_it_is_lost_and_leaves_nothing(
        self, ground: Ground, client: Client, commit: str, workspace: WorkspaceKind, question: bytes
    ) -> None:
        def end() -> None:
            for box in (ground.state / "boxes").glob("box-*"):
                client.sdk.api.remove_container(f"switchyard-{box.name}", force=True, v=True)

        with Meddler(ground.folder / "m.sock", question, end) as engine:
            with pytest.raises(BoxLost):
                engine.driver(ground.state).create(replace(ground.spec(commit), workspace=workspace))
            assert engine.was_asked.is_set()
        assert list(ground.driver.list()) == []
        assert volumes(client, ground) == []


@needs_engine
class TestImages:
    def test_an_image_that_is_not_there_is_named(self, ground: Ground, commit: str) -> None:
        driver = DockerDriver(ground.state, image="no.such.registry.invalid/nothing:1", base_url=DOCKER)
        with pytest.raises(IsolationUnavailable, match="nothing:1"):
            driver.create(ground.spec(commit))

    def test_a_base_that_cannot_be_fetched_is_named(self, ground: Ground, commit: str) -> None:
        """The tests' engine has no network, and lacks the base; given that, our own image is built and used."""
        driver = DockerDriver(ground.state, base_url=DOCKER)
        with pytest.raises(IsolationUnavailable, match=f"built on {BASE}") as refused:
            driver.create(ground.spec(commit))
        assert f"give the engine {BASE}" in refused.value.hint
        with connect(DOCKER) as client:
            client.sdk.images.get("switchyard-test").tag(BASE)
            try:
                box = driver.create(ground.spec(commit))
                assert driver.execute(box, Command(("git", "rev-parse", "HEAD"))).stdout.decode() == f"{commit}\n"
                driver.destroy(box)
            finally:
                client.sdk.images.remove(BASE)

    def test_an_image_of_ours_has_the_configured_agents_in_it(
        self, ground: Ground, client: Client, commit: str
    ) -> None:
        """The tests' engine has no network: its npm makes a program that tells what it was to install."""
        npm = "#!/bin/sh\necho echo $* > /usr/bin/agent\n"
        install = f"import pathlib; npm = pathlib.Path('/usr/bin/npm'); npm.write_text({npm!r}); npm.chmod(0o755)"
        base = build(client, f"FROM switchyard-test\nRUN {json.dumps(['python3', '-c', install])}", {})
        client.sdk.images.get(base.id).tag(NODE_BASE)
        try:
            image = resolve(client, "", ("@openai/codex@1.2.3",))
            assert resolve(client, "", ("@openai/codex@1.2.3",)).id == image.id
            assert resolve(client, "", ("@openai/codex@1.2.4",)).id != image.id
            driver = DockerDriver(ground.state, packages=("@openai/codex@1.2.3",), base_url=DOCKER)
            box = driver.create(ground.spec(commit))
            said = driver.execute(box, Command(("sh", "/usr/bin/agent"))).stdout.decode()
            driver.destroy(box)
        finally:
            client.sdk.images.remove(NODE_BASE)
        assert said == "install --global --no-audit --no-fund @openai/codex@1.2.3\n"


@needs_engine
class TestRemotes:
    def test_an_address_that_no_proxy_leads_to_is_refused(self, ground: Ground, commit: str) -> None:
        spec = ground.spec(commit)
        for remote in ("ssh://example.com/x", "https://user:key@example.com/x", "file:///etc"):
            with pytest.raises(BadCode):
                ground.driver.create(replace(spec, code=replace(spec.code, remote=remote)))
        assert list(ground.driver.list()) == []

    def test_the_box_fetches_the_anchor_and_the_host_brings_the_rest(
        self, ground: Ground, served: tuple[str, str], commit: str
    ) -> None:
        name, address = served
        driver = DockerDriver(ground.state, image="switchyard-test", base_url=DOCKER, internal=(name,))
        ground.git("push", "--quiet", str(ground.folder / "served.git"), "main")
        later = ground.commit({"later.txt": "later\n", "a.txt": None})
        spec = ground.spec(later, anchor=commit)
        box = driver.create(replace(spec, code=replace(spec.code, remote=address)))
        try:
            script = "git rev-parse HEAD; git status --porcelain; git remote; ls; ls .git/objects/info; curl -s $0; env"
            said = driver.execute(box, Command(("sh", "-c", script, address))).stdout.decode()
            assert said.startswith(f"{later}\ndeep\nlater.txt\n")
            assert "alternates" not in said
            assert "proxy" not in said.lower()
            assert driver.extract(box, ground.quarantine).changed == ()
        finally:
            driver.destroy(box)

    def test_a_remote_without_the_commit_is_told(self, ground: Ground, served: tuple[str, str], commit: str) -> None:
        name, address = served
        driver = DockerDriver(ground.state, image="switchyard-test", base_url=DOCKER, internal=(name,))
        spec = ground.spec(commit)
        with pytest.raises(BadCode, match=commit):
            driver.create(replace(spec, code=replace(spec.code, remote=address)))
        assert list(driver.list()) == []


class Meddler:
    """The engine behind a socket of its own, where something happens before a certain question is answered."""

    def __init__(self, place: Path, asked: bytes, happens: Callable[[], object], *, after_bytes: int = 0) -> None:
        """Begin with nothing.

        Args:
            asked: A pattern of the question's first bytes.
            after_bytes: How much of the answer is passed on before it happens.
        """
        self.place, self.was_asked = place, threading.Event()
        self._asked, self._happens, self._after_bytes = re.compile(asked), happens, after_bytes
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Meddler:
        self._listener.bind(str(self.place))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def driver(self, state: Path) -> DockerDriver:
        """A driver that asks this engine."""
        return DockerDriver(state, image="switchyard-test", base_url=f"unix://{self.place}")

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                asking, _ = self._listener.accept()
                threading.Thread(target=self._carry_both, args=(asking,), daemon=True).start()

    def _carry_both(self, asking: socket.socket) -> None:
        concerns_us = threading.Event()
        with asking, socket.socket(socket.AF_UNIX) as answering:
            answering.connect(DOCKER.removeprefix("unix://"))
            back = threading.Thread(target=self._answer, args=(answering, asking, concerns_us), daemon=True)
            back.start()
            with suppress(OSError):
                while piece := asking.recv(1 << 16):
                    if self._asked.match(piece):
                        concerns_us.set()
                    answering.sendall(piece)
                answering.shutdown(socket.SHUT_WR)
            back.join()

    def _answer(self, answering: socket.socket, asking: socket.socket, concerns_us: threading.Event) -> None:
        passed = 0
        with suppress(OSError):
            while piece := answering.recv(1 << 16):
                if concerns_us.is_set() and passed >= self._after_bytes and not self.was_asked.is_set():
                    self.was_asked.set()
                    self._happens()
                passed += len(piece)
                asking.sendall(piece)
            asking.shutdown(socket.SHUT_WR)


@pytest.fixture
def served(ground: Ground) -> Iterator[tuple[str, str]]:
    """This machine's name, and where it serves an empty bare repository."""
    ground.git("init", "--quiet", "--bare", "--initial-branch=main", str(ground.folder / "served.git"))
    name = socket.gethostname()
    with ThreadingHTTPServer(("", 0), partial(GitRequest, ground.folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield name, f"http://{name}:{server.server_port}/served.git"
        server.shutdown()
        thread.join()


class GitRequest(BaseHTTPRequestHandler):
    """One request to git's own server."""

    def __init__(self, root: Path, *rest: Any) -> None:
        self._root = root
        super().__init__(*rest)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {
            **{"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self._root), "GIT_HTTP_EXPORT_ALL": "1"},
            **{"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command},
            **{"CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_CONFIG_COUNT": "1"},
            **{"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        done = subprocess.run(("git", "http-backend"), input=body, env=env, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().split("\r\n"):
            self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
