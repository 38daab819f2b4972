"""What a Docker engine's boxes are made of."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from docker.errors import ImageNotFound
from sandbox.boxes import Ground
from switchyard_sandbox import BoxLost, Command, Limits, SetUp
from switchyard_sandbox.docker.client import Client
from switchyard_sandbox.docker.container import state_name
from switchyard_sandbox.docker.driver import DockerDriver
from switchyard_sandbox.docker.images import prune_setups
from switchyard_sandbox.embedded.procfs import resident_bytes

from .engine import inspect, needs_engine, volumes


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
