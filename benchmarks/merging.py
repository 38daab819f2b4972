"""What predicting conflicts and restacking cost on a repository of 5,000 files: best and median of some rounds."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

from switchyard_git import FILE_MODE, CommitSha, RefName, RefUpdate, Repository, Signature
from switchyard_merge import BranchUpdate, find_all_conflicts, push_branches
from switchyard_merge.restack import Layer, Restacked, restack

FOLDERS, FILES_EACH = 100, 50
BRANCHES = 50
ROUNDS = 7
WHO = Signature("Bench", "bench@localhost", 1_700_000_000)
TEXT = "".join(f"line {number}\n" for number in range(60))


def measure() -> dict[str, Any]:
    """Times in milliseconds, rates in checks a second."""
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        repository = Repository.init_bare(Path(folder) / "factory.git")
        origin = Repository.init_bare(Path(folder) / "origin.git")
        base = _commit(
            repository, None, {_path(number): f"{number % 50}\n{TEXT}" for number in range(FOLDERS * FILES_EACH)}
        )
        repository.push(origin.git_dir, [RefUpdate(RefName("refs/heads/main"), base, None)])
        return {
            "files": FOLDERS * FILES_EACH,
            "conflicts": _conflicts(repository, base),
            "restack_chain_10x3_ms": _restacked(repository, origin, base, _chain(repository, base)),
            "restack_dag_50_ms": _restacked(repository, origin, base, _dag(repository, base)),
        }


def _conflicts(repository: Repository, base: CommitSha) -> dict[str, Any]:
    """Branches of which each edits two files, one of them shared with a neighbour."""
    heads = {
        f"b{number}": _commit(
            repository,
            base,
            {_path(97 * number): f"own {number}\n{TEXT}", _path(31 * (number // 2)): f"shared {number}\n{TEXT}"},
        )
        for number in range(BRANCHES)
    }
    pairs = list(combinations(heads.values(), 2))
    one = _times(lambda: repository.merge_trees(pairs))
    two = _times(lambda: repository.merge_trees(pairs, processes=2))
    all_pairs = _times(lambda: find_all_conflicts(repository, heads))
    return {
        "pairs": len(pairs),
        "found": len(find_all_conflicts(repository, heads)),
        "one_process_per_s": {name: round(len(pairs) * 1000 / ms) for name, ms in _told(one).items()},
        "two_processes_per_s": {name: round(len(pairs) * 1000 / ms) for name, ms in _told(two).items()},
        "all_pairs_with_filter_ms": _told(all_pairs),
    }


def _chain(repository: Repository, base: CommitSha) -> list[Layer]:
    """Ten branches, one on the other, three commits each; the first one's ground was rewritten."""
    layers: list[Layer] = []
    floor = base
    for number in range(10):
        tip = floor
        for commit in range(3):
            tip = _commit(repository, tip, {_path(number * 40 + commit): f"{number} {commit}\n{TEXT}"})
        layers.append(Layer(f"c{number}", tip, floor, (), (f"c{number - 1}",) if number else ()))
        floor = tip
    return layers


def _dag(repository: Repository, base: CommitSha) -> list[Layer]:
    """Fifty branches of three commits in five generations of ten."""
    layers: list[Layer] = []
    tips: dict[str, CommitSha] = {}
    for number in range(50):
        parent = f"d{number - 10}" if number >= 10 else ""
        floor = tip = tips.get(parent, base)
        for commit in range(3):
            tip = _commit(repository, tip, {_path(number * 60 + commit): f"{number} {commit}\n{TEXT}"})
        tips[f"d{number}"] = tip
        layers.append(Layer(f"d{number}", tip, floor, (), (parent,) if parent else ()))
    return layers


def _restacked(repository: Repository, origin: Repository, base: CommitSha, layers: list[Layer]) -> dict[str, Any]:
    """Restack onto a base that moved and push all branches at once, a new base every round."""
    there: dict[str, CommitSha | None] = {}
    pushed, alone, used = list[float](), list[float](), list[float]()
    for round_ in range(ROUNDS):
        moved = _commit(repository, base, {_path(4999): f"round {round_}\n{TEXT}"})
        due = [
            layer if layer.on_branches else Layer(layer.branch, layer.tip, layer.floor, (moved,)) for layer in layers
        ]
        began, before = time.perf_counter(), _cpu_s()
        outcomes = restack(repository, due, who=WHO)
        alone.append(time.perf_counter() - began)
        tips = {f"factory/r/{name}": one.tip for name, one in outcomes.items() if isinstance(one, Restacked)}
        assert len(tips) == len(layers)
        push_branches(
            repository, origin.git_dir, [BranchUpdate(name, tip, there.get(name)) for name, tip in tips.items()]
        )
        pushed.append(time.perf_counter() - began)
        used.append(_cpu_s() - before)
        there = dict(tips)
    return {"alone": _told(alone), "with_push": _told(pushed), "with_push_cpu": _told(used)}


def _cpu_s() -> float:
    """What this process and the gits that ended have used: a busy machine adds little."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _times(act: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return times


def _told(times_s: Sequence[float]) -> dict[str, int]:
    """Milliseconds."""
    return {"best": round(min(times_s) * 1000), "median": round(median(times_s) * 1000)}


def _commit(repository: Repository, parent: CommitSha | None, edits: Mapping[str, str]) -> CommitSha:
    blobs = {text: repository.write_blob(text.encode()) for text in set(edits.values())}
    updates = {path: (FILE_MODE, blobs[text]) for path, text in edits.items()}
    tree = repository.write_tree_from(repository.tree_of(parent) if parent else None, updates)
    return repository.commit_tree(tree, [parent] if parent else [], "edit\n", author=WHO, committer=WHO)


def _path(number: int) -> str:
    return f"folder{number % FOLDERS}/sub{number % 7}/file{number // FOLDERS % FILES_EACH}.txt"
