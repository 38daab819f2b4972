"""Runs the benchmarks and prints one JSON document.

    python -m benchmarks [--tasks TASKS.jsonl] [--repositories DIR] [--only NAME]…

Some need nothing but this checkout. Localisation and selection are scored on TASKS.jsonl, edges on whichever of the
repositories below DIR holds; both are read from git directories `DIR/owner+name` or `DIR/owner+name/repo`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ALONE = ("line", "sandbox_boxes", "sandbox_daytona", "sandbox_docker", "context_speed", "merging")
EDGES = {
    "python": ("pytest-dev/pytest", "sphinx-doc/sphinx", "pydata/xarray"),
    "typescript": ("trpc/trpc", "vuejs/core"),
    "go": ("caddyserver/caddy", "cli/cli"),
    "java": ("google/gson", "apache/commons-lang"),
    "rust": ("clap-rs/clap", "tokio-rs/tokio"),
}
"""Language → repositories that its edges are compared on; `edges_<language>` names the oracle and its limits."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print one JSON document with every benchmark's figures; what could not be measured says why."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tasks", type=Path, help="rows to score localisation and selection on")
    parser.add_argument("--repositories", type=Path, help="folder of git directories owner+name")
    parser.add_argument("--only", action="append", help="run this benchmark only; may be repeated")
    options = parser.parse_args(argv)
    runs = _runs(options.tasks, options.repositories)
    unknown = sorted(set(options.only or ()) - set(runs))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(runs)}")
    figures = {name: run() for name, run in runs.items() if not options.only or name in options.only}
    machine = {"system": platform.platform(), "python": platform.python_version(), "date": time.strftime("%Y-%m-%d")}
    json.dump({"schema": "switchyard.bench/1", "machine": machine, **figures}, sys.stdout, indent=2)
    print()
    return 0


def _runs(tasks: Path | None, repositories: Path | None) -> dict[str, Callable[[], Any]]:
    runs: dict[str, Callable[[], Any]] = {name: importlib.import_module(f"benchmarks.{name}").measure for name in ALONE}
    scored = (str(tasks), str(repositories)) if tasks and repositories else None
    runs["localisation"] = lambda: (
        _run("localisation", "--set", scored[0], "--repositories", scored[1]) if scored else _unscored()
    )
    runs["context_selection"] = lambda: _run("context_selection", *scored) if scored else _unscored()
    runs["edges"] = lambda: _edges(repositories) if repositories else {"skipped": "give --repositories"}
    return runs


def _unscored() -> dict[str, str]:
    return {"skipped": "give --tasks and --repositories"}


def _edges(repositories: Path) -> dict[str, Any]:
    """Language → repository → precision and recall against the language's own tools."""
    return {
        language: {name: _edges_of(language, repositories / name.replace("/", "+")) for name in names}
        for language, names in EDGES.items()
    }


def _edges_of(language: str, folder: Path) -> Any:
    place = folder / "repo" if (folder / "repo").is_dir() else folder
    return _run(f"edges_{language}", str(place)) if place.is_dir() else {"skipped": f"{folder.name} is not there"}


def _run(name: str, *arguments: str) -> Any:
    """A benchmark in a process of its own: one that lacks its oracle must not take the others' figures with it."""
    done = subprocess.run(
        (sys.executable, "-m", f"benchmarks.{name}", *arguments), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"failed": (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]}
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
