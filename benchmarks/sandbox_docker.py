"""How long a box of a Docker engine takes: from create to the end of its first command, and to bring out 100 files.

The engine and its image are those of `.ci/docker-engine`:

    .ci/docker-engine python -m benchmarks --only sandbox_docker
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from switchyard_git import Repository
from switchyard_sandbox import BoxSpec, CodeIn, Command, Limits
from switchyard_sandbox.contract import WorkspaceKind
from switchyard_sandbox.docker.driver import DockerDriver

from benchmarks.sandbox_boxes import FILES, lay_out, spread

_ROUNDS: dict[WorkspaceKind, int] = {"disk": 12, "memory": 6}
"""As many as a busy machine does within two minutes: a box in memory copies the whole checkout in, and reads it out."""
_CHANGE = "for n in $(seq 100); do echo more >> file$n; done"


def measure() -> dict[str, Any]:
    """Milliseconds over a checkout of 5,000 files, for both places where a box's files may lie."""
    engine = os.environ.get("SWITCHYARD_TEST_DOCKER_HOST", "")
    if not engine:
        return {"skipped": "run it under .ci/docker-engine"}
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        root = Path(folder)
        commit = lay_out(root / "repo")
        Repository.init_bare(root / "quarantine.git")
        driver = DockerDriver(root / "state", owner="bench", image="switchyard-test", base_url=engine)
        code = CodeIn(repository=root / "repo" / ".git", commit=commit, anchor=commit)
        return {
            "files": FILES,
            "load": os.getloadavg()[0],
            "disk": _measure(driver, code, root / "quarantine.git", "disk"),
            "memory": _measure(driver, code, root / "quarantine.git", "memory"),
        }


def _measure(driver: DockerDriver, code: CodeIn, quarantine: Path, workspace: WorkspaceKind) -> dict[str, Any]:
    spec = BoxSpec({"role": "bench"}, code, limits=Limits(memory_mb=512), workspace=workspace, allow_degraded=True)
    first, second, out = [], [], []
    for _ in range(_ROUNDS[workspace] + 1):
        began = time.perf_counter()
        box = driver.create(spec)
        driver.execute(box, Command(argv=("true",)))
        first.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        driver.execute(box, Command(argv=("sh", "-c", _CHANGE)))
        second.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        assert len(driver.extract(box, quarantine).changed) == 100
        out.append((time.perf_counter() - began) * 1000)
        driver.destroy(box)
    return {
        "create_to_first_command_ms": spread(first[1:]),
        "next_command_ms": spread(second[1:]),
        "extract_100_files_ms": spread(out[1:]),
    }
