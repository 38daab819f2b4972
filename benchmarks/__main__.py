"""Runs the benchmarks that need nothing but this checkout; each prints one JSON document."""

from __future__ import annotations

import importlib
import json
import platform
import sys
import time

BENCHMARKS = ("line", "sandbox_boxes", "context_speed")


def main() -> int:
    """Print one JSON document with every benchmark's figures."""
    figures = {name: importlib.import_module(f"benchmarks.{name}").measure() for name in BENCHMARKS}
    machine = {"system": platform.platform(), "python": platform.python_version(), "date": time.strftime("%Y-%m-%d")}
    json.dump({"schema": "switchyard.bench/1", "machine": machine, **figures}, sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
