"""What predicting conflicts and restacking cost on a repository of 5,000 files; times are the best of some rounds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
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
    one = _best(lambda: repository.merge_trees(pairs))
    two = _best(lambda: repository.merge_trees(pairs, processes=2))
    all_pairs = _best(lambda: find_all_conflicts(repository, heads))
    return {
        "pairs": len(pairs),
        "found": len(find_all_conflicts(repository, heads)),
        "one_process_per_s": round(len(pairs) / one),
        "two_processes_per_s": round(len(pairs) / two),
        "all_pairs_with_filter_ms": round(all_pairs * 1000),
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


def _restacked(repository: Repository, origin: Repository, base: CommitSha, layers: list[Layer]) -> dict[str, float]:
    """Restack onto a base that moved and push all branches at once, a new base every round."""
    there: dict[str, CommitSha | None] = {}
    pushed, alone = [], []
    for round_ in range(ROUNDS):
        moved = _commit(repository, base, {_path(4999): f"round {round_}\n{TEXT}"})
        due = [
            layer if layer.on_branches else Layer(layer.branch, layer.tip, layer.floor, (moved,)) for layer in layers
        ]
        began = time.perf_counter()
        outcomes = restack(repository, due, who=WHO)
        alone.append(time.perf_counter() - began)
        tips = {f"factory/r/{name}": one.tip for name, one in outcomes.items() if isinstance(one, Restacked)}
        assert len(tips) == len(layers)
        push_branches(
            repository, origin.git_dir, [BranchUpdate(name, tip, there.get(name)) for name, tip in tips.items()]
        )
        pushed.append(time.perf_counter() - began)
        there = dict(tips)
    return {"alone": round(min(alone) * 1000), "with_push": round(min(pushed) * 1000)}


def _best(act: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return min(times)


def _commit(repository: Repository, parent: CommitSha | None, edits: Mapping[str, str]) -> CommitSha:
    blobs = {text: repository.write_blob(text.encode()) for text in set(edits.values())}
    updates = {path: (FILE_MODE, blobs[text]) for path, text in edits.items()}
    tree = repository.write_tree_from(repository.tree_of(parent) if parent else None, updates)
    return repository.commit_tree(tree, [parent] if parent else [], "edit\n", author=WHO, committer=WHO)


def _path(number: int) -> str:
    return f"folder{number % FOLDERS}/sub{number % 7}/file{number // FOLDERS % FILES_EACH}.txt"
