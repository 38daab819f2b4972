"""What must hold between tasks: one id each, dependencies that exist, and no circle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from switchyard.errors import TaskFileError, did_you_mean
from switchyard.packets import TaskId
from switchyard.tasks.model import Task


def check_tasks(tasks: Sequence[Task], *, known: Iterable[TaskId] = ()) -> None:
    """Check the tasks against one another.

    Args:
        tasks: What was read.
        known: Ids that exist elsewhere, so that a dependency on one is no fault.

    Raises:
        TaskFileError: With every duplicate, unknown dependency and circle.
    """
    errors = [*find_duplicates(tasks), *_find_unknown(tasks, set(known)), *_find_circles(tasks)]
    if errors:
        raise TaskFileError.joined(errors)


def find_duplicates(tasks: Sequence[Task]) -> list[TaskFileError]:
    """An error for each task whose id an earlier one has; case alone does not tell two branches apart everywhere."""
    by_id: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        by_id[task.id.lower()].append(task)
    return [
        _fault(later, "id", f"task '{later.id}' exists twice; the other is {_place(first)}")
        for first, *others in by_id.values()
        for later in others
    ]


def _find_unknown(tasks: Sequence[Task], known: set[TaskId]) -> list[TaskFileError]:
    ids = known | {task.id for task in tasks}
    return [
        _fault(
            task,
            f"depends_on.{index}",
            f"task '{task.id}' depends on '{needed}', which does not exist{did_you_mean(needed, ids - {task.id})}",
        )
        for task in tasks
        for index, needed in enumerate(task.depends_on)
        if needed not in ids
    ]


def _find_circles(tasks: Sequence[Task]) -> list[TaskFileError]:
    """One error a circle; each is taken out before the next is looked for."""
    errors = []
    left = {task.id: task for task in tasks}
    while circle := _circle(left):
        path = " → ".join(circle)
        errors.append(
            _fault(
                left[circle[0]],
                "depends_on",
                f"tasks depend on one another in a circle: {path}",
                hint="take one of these dependencies out",
            )
        )
        left = {task_id: task for task_id, task in left.items() if task_id not in circle}
    return errors


def _circle(tasks: dict[TaskId, Task]) -> list[TaskId]:
    """Ids along `depends_on` that come back to the first, which is the smallest; empty where there is none."""
    sorter = TopologicalSorter(
        {task.id: [needed for needed in task.depends_on if needed in tasks] for task in tasks.values()}
    )
    try:
        sorter.prepare()
    except CycleError as err:
        ring: list[TaskId] = list(reversed(err.args[1]))[:-1]
        start = ring.index(min(ring))
        return [*ring[start:], *ring[:start], ring[start]]
    return []


def _fault(task: Task, key: str, problem: str, hint: str = "") -> TaskFileError:
    source = task.source
    return TaskFileError(
        problem,
        file=source.file if source else Path(f"{task.id}.md"),
        line=source.lines.get(key) or source.line(key.split(".", maxsplit=1)[0]) if source else None,
        key=key.split(".", maxsplit=1)[0],
        hint=hint,
    )


def _place(task: Task) -> str:
    if task.source is None:
        return f"{task.id}.md"
    return f"{task.source.file}:{task.source.line('id')}"
