"""How long an embedded box takes and how much memory it holds: over a checkout of 5,000 files.

Processor time stands beside wall time where it can be counted: on a machine with other work, it is what compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import quantiles
from typing import Any

from switchyard_git import Repository
from switchyard_sandbox import BoxId, BoxSpec, CodeIn, Command, EmbeddedDriver, Limits

FILES, ROUNDS, EXTRACTIONS, AT_ONCE, LIVE = 5000, 60, 10, 4, 200
_ACCOUNTS = Path("/sys/fs/cgroup/cpuacct")


def measure() -> dict[str, Any]:
    """Milliseconds, boxes a second, and MiB."""
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        commit = lay_out(root / "repo")
        Repository.init_bare(root / "quarantine.git")
        driver = EmbeddedDriver(root / "state", owner="bench")
        code = CodeIn(repository=root / "repo" / ".git", commit=commit, anchor=commit)
        figures: dict[str, Any] = {"files": FILES, "load_before": os.getloadavg()[0]}
        with _Accounts() as accounts:
            figures |= _first_commands(driver, code, accounts)
            figures |= _throughput(driver, code)
        figures["extract_100_files_ms"] = spread(_extractions(driver, code, root / "quarantine.git"))
        figures |= _live(driver, code, root / "state")
        return figures | {"load_after": os.getloadavg()[0]}


def _first_commands(driver: EmbeddedDriver, code: CodeIn, accounts: _Accounts) -> dict[str, Any]:
    """The first round pays for the checkout and for the spawner; it stands by itself."""
    spec = _spec(code)
    began = time.perf_counter()
    _destroy(driver, [_first(driver, spec)])
    ever = (time.perf_counter() - began) * 1000
    boxes: list[BoxId] = []
    first, first_cpu = accounts.time(ROUNDS, lambda _: boxes.append(_first(driver, spec)))
    second, second_cpu = accounts.time(ROUNDS, lambda n: driver.execute(boxes[n], Command(("true",))))
    ended, _ = accounts.time(ROUNDS, lambda n: driver.destroy(boxes[n]))
    return {
        "first_ever_ms": round(ever, 1),
        "create_to_first_command_ms": spread(first) | {"processor": first_cpu},
        "another_command_ms": spread(second) | {"processor": second_cpu},
        "destroy_ms": spread(ended),
    }


def _throughput(driver: EmbeddedDriver, code: CodeIn) -> dict[str, Any]:
    """Boxes a second, by themselves and with a command each, several asked for at a time."""
    figures: dict[str, Any] = {}
    works: dict[str, Callable[[BoxSpec], BoxId]] = {
        "creates_a_second": driver.create,
        "creates_with_a_command_a_second": lambda spec: _first(driver, spec),
    }
    for name, make in works.items():
        boxes: list[BoxId] = []

        def work(make: Callable[[BoxSpec], BoxId] = make, boxes: list[BoxId] = boxes) -> None:
            for _ in range(ROUNDS // AT_ONCE):
                boxes.append(make(_spec(code)))

        threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        figures[name] = round(len(boxes) / (time.perf_counter() - began), 1)
        _destroy(driver, boxes)
    return figures


def _extractions(driver: EmbeddedDriver, code: CodeIn, quarantine: Path) -> list[float]:
    taken = []
    for _ in range(EXTRACTIONS):
        box = driver.create(_spec(code))
        driver.execute(box, Command(("sh", "-c", "for n in $(seq 100); do echo more >> file$n; done")))
        began = time.perf_counter()
        extraction = driver.extract(box, quarantine)
        taken.append((time.perf_counter() - began) * 1000)
        assert len(extraction.changed) == 100
        driver.destroy(box)
    return taken


def _live(driver: EmbeddedDriver, code: CodeIn, state: Path) -> dict[str, Any]:
    """What 200 boxes hold at once: between two commands, and each with one that runs."""
    boxes = [_first(driver, _spec(code)) for _ in range(LIVE)]
    try:
        between = [_held_mib(state / "boxes" / box) for box in boxes]
        for box in boxes:
            driver.start(box, Command(("sleep", "600")))
        time.sleep(2)
        running = [_held_mib(state / "boxes" / box) for box in boxes]
        live = sum(info.state == "running" for info in driver.list())
    finally:
        _destroy(driver, boxes)
    return {
        "live_at_once": live,
        "mib_each_between_commands": _mean(between),
        "mib_each_with_a_command": _mean(running),
    }


def _mean(held: list[tuple[float, float]]) -> dict[str, float]:
    shares, own = (round(sum(column) / len(column), 2) for column in zip(*held, strict=True))
    return {"its_own": own, "its_share_of_what_many_have": shares}


def _held_mib(box: Path) -> tuple[float, float]:
    """The memory of a box's supervisor and of all below it: with its share of what others have too, and without."""
    waiting, shares, own = [int(json.loads((box / "process.json").read_text())["pid"])], 0, 0
    while waiting:
        pid = waiting.pop()
        for task in Path(f"/proc/{pid}/task").iterdir():
            waiting += [int(child) for child in (task / "children").read_text().split()]
        rows = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
        sizes = {row[0].rstrip(":"): int(row[1]) for row in rows}
        shares += sizes["Pss"]
        own += sizes["Private_Clean"] + sizes["Private_Dirty"]
    return shares / 1024, own / 1024


class _Accounts:
    """Counts the processor time of this process and of all that it starts, where control groups of version 1 do."""

    def __enter__(self) -> _Accounts:
        self._group = _ACCOUNTS / f"switchyard-bench-{os.getpid()}"
        self._counts = os.access(_ACCOUNTS / "cgroup.procs", os.W_OK)
        if self._counts:
            self._group.mkdir()
            (self._group / "cgroup.procs").write_text(str(os.getpid()))
        return self

    def __exit__(self, *_: object) -> None:
        while self._counts and self._group.is_dir():
            for pid in (self._group / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    (_ACCOUNTS / "cgroup.procs").write_text(pid)
            with suppress(OSError):
                self._group.rmdir()

    def time(self, rounds: int, work: Callable[[int], object]) -> tuple[list[float], float | None]:
        """Milliseconds of each round, and of processor time on average."""
        began, taken = self._used_ms(), []
        for number in range(rounds):
            start = time.perf_counter()
            work(number)
            taken.append((time.perf_counter() - start) * 1000)
        return taken, round((self._used_ms() - began) / rounds, 1) if self._counts else None

    def _used_ms(self) -> float:
        return int((self._group / "cpuacct.usage").read_text()) / 1e6 if self._counts else 0.0


def _first(driver: EmbeddedDriver, spec: BoxSpec) -> BoxId:
    box = driver.create(spec)
    assert driver.execute(box, Command(("true",))).ok
    return box


def _destroy(driver: EmbeddedDriver, boxes: list[BoxId]) -> None:
    for box in boxes:
        driver.destroy(box)


def _spec(code: CodeIn) -> BoxSpec:
    return BoxSpec(labels={"role": "bench"}, code=code, limits=Limits(memory_mb=512), allow_degraded=True)


def spread(values: list[float]) -> dict[str, Any]:
    """What is usual, what is rare, and the least, which other work disturbs least."""
    cuts = quantiles(values, n=20)
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "least": round(min(values), 1)}


def lay_out(repo: Path) -> str:
    """Make a repository of one commit; the commit."""
    repo.mkdir()
    for number in range(FILES):
        (repo / f"file{number}").write_text(f"{number}\n")
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ("-c", "user.name=B", "-c", "user.email=b@example.org")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), (*who, "commit", "-q", "-m", "Lay out")):
        subprocess.run(("git", *command), cwd=repo, check=True, env=env)
    return Repository.open(repo).resolve("HEAD")
