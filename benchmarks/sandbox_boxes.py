"""How long a box takes: from create to the end of its first command, and to bring 100 changed files out."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from switchyard_git import Repository
from switchyard_sandbox import BoxSpec, CodeIn, Command, Limits
from switchyard_sandbox.embedded.driver import EmbeddedDriver

FILES, ROUNDS = 5000, 30


def measure() -> dict[str, Any]:
    """Milliseconds over a checkout of 5,000 files."""
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        root = Path(folder)
        commit = lay_out(root / "repo")
        Repository.init_bare(root / "quarantine.git")
        driver = EmbeddedDriver(root / "state", owner="bench")
        code = CodeIn(repository=root / "repo" / ".git", commit=commit, anchor=commit)
        first = _first_commands(driver, code)
        return {
            "files": FILES,
            "create_to_first_command_ms": spread(first[1:]),
            "first_ever_ms": round(first[0], 1),
            "extract_100_files_ms": round(_extraction(driver, code, root / "quarantine.git"), 1),
        }


def _first_commands(driver: EmbeddedDriver, code: CodeIn) -> list[float]:
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        box = driver.create(_spec(code))
        driver.execute(box, Command(argv=("true",)))
        taken.append((time.perf_counter() - began) * 1000)
        driver.destroy(box)
    return taken


def _extraction(driver: EmbeddedDriver, code: CodeIn, quarantine: Path) -> float:
    box = driver.create(_spec(code))
    driver.execute(box, Command(argv=("sh", "-c", "for n in $(seq 100); do echo more >> file$n; done")))
    began = time.perf_counter()
    driver.extract(box, quarantine)
    taken = (time.perf_counter() - began) * 1000
    driver.destroy(box)
    return taken


def _spec(code: CodeIn) -> BoxSpec:
    return BoxSpec(labels={"role": "bench"}, code=code, limits=Limits(memory_mb=512), allow_degraded=True)


def spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    cuts = quantiles(values, n=20)
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1)}


def lay_out(repo: Path) -> str:
    """A repository of 5,000 small files; its commit."""
    repo.mkdir()
    for number in range(FILES):
        (repo / f"file{number}").write_text(f"{number}\n")
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ("-c", "user.name=B", "-c", "user.email=b@example.org")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), (*who, "commit", "-q", "-m", "Lay out")):
        subprocess.run(("git", *command), cwd=repo, check=True, env=env)
    return Repository.open(repo).resolve("HEAD")
