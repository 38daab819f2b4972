"""Holds predicted conflicts against `git merge` on pairs of a real repository's commits.

    python -m benchmarks.merge_verdicts REPOSITORY [--pairs N]

Recent commits become branches of one older commit; each is paired with the others and with what the main line was
later. A prediction is wrong where it says clean and `git merge` in a work tree stops.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from switchyard_git import CommitSha, Repository, Signature
from switchyard_merge import find_all_conflicts
from switchyard_merge.restack import Layer, Restacked, restack

BRANCHES = 60
BEHIND = 150
LATER = 10
WHO = Signature("Bench", "bench@localhost", 1_700_000_000)
_SETTINGS = ("user.name=x", "user.email=x@x", "merge.directoryRenames=conflict", "merge.renameLimit=7000", "gc.auto=0")


def verdicts(source: Path, pairs: int) -> dict[str, Any]:
    """How many predictions were right, and the pairs where they were not."""
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        work = Path(folder) / "work"
        _run(Path(folder), "clone", "--quiet", "--shared", str(source), str(work))
        repository = Repository.open(work)
        heads = _heads(repository)
        predicted = {(one.head, one.other) for one in find_all_conflicts(repository, heads)}
        every = list(combinations(heads, 2))
        clashing = [pair for pair in every if pair in predicted]
        calm = [pair for pair in every if pair not in predicted]
        random.Random(4).shuffle(calm)
        chosen = (clashing[: pairs // 2] + calm)[:pairs]
        chosen.sort()
        wrong: dict[str, list[str]] = {"false_clean": [], "false_conflict": []}
        for one, other in chosen:
            clean = _merges(work, heads[one], heads[other])
            if clean == ((one, other) in predicted):
                wrong["false_conflict" if clean else "false_clean"].append(f"{heads[one]} {heads[other]}")
        return {"pairs": len(chosen), "conflicts": len(set(chosen) & predicted), **wrong}


def _heads(repository: Repository) -> dict[str, CommitSha]:
    line = repository.first_parent_log("HEAD", limit=2 * BEHIND)
    base = line[BEHIND].sha
    commits = [one for one in line[: BEHIND + 50] if len(one.parents) in (1, 2)]
    layers = [Layer(f"branch{number}", one.sha, one.parents[0], (base,)) for number, one in enumerate(commits)]
    outcomes = restack(repository, layers, who=WHO)
    moved = {name: it.tip for name, it in outcomes.items() if isinstance(it, Restacked) and not it.is_empty}
    chosen = dict(sorted(moved.items(), key=lambda item: item[1])[:BRANCHES])
    later = {f"later{number}": line[BEHIND * number // LATER].sha for number in range(LATER)}
    return chosen | later


def _merges(work: Path, ours: CommitSha, theirs: CommitSha) -> bool:
    _run(work, "checkout", "--quiet", "--force", "--detach", ours)
    done = _run(work, "merge", "--no-commit", "--no-ff", "--quiet", theirs, check=False)
    _run(work, "reset", "--quiet", "--hard")
    _run(work, "clean", "-qfdx")
    return done == 0


def _run(cwd: Path, *arguments: str, check: bool = True) -> int:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    return subprocess.run(("git", *settings, *arguments), cwd=cwd, check=check, capture_output=True).returncode


def main(argv: Sequence[str] | None = None) -> int:
    """Print one JSON document; exit 1 where a prediction said clean and git stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--pairs", type=int, default=700)
    options = parser.parse_args(argv)
    told = verdicts(options.repository.absolute(), options.pairs)
    json.dump(told, sys.stdout, indent=2)
    print()
    return 1 if told["false_clean"] else 0


if __name__ == "__main__":
    sys.exit(main())
