"""The context of a task: what the import graph says matters, within the budget, as artifacts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from switchyard_context import (
    ImportGraph,
    Request,
    Selection,
    Source,
    build_graph,
    open_source,
    render_markdown,
    select,
)
from switchyard_git import CommitSha

from switchyard.packets import Ground, PlannedTask, SelectedContext, TaskId
from switchyard.tasks import Task
from switchyard.workflow.factory import Factory, Places

IMPORT_HOPS = 1
"""Tasks overlap when one's write set comes this close to the other's."""


def select_context(factory: Factory, task: PlannedTask, ground: Ground) -> SelectedContext:
    """Select from the tree of the task's own base, so that parents' work is seen; kept as artifacts."""
    budget = factory.config.context.budget_tokens
    selection, source = choose_context(factory.places, factory.places.factory, ground.commit, task, budget)
    return SelectedContext(
        listing=factory.artifacts.put(json.dumps(selection.as_json(), ensure_ascii=False).encode()),
        markdown=factory.artifacts.put(render_markdown(selection, source).encode()),
        files=len(selection.files),
        tokens=selection.tokens,
    )


def choose_context(
    places: Places, repository: Path, commit: CommitSha, task: PlannedTask, budget_tokens: int
) -> tuple[Selection, Source]:
    """What matters for a task at a commit, and the tree that it was read from."""
    source = open_source(repository, commit)
    graph = build_graph(source, places.cache)
    request = Request(
        text=f"{task.title}\n\n{task.body}",
        targets=task.targets,
        always=task.context_files,
        budget_tokens=budget_tokens,
    )
    return select(graph, source, request), source


def overlaps_of(graph: ImportGraph, tasks: Sequence[Task]) -> dict[TaskId, set[TaskId]]:
    """Which tasks may not be under way at once, predicted from their targets.

    Two collide when their targets meet, or when one's targets meet the files within an import hop of the other's.
    """
    near = {task.id: graph.closure(task.targets, hops=IMPORT_HOPS) | set(task.targets) for task in tasks}
    targets: Mapping[TaskId, Collection[str]] = {task.id: set(task.targets) for task in tasks}
    found: dict[TaskId, set[TaskId]] = {task.id: set() for task in tasks}
    for one in tasks:
        for other in tasks:
            if one.id != other.id and not near[one.id].isdisjoint(targets[other.id]):
                found[one.id].add(other.id)
                found[other.id].add(one.id)
    return found
