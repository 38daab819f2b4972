"""What the factory remembers of the stacks it published: noted with each push, or told by the ledger afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard_git import CommitSha, RefMoved, Repository
from switchyard_merge import Plan, RecordedBranch, StackRecord, Stand, join_branch_name

from switchyard.ledger import FactoryView, TaskView
from switchyard.packets import TaskId

FACTORY = "factory/"
_TRIES = 20


def stack_name(base: str) -> str:
    """The record of what the factory published onto a base branch."""
    return f"{FACTORY}{base}"


def note_branch(repository: Repository, name: str, base: str, branch: str, recorded: RecordedBranch) -> None:
    """Put a branch that was just pushed into the record of its stack, whoever else changes that meanwhile.

    Raises:
        RefMoved: Others changed the record again and again.
    """
    for tries_left in reversed(range(_TRIES)):
        record, version = StackRecord.load(repository, name) or (StackRecord(name, base), None)
        there = record.branches.get(branch)
        if there is not None and there.aim.tip == recorded.aim.tip:
            return
        try:
            record.with_branches({branch: recorded}).save(repository, version)
            return
        except RefMoved:
            if not tries_left:
                raise


def ensure_record(repository: Repository, view: FactoryView, base: str) -> bool:
    """See that there is a record of what was published onto a base; whether there is anything to remember.

    A pull request from before there were records is noted as the ledger tells it.
    """
    name = stack_name(base)
    if StackRecord.load(repository, name) is not None:
        return True
    branches = _told(repository, view, base)
    if branches:
        try:
            StackRecord(name, base, branches).save(repository, None)
        except RefMoved:
            # Somebody else made it in between, from the same ledger.
            return True
    return bool(branches)


def _told(repository: Repository, view: FactoryView, base: str) -> dict[str, RecordedBranch]:
    open_ones = {
        name: task
        for name, task in view.latest.items()
        if task.pull_request and task.state in ("published", "approved") and view.runs[task.run_id].base_branch == base
    }
    order = Plan.of({name: [one for one in task.parents if one in open_ones] for name, task in open_ones.items()}).order
    known = [(TaskId(name), open_ones[TaskId(name)]) for name in order]
    return {
        task.branch: RecordedBranch((_stand(repository, task, open_ones),), join_branch_name(_run_of(task), name))
        for name, task in known
        if repository.has_commit(CommitSha(task.head)) and repository.has_commit(CommitSha(task.base))
    }


def _stand(repository: Repository, task: TaskView, others: Mapping[TaskId, TaskView]) -> Stand:
    floor = CommitSha(task.base)
    grounds: tuple[CommitSha, ...] = (floor,)
    if task.join:
        (commit,) = repository.read_commits([floor])
        grounds = tuple(commit.parents)
    parents = tuple(others[one].branch for one in task.parents if one in others and others[one].head in grounds)
    return Stand(CommitSha(task.head), floor, grounds, parents)


def _run_of(task: TaskView) -> str:
    return task.branch.split("/")[1]
