"""The durable line of a whole run: starts what is ready, waits for what ends, blocks what can't go on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from switchyard.ledger import fold, read_events
from switchyard.packets import (
    Overlaps,
    PlannedTask,
    Preparation,
    RunId,
    RunPlan,
    Settled,
    StackNote,
    TaskId,
    TaskResult,
    TaskState,
)
from switchyard.workflow.engine import Engine, Json
from switchyard.workflow.factory import Factory
from switchyard.workflow.failures import Stopped
from switchyard.workflow.graphs import read_commit
from switchyard.workflow.journal import Journal
from switchyard.workflow.preparing import PreparingLine, needs_preparation
from switchyard.workflow.schedule import SETTLED, blocked_by, ready
from switchyard.workflow.selecting import overlaps_of
from switchyard.workflow.stacking import keep_or_tell, stacking_of
from switchyard.workflow.status import describe_execution
from switchyard.workflow.task import TaskLine

RUN, TASK, PREPARE = "run", "task", "prepare"


def add_workflows(engine: Engine, factory: Factory) -> None:
    """Register the workflows of the line with the engine."""
    engine.add(RUN, lambda argument: _run_line(factory, engine, argument))
    engine.add(TASK, lambda argument: _task_line(factory, engine, argument))
    engine.add(PREPARE, lambda argument: _prepare_line(factory, engine, argument))


def task_workflow_id(run_id: RunId, task_id: TaskId) -> str:
    """The id of a task's workflow: the same whenever it is asked for."""
    return f"{run_id}/{task_id}"


def preparation_workflow_id(run_id: RunId, task_id: TaskId) -> str:
    """The id of the workflow that asks and plans before a task's own."""
    return f"{task_workflow_id(run_id, task_id)}/{PREPARE}"


def _task_line(factory: Factory, engine: Engine, argument: Json) -> Json:
    plan, task, parents = _of_task(factory, argument)
    preparation = Preparation.model_validate(argument.get("preparation") or {})
    return TaskLine(factory, engine, plan, task, parents, preparation).run().model_dump(mode="json")


def _prepare_line(factory: Factory, engine: Engine, argument: Json) -> Json:
    return PreparingLine(factory, engine, *_of_task(factory, argument)).run().model_dump(mode="json")


def _of_task(factory: Factory, argument: Json) -> tuple[RunPlan, PlannedTask, dict[TaskId, Settled]]:
    plan = _plan(factory, argument)
    task = next(task for task in plan.tasks if task.id == argument["task"])
    return plan, task, {TaskId(name): Settled.model_validate(value) for name, value in argument["parents"].items()}


def _run_line(factory: Factory, engine: Engine, argument: Json) -> Json:
    plan = _plan(factory, argument)
    results = _RunLine(factory, engine, plan, argument["plan"]).run()
    return {name: result.model_dump(mode="json") for name, result in results.items()}


def _plan(factory: Factory, argument: Json) -> RunPlan:
    return RunPlan.model_validate_json(factory.artifacts.get(argument["plan"]))


class _RunLine:
    def __init__(self, factory: Factory, engine: Engine, plan: RunPlan, reference: str) -> None:
        self._factory, self._engine, self._plan, self._reference = factory, engine, plan, reference
        self._journal = Journal(factory, engine, plan.run_id)
        self._settled: dict[TaskId, Settled] = dict(plan.settled)
        self._finished: dict[TaskId, TaskState] = dict.fromkeys(plan.settled, "published")
        self._results: dict[TaskId, TaskResult] = {}
        self._prepared: dict[TaskId, Preparation] = {}
        self._overlaps: Mapping[TaskId, tuple[TaskId, ...]] = {task.id: task.overlaps for task in plan.tasks}

    def run(self) -> dict[TaskId, TaskResult]:
        building: dict[str, TaskId] = {}
        preparing: dict[str, TaskId] = {}
        while True:
            self._start(building, preparing)
            if not building and not preparing:
                break
            ended = self._engine.wait_first(sorted([*building, *preparing]))
            answer = self._engine.result(ended)
            if ended in building:
                self._take(building.pop(ended), answer)
            else:
                self._take_preparation(preparing.pop(ended), answer)
        self._block_the_rest()
        note = StackNote.model_validate(self._journal.step("map", self._keep_stack))
        self._journal.record_view("run finished", "run_finished", lambda connection: self._ending(connection, note))
        return self._results

    def _start(self, building: dict[str, TaskId], preparing: dict[str, TaskId]) -> None:
        """What may be built first; then what is asked and planned, which overlaps with nothing: it changes nothing."""
        tasks = [task.model_copy(update={"overlaps": self._overlaps[task.id]}) for task in self._plan.tasks]
        waiting = {task.id for task in tasks if needs_preparation(task) and task.id not in self._prepared}
        slots = self._plan.concurrency
        able = [task for task in tasks if task.id not in waiting]
        for task in ready(able, self._finished, building.values(), slots=slots - len(preparing)):
            building[self._enqueue(task)] = task.id
        idle = [task.model_copy(update={"overlaps": ()}) for task in tasks if task.id in waiting]
        for task in ready(idle, self._finished, preparing.values(), slots=slots - len(building)):
            preparing[self._enqueue_preparation(task)] = task.id

    def _take_preparation(self, task_id: TaskId, answer: Json) -> None:
        self._prepared[task_id] = Preparation.model_validate(answer)
        if not self._prepared[task_id].targets:
            return
        writes = {task.id: (*task.targets, *self._planned_targets(task.id)) for task in self._plan.tasks}

        def work() -> Overlaps:
            graph = read_commit(self._factory.places, self._plan.base_commit).graph
            return Overlaps(of={name: tuple(sorted(others)) for name, others in overlaps_of(graph, writes).items()})

        # A graph that can't be read leaves the overlaps as they were predicted from the task files.
        with suppress(Stopped):
            self._overlaps = Overlaps.model_validate(self._journal.step(f"overlaps after {task_id}", work)).of

    def _planned_targets(self, task_id: TaskId) -> tuple[str, ...]:
        return self._prepared[task_id].targets if task_id in self._prepared else ()

    def _keep_stack(self) -> StackNote:
        """Give every pull request its place in its stack; what stands there already is not written again."""
        stacking = stacking_of(self._factory, self._engine.write, self._plan.target, asks_approval=False)
        return StackNote(held_up=keep_or_tell(stacking, self._plan.base_branch))

    def _ending(self, connection: sa.Connection, note: StackNote) -> dict[str, Any]:
        view = fold(read_events(connection, run_id=self._plan.run_id))
        tasks = [describe_execution(task) for task in view.runs[self._plan.run_id].tasks.values()]
        return {"tasks": tasks, **({"held_up": note.held_up} if note.held_up else {})}

    def _enqueue(self, task: PlannedTask) -> str:
        workflow_id = task_workflow_id(self._plan.run_id, task.id)
        prepared = self._prepared.get(task.id)
        preparation = {"preparation": prepared.model_dump(mode="json")} if prepared else {}
        self._engine.enqueue(TASK, workflow_id, {**self._argument(task), **preparation})
        return workflow_id

    def _enqueue_preparation(self, task: PlannedTask) -> str:
        workflow_id = preparation_workflow_id(self._plan.run_id, task.id)
        self._engine.enqueue(PREPARE, workflow_id, self._argument(task))
        return workflow_id

    def _argument(self, task: PlannedTask) -> dict[str, Any]:
        parents = {name: self._settled[name].model_dump(mode="json") for name in task.depends_on}
        return {"plan": self._reference, "task": task.id, "parents": parents}

    def _take(self, task_id: TaskId, answer: Json) -> None:
        result = TaskResult.model_validate(answer)
        self._results[task_id] = result
        self._finished[task_id] = result.state
        if result.state in SETTLED and result.head:
            self._settled[task_id] = Settled(head=result.head, branch=result.branch, number=result.number)

    def _block_the_rest(self) -> None:
        for task in self._plan.tasks:
            if task.id not in self._finished:
                blockers = [
                    f"{name} ({self._finished.get(name, 'not done')})" for name in blocked_by(task, self._finished)
                ]
                reason = f"waits for {', '.join(blockers)}"
                self._results[task.id] = TaskResult(id=task.id, state="blocked", reason=reason, branch=task.branch)
                self._finished[task.id] = "blocked"
                journal = Journal(self._factory, self._engine, self._plan.run_id, task.id)
                journal.record(f"block {task.id}", "task_finished", {"state": "blocked", "reason": reason})
