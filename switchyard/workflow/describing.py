"""What a pull request tells when it is opened: the task, what proves it, and what it stands on."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard_git import CommitSha
from switchyard_merge import (
    CheckLine,
    Marker,
    ParentLine,
    PullRequestText,
    render_body,
)

from switchyard.packets import PlannedTask, Proof, RunPlan, Settled, TaskId


def describe_pull_request(
    plan: RunPlan,
    task: PlannedTask,
    settled: Mapping[TaskId, Settled],
    head: CommitSha,
    proof: Proof,
    page: str = "",
) -> str:
    """The body of a task's pull request, as it is opened; the map of its stack comes once the others are open.

    Args:
        page: What a reader is told of the proof; "" leaves the table of checks.
    """
    return render_body(
        PullRequestText(
            marker=Marker(task=task.id, run=plan.run_id, head=head),
            title=task.title,
            description=task.body,
            acceptance=task.acceptance,
            checks=[CheckLine(check.name, check.passed, check.duration_s, check.output) for check in proof.checks],
            page=page,
            parents=[
                ParentLine(parent, number) for parent in task.parents if (number := settled[parent].number) is not None
            ],
            base=plan.base_branch,
        )
    )
