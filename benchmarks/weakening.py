"""How often real changes to tests are called weakening, and how long that takes.

    python -m benchmarks.weakening PATH [--commits N] [--show KIND]…

Reads the last N commits of the repository at PATH that touch tests and have one parent. History holds no labels: the
rates by kind say what a person would be asked to look at, and `--show` prints findings to judge by hand.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from switchyard.gates.test_files import TEST_PATTERNS
from switchyard.gates.weakening import Severity, Weakening, find_weakening

Change = tuple[str, dict[str, bytes], dict[str, bytes]]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--show", action="append", default=[], help="print the findings of this kind, or of all")
    options = parser.parse_args(argv)
    print(json.dumps(measure(options.repository, options.commits, options.show), indent=2))
    return 0


def measure(repository: Path, commits: int, show: Sequence[str] = ()) -> dict[str, object]:
    """Rates per commit, and seconds per changed file, as JSON values."""
    kinds: Counter[str] = Counter()
    alarmed = changed = seen = files = 0
    spent = 0.0
    for commit, before, after in _changes(repository, commits):
        began = time.perf_counter()
        found = find_weakening(before, after)
        spent += time.perf_counter() - began
        seen += 1
        files += len(before.keys() | after.keys())
        kinds.update({item.kind.value for item in found})
        alarmed += any(item.kind.severity is Severity.WEAKENED for item in found)
        changed += any(item.kind.severity is Severity.CHANGED for item in found)
        _show(commit, found, show)
    return {
        "benchmark": "weakening",
        "repository": repository.name,
        "commits": seen,
        "files": files,
        "weakened": round(alarmed / max(seen, 1), 3),
        "changed": round(changed / max(seen, 1), 3),
        "kinds": dict(kinds.most_common()),
        "ms_per_file": round(1000 * spent / max(files, 1), 1),
    }


def _show(commit: str, found: Sequence[Weakening], kinds: Sequence[str]) -> None:
    for item in found:
        if item.kind.value in kinds or "all" in kinds:
            print(f"{commit[:9]} {item.kind.value} {item.path}:{item.line} {item.test}")
            print(f"    {item.before[:110]} -> {item.after[:110]} ({item.why})")


def _changes(repository: Path, commits: int) -> Iterator[Change]:
    patterns = [f":(glob){pattern}" for pattern in TEST_PATTERNS]
    listed = _git(repository, "log", "--no-merges", f"-{commits}", "--format=%H", "HEAD", "--", *patterns)
    for commit in listed.decode().split():
        raw = _git(repository, "diff-tree", "-r", "-z", "--no-renames", f"{commit}^", commit, check=False)
        words = raw.decode("utf-8", "replace").split("\0")
        sides: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})
        for header, path in zip(words[::2], words[1::2], strict=False):
            for side, blob in zip(sides, header.split()[2:4], strict=False):
                if set(blob) != {"0"}:
                    side[path] = _git(repository, "cat-file", "blob", blob, check=False)
        yield commit, *sides


def _git(repository: Path, *arguments: str, check: bool = True) -> bytes:
    command = ("git", "-C", str(repository), *arguments)
    return subprocess.run(command, check=check, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


if __name__ == "__main__":
    raise SystemExit(main())
