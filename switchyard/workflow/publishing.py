"""From an accepted commit to a branch on the remote and an open pull request; each looks before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from switchyard_git import CommitSha, Repository
from switchyard_merge import (
    BranchUpdate,
    ForgeRefused,
    RecordedBranch,
    Stand,
    find_conflicts,
    is_join_branch,
    open_or_adopt,
    push_branches,
)
from switchyard_merge.forge.contract import NewPullRequest

from switchyard.packets import Conflict, Ground, PlannedTask, Publication, Pushed, RunPlan
from switchyard.workflow.factory import Factory
from switchyard.workflow.grounding import join_of_task, keep_branch
from switchyard.workflow.paths import printable
from switchyard.workflow.recording import note_branch, stack_name

PREFIX = "factory/"


def push_if_clean(factory: Factory, plan: RunPlan, task: PlannedTask, ground: Ground, head: CommitSha) -> Pushed:
    """Push the branch, and its join where it has one, unless it conflicts with what stands open or with the base.

    A branch that is already there as it should be is adopted. One task at a time, so that two can't miss each other.

    Raises:
        StaleBranch: The branch on the remote is not what the factory left there; a person's work is never overwritten.
    """
    quarantine = factory.quarantine
    keep_branch(quarantine, task.branch, head)
    with factory.publishing:
        there = quarantine.ls_remote(plan.target, [f"refs/heads/{PREFIX}*"])
        tips = {ref.removeprefix("refs/heads/"): sha for ref, sha in there.items()}
        if tips.get(task.branch) != head and (conflict := _predict(factory, plan, task, head, tips)):
            return Pushed(conflict=conflict)
        push_branches(quarantine, plan.target, _updates(task, ground, head, tips))
        stand = Stand(head, ground.commit, ground.grounds or (ground.commit,), ground.parents)
        recorded = RecordedBranch((stand,), join_of_task(task))
        note_branch(quarantine, stack_name(plan.base_branch), plan.base_branch, task.branch, recorded)
    return Pushed()


def _updates(task: PlannedTask, ground: Ground, head: CommitSha, tips: Mapping[str, CommitSha]) -> list[BranchUpdate]:
    expected = CommitSha(task.pushed) if task.pushed else None
    own = BranchUpdate(branch=task.branch, new=head, expected=expected)
    if not ground.join:
        return [own]
    # A join holds no person's work: whatever stands there is replaced.
    return [BranchUpdate(branch=ground.join, new=ground.commit, expected=tips.get(ground.join)), own]


def _predict(
    factory: Factory, plan: RunPlan, task: PlannedTask, head: CommitSha, tips: Mapping[str, CommitSha]
) -> Conflict | None:
    others = {branch: sha for branch, sha in tips.items() if branch != task.branch and not is_join_branch(branch)}
    _fetch_unknown(factory.quarantine, plan, others)
    base = _current_base(factory.quarantine, plan)
    found = find_conflicts(factory.quarantine, head, {plan.base_branch: base, **others})
    # What was merged or closed conflicts with nothing; the forge is asked for that only where it matters.
    states = {pull.head: pull.state for pull in factory.forge.list(heads_prefix=PREFIX)} if found else {}
    for conflict in found:
        if states.get(conflict.other, "open") == "open":
            paths = tuple(printable(path) for path in conflict.paths)
            return Conflict(between=(task.branch, conflict.other), paths=paths)
    return None


def _fetch_unknown(quarantine: Repository, plan: RunPlan, tips: Mapping[str, CommitSha]) -> None:
    """Bring what another factory, or a person, pushed since: git can only judge what it has."""
    unknown = [branch for branch, sha in tips.items() if not quarantine.has_commit(sha)]
    if unknown:
        quarantine.fetch(plan.target, [f"+refs/heads/{branch}:refs/switchyard/seen/{branch}" for branch in unknown])


def open_pull_request(
    factory: Factory, plan: RunPlan, task: PlannedTask, ground: Ground, head: CommitSha, body: str
) -> Publication:
    """Open the task's pull request, or adopt the one that is there.

    Where its parent landed meanwhile and its branch was deleted, it goes to the base; keeping the stack does the rest.
    """
    new = NewPullRequest(title=task.title, body=body, head=task.branch, base=ground.branch, labels=task.labels)
    is_absent = not factory.known_heads.may_have_one(factory.forge, new.head)
    try:
        # Keeping the stack, at the run's end, gives it the map of the others.
        pull = open_or_adopt(factory.forge, new, is_renewed_later=True, is_known_absent=is_absent)
    except ForgeRefused:
        if ground.branch == plan.base_branch or factory.quarantine.ls_remote(
            plan.target, [f"refs/heads/{ground.branch}"]
        ):
            raise
        pull = open_or_adopt(factory.forge, replace(new, base=plan.base_branch), is_renewed_later=True)
    return Publication(head=head, number=pull.number, url=pull.url, state=pull.state, base=pull.base)


def _current_base(quarantine: Repository, plan: RunPlan) -> CommitSha:
    there = quarantine.ls_remote(plan.target, [f"refs/heads/{plan.base_branch}"])
    base = next(iter(there.values()), plan.base_commit)
    if not quarantine.has_commit(base):
        quarantine.fetch(plan.target, [f"+refs/heads/{plan.base_branch}:refs/switchyard/base/{plan.run_id}"])
    return base
