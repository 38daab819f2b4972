"""What a run costs on a repository that has its switchyard.toml and its ready tasks committed.

    python -m benchmarks.real_repository [--rounds N] REPOSITORY…

Each repository is cloned first, together with a bare origin of its own, so nothing is changed in it. The first round is
cold: no mirror, no checkout, no set-up layer, no facts about sources. The others keep those four and forget the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from switchyard_git import Repository
from switchyard_sandbox import BoxSpec, CodeIn, Command, Limits, SetUp
from switchyard_sandbox.embedded.driver import EmbeddedDriver

from switchyard.config import load_config

SWITCHYARD = (sys.executable, "-m", "switchyard.cli.main")
KEPT = ("mirror.git", "checkouts", "layers", "cache", "seeds")
"""What makes a round warm; of the rest of the state each round has its own."""
BOXES = 20
LOOK_EVERY_S = 0.05


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--rounds", type=int, default=3, help="warm rounds after the cold one")
    options = parser.parse_args(argv)
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "date": time.strftime("%Y-%m-%d")}
    figures = [measure(repository, options.rounds) for repository in options.repositories]
    json.dump({"schema": "switchyard.bench.real/1", "machine": machine, "repositories": figures}, sys.stdout, indent=2)
    print()
    return 0


def measure(repository: Path, rounds: int) -> dict[str, Any]:
    """Every figure of one repository; of several warm rounds the best, and the median beside it."""
    with _copy_of(repository) as repo:
        cold = _round(repo)
        warm = [_forget_and_run(repo) for _ in range(rounds)]
        return {
            "files": len(_git(repo, "ls-files").splitlines()),
            "tasks": cold.tasks,
            "cold": {name: value for name, value in cold.figures().items() if name != "overhead_per_task_s"},
            "warm": {
                "best": {name: min(one.figures()[name] for one in warm) for name in warm[0].figures()},
                "median": {name: round(median(one.figures()[name] for one in warm), 3) for name in warm[0].figures()},
            },
            "create_to_first_command_ms": _first_commands(repo),
            "state_mib": _state_sizes(_state(repo)),
        }


@dataclass(frozen=True)
class Round:
    """One `run`, as its ledger and the process table tell it."""

    events: Sequence[dict[str, Any]]
    began: float
    wall_s: float
    orchestrator_mib: float

    @property
    def tasks(self) -> int:
        """How many tasks were taken through."""
        return len(self._spans())

    def figures(self) -> dict[str, float]:
        """Seconds and MiB."""
        first_box = min(_time(event) for event in self.events if event["event_type"] == "sandbox_created")
        started = min(_time(event) for event in self.events if event["event_type"] == "run_started")
        return {
            "wall_s": round(self.wall_s, 2),
            "process_to_run_started_s": round(started - self.began, 3),
            "process_to_first_command_s": round(first_box - self.began, 3),
            "overhead_per_task_s": round(self._overhead(), 3),
            "orchestrator_peak_mib": round(self.orchestrator_mib, 1),
        }

    def _overhead(self) -> float:
        """Seconds from a task's claim to its end that were neither its agent's nor its checks'."""
        inside = dict.fromkeys(self._spans(), 0.0)
        for event in self.events:
            if event["event_type"] in ("attempt_extracted", "check_passed", "check_failed"):
                inside[event["task_id"]] += event["data"]["duration_s"]
        return median(end - start - inside[task] for task, (start, end) in self._spans().items())

    def _spans(self) -> dict[str, tuple[float, float]]:
        found: dict[str, tuple[float, float]] = {}
        for event in self.events:
            if event["event_type"] == "task_claimed":
                found[event["task_id"]] = (_time(event), 0.0)
            if event["event_type"] == "task_finished" and event["task_id"] in found:
                found[event["task_id"]] = (found[event["task_id"]][0], _time(event))
        return found


@contextmanager
def _copy_of(repository: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        origin, repo = Path(folder) / "origin.git", Path(folder) / "repo"
        _git(Path(folder), "clone", "--quiet", "--bare", "--single-branch", str(repository.absolute()), str(origin))
        _git(Path(folder), "clone", "--quiet", str(origin), str(repo))
        yield repo


def _forget_and_run(repo: Path) -> Round:
    state = _state(repo)
    for place in state.iterdir():
        if place.name in KEPT:
            continue
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
    refs = _git(repo, "ls-remote", "--refs", "origin", "refs/heads/factory/*").splitlines()
    names = [line.split("\t")[1] for line in refs]
    if names:
        _git(repo, "push", "--quiet", "origin", "--delete", *names)
    return _round(repo)


def _round(repo: Path) -> Round:
    began = time.time()
    process = subprocess.Popen((*SWITCHYARD, "run", "--quiet", "--json", "--repo", str(repo)), stdout=subprocess.PIPE)
    peak = _Peak(process.pid)
    output, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"the run ended with {process.returncode}: {output[-2000:].decode(errors='replace')}")
    events = [json.loads(line) for line in output.splitlines()]
    return Round(events, began, time.time() - began, peak.mib())


class _Peak:
    """The highest resident size that the kernel noted for a process, read until it is gone."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._kib = 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def mib(self) -> float:
        self._thread.join()
        return self._kib / 1024

    def _watch(self) -> None:
        while True:
            try:
                lines = self._status.read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError):
                return
            high = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
            if not high:
                return
            self._kib = high[0]
            time.sleep(LOOK_EVERY_S)


def _first_commands(repo: Path) -> dict[str, float]:
    """From create to the end of `true`, in a box with the repository's own set-up."""
    sandbox = load_config(repo / "switchyard.toml", environ={}).sandbox
    commit = Repository.open(repo).resolve("HEAD")
    driver = EmbeddedDriver(_state(repo), owner="bench")
    spec = BoxSpec(
        labels={"role": "bench"},
        code=CodeIn(repository=repo / ".git", commit=commit, anchor=commit),
        limits=Limits(cpus=sandbox.cpus, memory_mb=sandbox.memory_mb, pids=sandbox.pids, disk_mb=sandbox.disk_mb),
        setup=SetUp(commands=tuple(sandbox.setup), network=tuple(sandbox.setup_network)),
        env=sandbox.env,
        allow_degraded=sandbox.allow_degraded,
    )
    taken = []
    for _ in range(BOXES):
        began = time.perf_counter()
        box = driver.create(spec)
        driver.execute(box, Command(argv=("true",)))
        taken.append((time.perf_counter() - began) * 1000)
        driver.destroy(box)
    return {"p50": round(median(taken), 1), "p95": round(quantiles(taken, n=20)[18], 1)}


def _state_sizes(state: Path) -> dict[str, float]:
    """What each part of the state takes on disk."""
    return {
        place.name: size for place in sorted(state.iterdir()) if (size := round(_allocated(place) / (1 << 20), 1)) > 0
    }


def _allocated(place: Path) -> int:
    seen: dict[tuple[int, int], int] = {}
    for path in [place, *place.rglob("*")]:
        status = path.lstat()
        seen[(status.st_dev, status.st_ino)] = status.st_blocks * 512
    return sum(seen.values())


def _state(repo: Path) -> Path:
    return Repository.open(repo).common_dir / "switchyard"


def _git(cwd: Path, *arguments: str) -> str:
    return subprocess.run(("git", *arguments), cwd=cwd, check=True, capture_output=True, text=True).stdout


def _time(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()


if __name__ == "__main__":
    sys.exit(main())
