"""Learn how much each property of a candidate says, from changes that were really made.

    python -m benchmarks.train_fusion --repositories DIR --out fusion.json [--set TASKS.jsonl]… [--name OWNER/NAME]…
        [--commits 30] [--check] [--cache DIR]

Tasks come from the repositories themselves (a commit's message without paths and file names, and the files that it
changed; see `benchmarks/commit_tasks.py`) and from the sets given. `--check` also trains without each repository in
turn and prints how its own tasks fare then, which is the figure to go by. Needs lightgbm, which the product does not:
`pip install lightgbm`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from switchyard_context.evidence import gather
from switchyard_context.features import describe_candidates
from switchyard_context.mentions import read_mentions

from benchmarks.commit_tasks import commit_tasks
from benchmarks.localisation import Score, Task, judge, open_task, read_tasks, summarise

ROUNDS = 150
_RISING = ("share:", "rank:", "name_covered")
PARAMETERS: Mapping[str, Any] = {
    "objective": "lambdarank",
    "learning_rate": 0.05,
    "num_leaves": 8,
    "max_depth": 4,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "lambdarank_truncation_level": 15,
    "seed": 3,
    "deterministic": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True)
class Example:
    """One task's candidates as the model sees them."""

    task: Task
    paths: Sequence[str]
    columns: tuple[str, ...]
    rows: npt.NDArray[np.float64]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        return np.array([path in self.task.gold for path in self.paths], dtype=np.int64)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", dest="sets", type=Path, action="append", default=[])
    parser.add_argument("--name", dest="names", action="append", default=[])
    parser.add_argument("--commits", type=int, default=30, help="tasks made of each named repository's newest commits")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args(argv)
    tasks = [task for file in options.sets for task in read_tasks(file)]
    for name in options.names:
        tasks += commit_tasks(options.repositories, name, options.commits)
    with tempfile.TemporaryDirectory(prefix="switchyard-train-") as folder:
        examples = list(read_examples(tasks, options.repositories, options.cache or Path(folder)))
    if options.check:
        print(json.dumps(summarise(leave_one_out(examples)), indent=2))
    options.out.write_text(json.dumps(export(train(examples)), separators=(",", ":")) + "\n", "utf-8")
    return 0


def read_examples(tasks: Sequence[Task], repositories: Path, cache: Path) -> Iterator[Example]:
    """What is known of each task's candidates."""
    for task in tasks:
        codebase, mentions = open_task(task, repositories, cache), read_mentions(task.text)
        found = describe_candidates(codebase, mentions, gather(codebase, mentions))
        yield Example(task, [codebase.graph.files[file] for file in found.files], found.columns, found.rows)


def train(examples: Sequence[Example]) -> Any:
    """Boosted trees that put the changed files first."""
    import lightgbm

    useful = [example for example in examples if example.labels.any()]
    data = lightgbm.Dataset(
        np.vstack([example.rows for example in useful]),
        np.concatenate([example.labels for example in useful]),
        group=[len(example.paths) for example in useful],
        feature_name=[name.replace(":", "_") for name in examples[0].columns],
    )
    # Evidence may only speak for a file: what a model learns to the contrary holds for the repositories it saw.
    rising = [int(name.startswith(_RISING)) for name in examples[0].columns]
    return lightgbm.train({**PARAMETERS, "monotone_constraints": rising}, data, ROUNDS)


def leave_one_out(examples: Sequence[Example]) -> dict[Task, Score]:
    """Each repository's tasks, ranked by a model that has never seen it."""
    scores: dict[Task, Score] = {}
    for name in sorted({example.task.repository for example in examples}):
        model = train([example for example in examples if example.task.repository != name])
        for example in examples:
            if example.task.repository == name:
                order = np.argsort(-model.predict(example.rows), kind="stable")
                scores[example.task] = judge([example.paths[place] for place in order], example.task.gold)
    return scores


def export(model: Any) -> dict[str, Any]:
    """The trees as `switchyard_context.fusion.parse_trees` reads them, over the columns that they use."""
    trees = [_flatten(tree["tree_structure"]) for tree in model.dump_model()["tree_info"]]
    used = sorted({feature for tree in trees for feature in tree["features"]})
    places = {feature: place for place, feature in enumerate(used)}
    for tree in trees:
        tree["features"] = [places[feature] for feature in tree["features"]]
    names = model.feature_name()
    columns = [names[feature].replace("share_", "share:", 1).replace("rank_", "rank:", 1) for feature in used]
    return {"columns": columns, "depth": max(tree.pop("depth") for tree in trees), "trees": trees}


def _flatten(root: Mapping[str, Any]) -> dict[str, Any]:
    features: list[int] = []
    thresholds: list[float] = []
    children: list[list[int]] = []
    leaves: list[float] = []

    def place(node: Mapping[str, Any]) -> tuple[int, int]:
        """The node's number and the steps below it."""
        if "leaf_value" in node:
            leaves.append(float(f"{node['leaf_value']:.6g}"))
            return ~(len(leaves) - 1), 0
        number = len(features)
        features.append(node["split_feature"])
        thresholds.append(float(f"{node['threshold']:.6g}"))
        children.append([0, 0])
        left, right = place(node["left_child"]), place(node["right_child"])
        children[number] = [left[0], right[0]]
        return number, 1 + max(left[1], right[1])

    if "leaf_value" in root:
        return {
            "features": [0],
            "thresholds": [0.0],
            "children": [[-1, -1]],
            "leaves": [root["leaf_value"]],
            "depth": 1,
        }
    _, depth = place(root)
    return {"features": features, "thresholds": thresholds, "children": children, "leaves": leaves, "depth": depth}


if __name__ == "__main__":
    sys.exit(main())
