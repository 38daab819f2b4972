"""From a text to files: how often the files that a real change touched are among the first ones.

    python -m benchmarks.localisation --set TASKS.jsonl --repositories DIR [--only KIND] [--cache DIR]

Tasks are rows of JSON with `id`, `kind`, `repo` (owner/name), `base_commit`, `text` and `gold_files`; repositories are
git directories `DIR/owner+name` or `DIR/owner+name/repo`. Only the base commit and its ancestors are read. Candidates
are source files that are not tests; a gold file that looks like a test is added back. Acc@k: all gold files among the
first k; R@k: the mean share of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_context import Codebase, is_test, open_codebase, open_source
from switchyard_context.rank import rank_files

_CUTS = (1, 5, 10)
_DEPTH = 60


@dataclass(frozen=True)
class Task:
    """One text and the files that answered it."""

    id: str
    kind: str
    repository: str
    base: str
    text: str
    gold: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """One task's result: at each cut, whether all gold files were in and which share."""

    complete: Mapping[int, float]
    share: Mapping[int, float]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="tasks", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--only", help="one kind of task")
    parser.add_argument("--cache", type=Path, help="kept between runs; default: a folder of this run's own")
    options = parser.parse_args(argv)
    tasks = [task for task in read_tasks(options.tasks) if options.only in (None, task.kind)]
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        scores = {task: measure(task, options.repositories, options.cache or Path(folder)) for task in tasks}
    print(json.dumps({"benchmark": "localisation", **summarise(scores)}, indent=2))
    return 0


def read_tasks(file: Path) -> list[Task]:
    """The tasks of a file, in its order."""
    rows = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    return [
        Task(row["id"], row["kind"], row["repo"], row["base_commit"], row["text"], tuple(row["gold_files"]))
        for row in rows
    ]


def open_task(task: Task, repositories: Path, cache: Path) -> Codebase:
    """The tree that the task starts from."""
    folder = repositories / task.repository.replace("/", "+")
    return open_codebase(open_source(folder / "repo" if (folder / "repo").is_dir() else folder, task.base), cache)


def measure(task: Task, repositories: Path, cache: Path) -> Score:
    """Rank the files for one task."""
    ranked = [item.path for item in rank_files(open_task(task, repositories, cache), task.text, _DEPTH)]
    return judge([path for path in ranked if path in task.gold or not is_test(path)], task.gold)


def judge(ranked: Sequence[str], gold: Sequence[str]) -> Score:
    """Compare an order with the files it should begin with."""
    share = {cut: len(set(ranked[:cut]) & set(gold)) / len(set(gold)) for cut in _CUTS}
    return Score({cut: float(value == 1) for cut, value in share.items()}, share)


def summarise(scores: Mapping[Task, Score]) -> dict[str, object]:
    """A row a kind, and under it a row a repository and the mean over repositories; in percent."""
    kinds: dict[str, object] = {}
    for kind in sorted({task.kind for task in scores}):
        own = {task: score for task, score in scores.items() if task.kind == kind}
        names = sorted({task.repository for task in own})
        rows = {name: average(score for task, score in own.items() if task.repository == name) for name in names}
        macro = {key: round(statistics.fmean(row[key] for row in rows.values()), 1) for key in rows[names[0]]}
        kinds[kind] = {"all": average(own.values()), "mean_of_repositories": macro, "repositories": rows}
    return kinds


def average(scores: Iterable[Score]) -> dict[str, float]:
    """Means over tasks, in percent."""
    found = list(scores)
    row: dict[str, float] = {"tasks": len(found)}
    for cut in _CUTS:
        row[f"acc@{cut}"] = round(100 * statistics.fmean(score.complete[cut] for score in found), 1)
        row[f"recall@{cut}"] = round(100 * statistics.fmean(score.share[cut] for score in found), 1)
    return row


if __name__ == "__main__":
    sys.exit(main())
