"""How journal and engine are held against each other, and containers that end from outside."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sandbox.boxes import DOCKER, Ground
from switchyard_sandbox import BoxLost
from switchyard_sandbox.contract import WorkspaceKind
from switchyard_sandbox.docker.client import Client
from switchyard_sandbox.docker.driver import DockerDriver
from switchyard_sandbox.survey import REQUEST

from .engine import inspect, needs_engine, volumes
from .meddler import Meddler


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
