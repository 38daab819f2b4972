"""The context of a task: what the import graph says matters, within the budget, as artifacts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import permutations
from pathlib import PurePosixPath

from switchyard_context import (
    ImportGraph,
    Request,
    Selection,
    is_test,
    render_markdown,
    select,
)
from switchyard_git import CommitSha

from switchyard.packets import Ground, PlannedTask, RunPlan, SelectedContext, TaskId
from switchyard.workflow.factory import Factory
from switchyard.workflow.graphs import read_commit
from switchyard.workflow.places import Places

IMPORT_HOPS = 1
"""Tasks overlap when one's write set comes this close to the other's."""


MAX_SEEDS = 8
"""So many of the files that its parents changed a task without targets starts from."""


def select_context(factory: Factory, plan: RunPlan, task: PlannedTask, ground: Ground) -> SelectedContext:
    """Select from the tree of the task's own base, so that parents' work is seen; kept as artifacts."""
    budget = factory.config.context.budget_tokens
    seeds = parents_changes(factory, plan, task, ground)
    selection = choose_context(factory.places, ground.commit, task, budget, seeds)
    return SelectedContext(
        listing=factory.artifacts.put(json.dumps(selection.as_json()).encode()),
        markdown=factory.artifacts.put(render_markdown(selection).encode("utf-8", "backslashreplace")),
        files=len(selection.files),
        tokens=selection.tokens,
    )


def parents_changes(factory: Factory, plan: RunPlan, task: PlannedTask, ground: Ground) -> list[str]:
    """Where a task without targets starts: the source files that its parents changed, those that it names first."""
    quarantine = factory.quarantine
    if task.targets or not task.parents or ground.commit == plan.base_commit:
        return []
    # Parents of an earlier run may stand on an older base than this run's.
    before = quarantine.common_base([plan.base_commit, ground.commit])
    if before is None:
        return []
    codebase = read_commit(factory.places, ground.commit)
    changed = [change.path for change in quarantine.changes(before, ground.commit)]
    there = [path for path in changed if path in codebase.source.blobs]
    sources = [path for path in there if path in codebase.graph and not is_test(path)]
    said = f"{task.title}\n{task.body}"
    return sorted(sources or there, key=lambda path: (PurePosixPath(path).stem not in said, path))[:MAX_SEEDS]


def choose_context(
    places: Places, commit: CommitSha, task: PlannedTask, budget_tokens: int, seeds: Sequence[str] = ()
) -> Selection:
    """What matters for a task at a commit."""
    codebase = read_commit(places, commit)
    request = Request(
        text="\n\n".join(part for part in (task.title, task.body, *task.acceptance, task.test_requirements) if part),
        targets=task.targets,
        seeds=seeds,
        always=task.context_files,
        budget_tokens=budget_tokens,
    )
    return select(codebase, request)


def overlaps_of(graph: ImportGraph, targets: Mapping[TaskId, Sequence[str]]) -> dict[TaskId, set[TaskId]]:
    """Which tasks may not be under way at once, predicted from the targets of each.

    Two collide when their targets meet, or when one's targets meet the files within an import hop of the other's.
    """
    writes = {name: _expand(named, graph.files) for name, named in targets.items()}
    near = {
        task_id: paths | graph.closure(paths, IMPORT_HOPS) | graph.dependents(paths, IMPORT_HOPS)
        for task_id, paths in writes.items()
    }
    found: dict[TaskId, set[TaskId]] = {name: set() for name in targets}
    for one, other in permutations(writes, 2):
        if not near[one].isdisjoint(writes[other]):
            found[one].add(other)
            found[other].add(one)
    return found


def _expand(targets: Sequence[str], files: Sequence[str]) -> set[str]:
    """The files that targets mean: a path as it is, there or not; a folder or a pattern as what it holds."""
    meant = set(targets)
    for target in targets:
        folder = target.rstrip("/") + "/"
        meant.update(path for path in files if path.startswith(folder) or fnmatchcase(path, target))
    return meant
