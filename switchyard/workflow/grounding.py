"""What a task's work starts from: the run's base, its parent's branch, or a join of several parents."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard_git import CommitSha, RefName, RefUpdate, Repository, without_password
from switchyard_merge import Conflicted, join_branch_name, join_of

from switchyard.errors import WorkFailed
from switchyard.packets import Conflict, Ground, PlannedTask, RunPlan, Settled, TaskId
from switchyard.workflow.factory import Factory, signature
from switchyard.workflow.paths import printable


def ground_of(
    factory: Factory, plan: RunPlan, task: PlannedTask, parents: Mapping[TaskId, Settled]
) -> Ground | Conflict:
    """The commit to start from and the branch that a pull request will be based on.

    The task's own branch is made here, at that commit, in the factory repository: it exists before the work does.
    A join is made of objects alone and has the same id whenever it is made again.

    Raises:
        ParentGone: A dependency's branch was taken away and the base does not hold its work.
    """
    ground = _find(factory, plan, task, parents)
    if isinstance(ground, Ground):
        keep_branch(factory.quarantine, task.branch, ground.commit)
    return ground


class ParentGone(WorkFailed):
    """The branch of a dependency that an earlier run published is no longer on the remote."""

    def __init__(self, parent: TaskId, settled: Settled, target: str) -> None:
        super().__init__(
            f"the branch of its dependency {parent!r}, {settled.branch}, is gone from {without_password(target)}",
            hint=f"restore it at {settled.head}, or take {parent!r} out of depends_on",
        )


def ground_below(quarantine: Repository, ground: Ground, commit: CommitSha) -> Ground:
    """The part of a ground that a commit holds, so that what others did since does not look undone by it."""
    return ground.model_copy(update={"commit": quarantine.common_base([ground.commit, commit]) or ground.commit})


def keep_branch(quarantine: Repository, branch: str, commit: CommitSha) -> None:
    """Point a branch of the factory repository at a commit; where it was before stays in the wip refs."""
    ref = RefName(f"refs/heads/{branch}")
    there = quarantine.refs(ref).get(ref)
    if there != commit:
        quarantine.update_refs([RefUpdate(ref, commit, there)])


def join_of_task(task: PlannedTask) -> str:
    """The branch that a task's join is pushed to, should it need one."""
    return join_branch_name(task.branch.split("/")[1], task.id)


def _find(factory: Factory, plan: RunPlan, task: PlannedTask, parents: Mapping[TaskId, Settled]) -> Ground | Conflict:
    landed = _landed(factory, plan, parents)
    stacked = [parents[parent] for parent in task.parents if parent not in landed]
    if not stacked:
        return Ground(commit=plan.base_commit, branch=plan.base_branch, grounds=(plan.base_commit,))
    # What landed is in the base, and perhaps in none of the branches that are still open.
    below = [plan.base_commit] if landed & set(task.parents) else []
    grounds = (*below, *(one.head for one in stacked))
    branches = tuple(one.branch for one in stacked)
    if len(grounds) == 1:
        return Ground(commit=grounds[0], branch=branches[0], grounds=grounds, parents=branches)
    joined = join_of(factory.quarantine, grounds, who=signature(plan.timestamp))
    if isinstance(joined, Conflicted):
        clashing = [name for name in task.parents if name not in landed and parents[name].head in joined.between]
        clashing += [TaskId(plan.base_branch)] if plan.base_commit in joined.between else []
        return Conflict(between=tuple(clashing), paths=tuple(printable(path) for path in joined.paths))
    if joined.commit == plan.base_commit:
        return Ground(commit=plan.base_commit, branch=plan.base_branch, grounds=(plan.base_commit,))
    if len(joined.parents) == 1:
        # One parent holds the others: its branch is base enough.
        holder = next(one for one in stacked if one.head == joined.commit)
        return Ground(commit=holder.head, branch=holder.branch, grounds=grounds, parents=branches)
    name = join_of_task(task)
    return Ground(commit=joined.commit, branch=name, join=name, grounds=grounds, parents=branches)


def _landed(factory: Factory, plan: RunPlan, parents: Mapping[TaskId, Settled]) -> set[TaskId]:
    """Dependencies of earlier runs whose work the base holds, though their branch may be gone.

    Raises:
        ParentGone: The branch was taken away though the base does not.
    """
    earlier = {name: parents[name] for name in parents if name in plan.settled}
    known = {name for name, one in earlier.items() if one.landed}
    asked = {name: one for name, one in earlier.items() if name not in known}
    if not asked:
        return known
    there = factory.quarantine.ls_remote(plan.target, [f"refs/heads/{one.branch}" for one in asked.values()])
    gone = {name: one for name, one in asked.items() if f"refs/heads/{one.branch}" not in there}
    for name, one in gone.items():
        if not _is_in_base(factory, plan, one):
            raise ParentGone(name, one, plan.target)
    return known | set(gone)


def _is_in_base(factory: Factory, plan: RunPlan, one: Settled) -> bool:
    """Whether the base holds a dependency's work: as it was, or squashed into a commit that the forge names."""
    if factory.quarantine.is_ancestor(one.head, plan.base_commit):
        return True
    pull = factory.forge.find(one.branch)
    if pull is None or pull.state != "merged":
        return False
    merged = CommitSha(pull.merged_sha)
    return factory.quarantine.has_commit(merged) and factory.quarantine.is_ancestor(merged, plan.base_commit)
