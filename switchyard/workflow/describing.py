"""What a pull request tells: the task, what proves it, what it stands on, and the map of its stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel
from switchyard_git import CommitSha
from switchyard_merge import (
    CheckLine,
    Marker,
    ParentLine,
    PullRequestText,
    StackEntry,
    refresh_body,
    render_body,
)

from switchyard.packets import CheckResult, PlannedTask, RunPlan, Settled, TaskId, TaskResult
from switchyard.workflow.factory import Factory


def describe_pull_request(
    plan: RunPlan,
    task: PlannedTask,
    settled: Mapping[TaskId, Settled],
    head: CommitSha,
    checks: Sequence[CheckResult],
    stack: Sequence[StackEntry] = (),
) -> str:
    """The body of a task's pull request; `stack` is empty while its other members are not open yet."""
    return render_body(
        PullRequestText(
            marker=Marker(task=task.id, run=plan.run_id, head=head),
            title=task.title,
            description=task.body,
            acceptance=task.acceptance,
            checks=[CheckLine(check.name, check.passed, check.duration_s, check.output) for check in checks],
            parents=[
                ParentLine(parent, number) for parent in task.parents if (number := settled[parent].number) is not None
            ],
            stack=stack,
            base=plan.base_branch,
        )
    )


def map_stacks(
    factory: Factory, plan: RunPlan, results: Mapping[TaskId, TaskResult], settled: Mapping[TaskId, Settled]
) -> BaseModel | None:
    """Give every pull request of the run the map of its whole stack; what stands there already is not written again."""
    for task in plan.tasks:
        result = results[task.id]
        if result.number is None or result.head is None:
            continue
        stack = _stack_of(plan, task, results, settled)
        body = describe_pull_request(plan, task, settled, result.head, result.checks, stack)
        refresh_body(factory.forge, result.number, body)
    return None


def _stack_of(
    plan: RunPlan,
    task: PlannedTask,
    results: Mapping[TaskId, TaskResult],
    settled: Mapping[TaskId, Settled],
) -> list[StackEntry]:
    """Everything that hangs together with the task, in topological order."""
    linked: dict[TaskId, set[TaskId]] = {}
    for member in plan.tasks:
        for parent in member.parents:
            linked.setdefault(member.id, set()).add(parent)
            linked.setdefault(parent, set()).add(member.id)
    together, waiting = {task.id}, [task.id]
    while waiting:
        for neighbour in linked.get(waiting.pop(), set()) - together:
            together.add(neighbour)
            waiting.append(neighbour)
    earlier = [StackEntry(name, name, settled[name].number) for name in sorted(together & plan.settled.keys())]
    return earlier + [
        StackEntry(member.id, member.title, results[member.id].number, member.parents, results[member.id].state)
        for member in plan.tasks
        if member.id in together
    ]
