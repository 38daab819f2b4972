"""A repository with a box driver beside it, as the sandbox tests use them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fakes.daytona.driver import REAL_KEY, open_daytona, open_service
from switchyard_git import Repository
from switchyard_sandbox import (
    BoxId,
    BoxSpec,
    CodeIn,
    Command,
    Driver,
    EmbeddedDriver,
    Extraction,
    Finished,
    Limits,
    NoneDriver,
    SetUp,
)
from switchyard_sandbox.docker.driver import DockerDriver

DRIVERS: dict[str, Callable[[Path], Driver]] = {
    "embedded": lambda state: EmbeddedDriver(state, owner="tests", internal=("localhost",)),
    "none": lambda state: NoneDriver(state, owner="tests"),
    "daytona": lambda state: open_daytona(state),
}
if REAL_KEY:
    DRIVERS["daytona-service"] = lambda state: open_service(state)
DOCKER = os.environ.get("SWITCHYARD_TEST_DOCKER_HOST", "")
"""An engine to test with, as `make test-docker` starts one; empty: none."""
if DOCKER:
    DRIVERS["docker"] = lambda state: DockerDriver(
        state, owner="tests", image="switchyard-test", base_url=DOCKER, internal=("localhost",)
    )
LABELS = {"run": "r1", "task": "t1", "attempt": "1", "role": "agent"}
# Each worker sleeps for a time of its own, so that none takes another's processes for its own.
MARK = f"4242.{os.getpid()}"
"""A sleep of just that length, so that what is left of a box can be told in the list of processes."""
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "@1700000000 +0000",
    "GIT_COMMITTER_DATE": "@1700000000 +0000",
}


@dataclass
class Ground:
    """A repository, a driver, a quarantine, and the boxes made in between."""

    folder: Path
    driver: Driver
    boxes: list[BoxId] = field(default_factory=list)

    @property
    def repository(self) -> Path:
        """The maintainer's repository, with a work tree."""
        return self.folder / "repository"

    @property
    def quarantine(self) -> Path:
        """Where results are extracted to."""
        return self.folder / "quarantine.git"

    @property
    def state(self) -> Path:
        """The driver's state folder."""
        return self.folder / "state"

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git and return what it says, bytes that are not UTF-8 kept as surrogates."""
        argv = ("git", *arguments)
        done = subprocess.run(argv, cwd=cwd or self.repository, env=_ENVIRONMENT, capture_output=True, check=True)
        return done.stdout.decode("utf-8", "surrogateescape")

    def commit(self, files: Mapping[str, bytes | str | None]) -> str:
        """Commit these contents (None removes) and return the commit's id."""
        for path, content in files.items():
            place = self.repository / path
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD").strip()

    def spec(
        self,
        commit: str,
        *,
        anchor: str = "",
        limits: Limits | None = None,
        setup: SetUp | None = None,
        network: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        ttl_s: float = 600.0,
        labels: Mapping[str, str] = LABELS,
        workspace: Literal["disk", "memory", "copy"] = "disk",
    ) -> BoxSpec:
        """A spec that this machine can meet: without root, what it can't enforce is accepted."""
        return BoxSpec(
            labels=labels,
            code=CodeIn(self.repository, commit, anchor or commit),
            limits=limits or Limits(),
            setup=setup or SetUp(),
            network=network,
            env=env or {},
            ttl_s=ttl_s,
            workspace=workspace,
            allow_degraded=os.getuid() != 0,
        )

    def box(self, spec: BoxSpec) -> BoxId:
        """Make a box that is destroyed with the ground."""
        box = self.driver.create(spec)
        self.boxes.append(box)
        return box

    def run(self, box: BoxId, script: str, **options: object) -> Finished:
        """Run a shell script in a box."""
        return self.driver.execute(box, Command(("/bin/sh", "-c", script), **options))  # type: ignore[arg-type]

    def did(self, box: BoxId, script: str) -> str:
        """Run a script that must succeed; what it said on stdout."""
        finished = self.run(box, script)
        assert finished.ok, finished
        return finished.stdout.decode("utf-8", "surrogateescape")

    def extract(self, box: BoxId) -> Extraction:
        """Bring a box's tree into the quarantine."""
        return self.driver.extract(box, self.quarantine)

    def listing(self, tree: str) -> dict[str, tuple[str, bytes]]:
        """Every path of an extracted tree with its mode and content."""
        quarantine = Repository.open(self.quarantine)
        entries = quarantine.list_tree(tree)
        return {entry.path: (entry.mode, self._content(quarantine, entry.sha, entry.mode)) for entry in entries}

    def await_empty(self, name: str) -> None:
        """Wait until nothing is left in a folder of the driver's state: files are deleted in the background."""
        give_up = time.monotonic() + 30
        while left := list((self.state / name).iterdir()):
            assert time.monotonic() < give_up, left
            time.sleep(0.05)

    def close(self) -> None:
        """Destroy what is left."""
        for box in self.boxes:
            self.driver.destroy(box)

    @staticmethod
    def _content(quarantine: Repository, sha: str, mode: str) -> bytes:
        if mode == "160000":
            return sha.encode()
        return dict(quarantine.read_blobs([sha]))[sha]  # type: ignore[list-item,index]


def make_ground(folder: Path, kind: str) -> Ground:
    """A ground with an empty repository and an empty quarantine."""
    ground = Ground(folder, DRIVERS[kind](folder / "state"))
    ground.repository.mkdir()
    ground.git("init", "--quiet", "--initial-branch=main")
    Repository.init_bare(ground.quarantine)
    return ground


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
