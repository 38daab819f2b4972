"""From task files and what the ledger says to the plan of one run; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from switchyard_git import CommitSha
from switchyard_merge import Plan, branch_name

from switchyard.config import Config, agent_of
from switchyard.errors import UsageError, did_you_mean
from switchyard.gates import checks_for, in_environments
from switchyard.ledger import FactoryView, TaskView
from switchyard.packets import PlannedTask, RunId, RunPlan, Settled, TaskId
from switchyard.tasks import Task, content_hash
from switchyard.workflow.operating import is_edited
from switchyard.workflow.schedule import SETTLED
from switchyard.workflow.stores import Base

Overlaps = Callable[[Sequence[Task]], Mapping[TaskId, Collection[TaskId]]]


@dataclass(frozen=True)
class Skipped:
    """A task that the run leaves alone, and why."""

    id: TaskId
    why: str


@dataclass(frozen=True)
class Draft:
    """What a run would do. `plan` holds what starts or waits; a task that nothing can start is in `skipped`."""

    plan: RunPlan
    skipped: tuple[Skipped, ...] = ()
    startable: tuple[TaskId, ...] = field(default=())
    """Tasks that can go on without a person; empty: there is nothing to run."""
    tasks: tuple[Task, ...] = field(default=(), compare=False)
    """Every task as it was read for the plan; the files may have changed since."""


@dataclass(frozen=True)
class Standing:
    """Everything that a plan is made from."""

    tasks: Sequence[Task]
    view: FactoryView
    config: Config
    base: Base
    timestamp: int
    overlaps: Overlaps


def draft_run(standing: Standing, run_id: RunId, selection: Collection[TaskId]) -> Draft:
    """Plan the selected tasks and what they depend on; without a selection, every task.

    Raises:
        UsageError: A selected task does not exist, or a person has not released it.
    """
    by_id = {task.id: task for task in standing.tasks}
    refuse_unready(by_id, selection)
    wanted = _with_dependencies(by_id, selection or by_id.keys())
    reasons = {task_id: _why_not(by_id[task_id], standing.view, task_id in selection) for task_id in wanted}
    going = {task_id for task_id, why in reasons.items() if why is None}
    startable = _startable(by_id, going, standing.view)
    planned = _planned(standing, run_id, by_id, going)
    return Draft(
        plan=RunPlan(
            run_id=run_id,
            base_branch=standing.base.branch,
            base_commit=standing.base.commit,
            target=standing.base.target,
            timestamp=standing.timestamp,
            concurrency=standing.config.limits.concurrency,
            tasks=tuple(planned),
            settled=_settled(by_id, going, standing.view),
        ),
        skipped=tuple(Skipped(task_id, why) for task_id, why in reasons.items() if why is not None),
        startable=tuple(startable),
        tasks=tuple(standing.tasks),
    )


def refuse_unready(by_id: Mapping[TaskId, Task], selection: Collection[TaskId]) -> None:
    for task_id in selection:
        if task_id not in by_id:
            known = did_you_mean(task_id, by_id)
            raise UsageError(f"no task {task_id!r}{known}", hint="`switchyard task list` shows what there is")
        if (state := by_id[task_id].state) != "ready":
            verb = {"draft": "approve", "held": "release"}.get(state, "edit")
            raise UsageError(f"task {task_id!r} is {state}", hint=f"switchyard task {verb} {task_id}")


def _with_dependencies(by_id: Mapping[TaskId, Task], roots: Collection[TaskId]) -> list[TaskId]:
    wanted: set[TaskId] = set()
    waiting = list(roots)
    while waiting:
        task_id = waiting.pop()
        if task_id not in wanted:
            wanted.add(task_id)
            waiting.extend(parent for parent in by_id[task_id].depends_on if parent in by_id)
    return [task_id for task_id in by_id if task_id in wanted]


def _why_not(task: Task, view: FactoryView, selected: bool) -> str | None:
    """Why a task is not taken up; None where it is."""
    if task.state != "ready":
        return f"it is {task.state}"
    answer = view.answers.get(task.id, {})
    latest = view.latest.get(task.id)
    if latest is None:
        return None
    if latest.state in SETTLED:
        return f"it is {latest.state}"
    if is_edited(view, task):
        return f"it was edited after it was approved; `switchyard task approve {task.id}` approves it as it is now"
    action = answer.get("action") if view.is_answered(latest) else None
    return _why_not_again(task, latest, action, selected)


def _why_not_again(task: Task, latest: TaskView, action: object, selected: bool) -> str | None:
    if latest.state == "needs_person":
        if action in ("accept", "retry", "approve"):
            return None
        if action == "reject":
            return f"a person rejected it; `switchyard escalation retry {task.id}` takes it up again"
        return f"it needs a person: `switchyard escalation list`; {latest.reason.splitlines()[0]}"
    if latest.state == "blocked" and latest.pull_request:
        return f"its pull request #{latest.pull_request.number} is blocked: {latest.reason}"
    if latest.state == "cancelled" and not selected and action not in ("retry", "approve"):
        return "it was cancelled; name it to run it again"
    return None


def _startable(by_id: Mapping[TaskId, Task], going: Collection[TaskId], view: FactoryView) -> list[TaskId]:
    able: list[TaskId] = []
    for task_id in _ordered([by_id[task_id] for task_id in going]):
        parents = by_id[task_id].depends_on
        if all(parent in able or _is_settled(view, parent) for parent in parents):
            able.append(task_id)
    return able


def _is_settled(view: FactoryView, task_id: TaskId) -> bool:
    latest = view.latest.get(task_id)
    return latest is not None and latest.state in SETTLED


def _settled(by_id: Mapping[TaskId, Task], going: Collection[TaskId], view: FactoryView) -> dict[TaskId, Settled]:
    parents = {parent for task_id in going for parent in by_id[task_id].depends_on}
    return {
        parent: Settled(
            head=CommitSha(view.latest[parent].head),
            branch=view.latest[parent].branch,
            number=pull.number if (pull := view.latest[parent].pull_request) else None,
            landed=view.latest[parent].state == "landed",
        )
        for parent in sorted(parents - set(going))
        if _is_settled(view, parent)
    }


def _ordered(tasks: Sequence[Task]) -> list[TaskId]:
    by_id = {task.id: task for task in tasks}
    plan = Plan.of(
        {task.id: [parent for parent in task.depends_on if parent in by_id] for task in tasks},
        key=lambda name: (by_id[TaskId(name)].priority, name),
    )
    return [TaskId(task_id) for task_id in plan.order]


def _planned(
    standing: Standing, run_id: RunId, by_id: Mapping[TaskId, Task], going: Collection[TaskId]
) -> list[PlannedTask]:
    tasks = [by_id[task_id] for task_id in going]
    known = {task_id: list(by_id[task_id].depends_on) for task_id in by_id}
    reduced = Plan.of({task_id: [p for p in parents if p in by_id] for task_id, parents in known.items()})
    overlaps = standing.overlaps(tasks)
    return [
        _plan_task(
            standing,
            run_id,
            by_id[task_id],
            tuple(TaskId(parent) for parent in reduced.parents(task_id)),
            tuple(sorted(overlaps.get(task_id, ()))),
        )
        for task_id in _ordered(tasks)
    ]


def _agent_in(config: Config, role: str) -> str | None:
    """A role's agent, which the configuration has; None: the role is off."""
    name = agent_of(role)
    if name is not None:
        config.agent_named(name)
    return name


def _check_agents(config: Config, task: Task) -> None:
    """Raises UsageError for an agent that the configuration has not, naming the task that asks for it."""
    for name in (task.agent, *([task.review_agent] if task.review_agent else [])):
        try:
            config.agent_named(name)
        except UsageError as err:
            raise UsageError(f"task {task.id!r}: {err}" if name else str(err), hint=err.hint) from err


def _plan_task(
    standing: Standing, run_id: RunId, task: Task, parents: tuple[TaskId, ...], overlaps: tuple[TaskId, ...]
) -> PlannedTask:
    config, latest = standing.config, standing.view.latest.get(task.id)
    _check_agents(config, task)
    answer = standing.view.answers.get(task.id, {})
    is_answered = latest is not None and standing.view.is_answered(latest)
    accepted = is_answered and answer.get("action") == "accept"
    proven = latest is not None and latest.state == "failed" and latest.content_hash == content_hash(task)
    chosen = {name: one.checks for name, one in config.environments.items()}
    checks = checks_for(task.id, task.checks, config.checks, in_environments(config.checks, chosen))
    again = in_environments(checks, chosen)
    keeps = latest is not None and latest.branch and latest.state not in ("landed", "cancelled")
    return PlannedTask(
        id=task.id,
        title=task.title,
        body=task.prose,
        acceptance=task.acceptance,
        test_requirements=task.test_requirements,
        depends_on=task.depends_on,
        parents=parents,
        targets=task.targets,
        context_files=task.context_files,
        priority=task.priority,
        labels=task.labels,
        agent=task.agent,
        clarifier=_agent_in(config, config.roles.clarify),
        planner=_agent_in(config, config.roles.plan),
        review_agent=task.review_agent,
        checks={**checks, **{name: checks[check] for name, (check, _) in again.items()}},
        environments={name: environment for name, (_, environment) in again.items()},
        allow=task.allow,
        repairs=config.limits.repairs if task.budget.repairs is None else task.budget.repairs,
        timeout_minutes=task.budget.minutes or config.sandbox.timeout_minutes,
        content_hash=content_hash(task),
        branch=latest.branch if latest and keeps else branch_name(run_id, task.id),
        pushed=latest.pushed if latest and keeps else "",
        overlaps=overlaps,
        accepted=CommitSha(latest.head) if latest and accepted else None,
        proven=CommitSha(latest.proven) if latest and latest.proven and proven else None,
        proven_on=latest.base if latest and proven else "",
        note=str(answer.get("note", "")) if is_answered else "",
    )
