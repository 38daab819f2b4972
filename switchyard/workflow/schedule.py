"""Which tasks may start now: parents done, nothing that overlaps running, a slot free."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from switchyard.packets import PlannedTask, TaskId, TaskState

SETTLED: frozenset[TaskState] = frozenset({"published", "approved", "landed"})
"""States of a parent on which a child may build."""


def ready(
    tasks: Sequence[PlannedTask],
    finished: Mapping[TaskId, TaskState],
    running: Collection[TaskId],
    *,
    slots: int,
) -> list[PlannedTask]:
    """Tasks to start now, in plan order, at most the free slots.

    Args:
        tasks: The run's tasks in topological order, priority first among equals.
        finished: How ended tasks ended, parents from earlier runs included.
        running: Tasks under way.
        slots: How many may run at once in all.
    """
    busy = set(running)
    chosen: list[PlannedTask] = []
    for task in tasks:
        if len(busy) >= slots:
            break
        if task.id in finished or task.id in busy or not _may_build(task, finished):
            continue
        if busy & set(task.overlaps):
            continue
        chosen.append(task)
        busy.add(task.id)
    return chosen


def blocked_by(task: PlannedTask, finished: Mapping[TaskId, TaskState]) -> list[TaskId]:
    """The dependencies on which this task can't build, as they ended."""
    return [parent for parent in task.depends_on if finished.get(parent) not in SETTLED]


def _may_build(task: PlannedTask, finished: Mapping[TaskId, TaskState]) -> bool:
    return all(finished.get(parent) in SETTLED for parent in task.depends_on)
