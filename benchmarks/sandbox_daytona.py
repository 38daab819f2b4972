"""What the Daytona driver adds to the service's own time, from create to the end of a box's first command.

Measured on the tests' stand-in: the driver's time less the time in which the stand-in had a request to answer.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from switchyard_git import Repository
from switchyard_sandbox import BoxSpec, CodeIn, Command, Limits
from switchyard_sandbox.daytona.driver import DaytonaDriver

from benchmarks.sandbox_boxes import FILES, lay_out, spread

ROUNDS = 20


def measure() -> dict[str, Any]:
    """Milliseconds over a checkout of 5,000 files."""
    # The stand-in belongs to the tests; it is imported as they do.
    sys.path.append(str(Path(__file__).parent.parent / "tests"))
    from fakes.daytona.checking import KEY
    from fakes.daytona.standin import StandIn

    service = StandIn()
    try:
        with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
            root = Path(folder)
            commit = lay_out(root / "repo")
            Repository.init_bare(root / "quarantine.git")
            driver = DaytonaDriver(
                root / "state", owner="bench", api_key=KEY, api_url=service.url, target="here", image="debian:12"
            )
            code = CodeIn(repository=root / "repo" / ".git", commit=commit, anchor=commit)
            rounds = [_round(driver, code, service) for _ in range(ROUNDS + 1)]
            return {
                "files": FILES,
                "own_ms": spread([own for own, _, _ in rounds[1:]]),
                "own_cpu_ms": spread([cpu for _, cpu, _ in rounds[1:]]),
                "with_the_stand_in_ms": spread([whole for _, _, whole in rounds[1:]]),
                "first_ever_own_ms": round(rounds[0][0], 1),
            }
    finally:
        service.close()


def _round(driver: DaytonaDriver, code: CodeIn, service: Any) -> tuple[float, float, float]:
    """Our own time, our processor's time, and all of it."""
    service.reset()
    began, busy = time.monotonic(), time.process_time()
    spec = BoxSpec(labels={"role": "bench"}, code=code, limits=Limits(memory_mb=512), allow_degraded=True)
    box = driver.create(spec)
    driver.execute(box, Command(argv=("true",)))
    ended, busy = time.monotonic(), time.process_time() - busy
    waited = _covered([(begin, end) for begin, end, _ in service.report()["spans"]], began, ended)
    driver.destroy(box)
    return (ended - began - waited) * 1000, busy * 1000, (ended - began) * 1000


def _covered(spans: list[tuple[float, float]], began: float, ended: float) -> float:
    """How long at least one of the spans lasted, in seconds; both processes share the machine's clock."""
    total, reached = 0.0, began
    for begin, end in sorted(spans):
        begin, end = max(begin, reached), min(end, ended)
        if end > begin:
            total += end - begin
            reached = end
    return total
