"""What the line itself costs: the demo's whole time, and the time per task that is neither agent nor check."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 3


def measure() -> dict[str, Any]:
    """Run the demo a few times; times in seconds, memory in MiB, the best and the median round."""
    rounds = [_round() for _ in range(ROUNDS)]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "demo_s": {"best": min(r["wall_s"] for r in rounds), "median": median(r["wall_s"] for r in rounds)},
        "run_to_first_command_s": min(r["first_command_s"] for r in rounds),
        "overhead_per_task_s": min(r["overhead_per_task_s"] for r in rounds),
        "peak_memory_mib": round(peak, 1),
    }


def _round() -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        began = time.time()
        command = [sys.executable, "-m", "switchyard.cli.main", "demo", "--quiet", "--keep", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.time() - began
        events = _events(Path(folder) / "repo")
    started = _time(next(event for event in events if event["event_type"] == "run_started"))
    first = _time(next(event for event in events if event["event_type"] == "sandbox_created"))
    return {
        "wall_s": round(wall, 2),
        "first_command_s": round(first - started, 3),
        "overhead_per_task_s": round(_overhead(events), 3),
    }


def _events(repo: Path) -> list[dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "switchyard.cli.main",
        "ledger",
        "tail",
        "--json",
        "-n",
        "100000",
        "--repo",
        str(repo),
    ]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def _overhead(events: list[dict[str, Any]]) -> float:
    """Seconds a task: from claim to end, less what its agent and its checks took."""
    spans: dict[str, list[float]] = {}
    inside: dict[str, float] = {}
    for event in events:
        if event["event_type"] in ("task_claimed", "task_finished"):
            spans.setdefault(event["task_id"], []).append(_time(event))
        if event["event_type"] in ("attempt_extracted", "check_passed", "check_failed"):
            inside[event["task_id"]] = inside.get(event["task_id"], 0.0) + event["data"]["duration_s"]
    return median(span[-1] - span[0] - inside.get(task, 0.0) for task, span in spans.items())


def _time(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()
