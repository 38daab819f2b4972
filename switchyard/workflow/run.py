"""The durable line of a whole run: starts what is ready, waits for what ends, blocks what can't go on."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from switchyard.ledger import fold, read_events
from switchyard.packets import PlannedTask, RunId, RunPlan, Settled, StackNote, TaskId, TaskResult, TaskState
from switchyard.workflow.engine import Engine, Json
from switchyard.workflow.factory import Factory
from switchyard.workflow.journal import Journal
from switchyard.workflow.schedule import SETTLED, blocked_by, ready
from switchyard.workflow.stacking import keep_or_tell, stacking_of
from switchyard.workflow.status import describe_execution
from switchyard.workflow.task import TaskLine

RUN, TASK = "run", "task"


def add_workflows(engine: Engine, factory: Factory) -> None:
    """Register the two workflows of the line with the engine."""
    engine.add(RUN, lambda argument: _run_line(factory, engine, argument))
    engine.add(TASK, lambda argument: _task_line(factory, engine, argument))


def task_workflow_id(run_id: RunId, task_id: TaskId) -> str:
    """The id of a task's workflow: the same whenever it is asked for."""
    return f"{run_id}/{task_id}"


def _task_line(factory: Factory, engine: Engine, argument: Json) -> Json:
    plan = _plan(factory, argument)
    task = next(task for task in plan.tasks if task.id == argument["task"])
    parents = {TaskId(name): Settled.model_validate(value) for name, value in argument["parents"].items()}
    return TaskLine(factory, engine, plan, task, parents).run().model_dump(mode="json")


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

    def run(self) -> dict[TaskId, TaskResult]:
        running: dict[str, TaskId] = {}
        while True:
            for task in ready(self._plan.tasks, self._finished, set(running.values()), slots=self._plan.concurrency):
                running[self._enqueue(task)] = task.id
            if not running:
                break
            ended = self._engine.wait_first(sorted(running))
            self._take(running.pop(ended), self._engine.result(ended))
        self._block_the_rest()
        note = StackNote.model_validate(self._journal.step("map", self._keep_stack))
        self._journal.record_view("run finished", "run_finished", lambda connection: self._ending(connection, note))
        return self._results

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
        parents = {name: self._settled[name].model_dump(mode="json") for name in task.depends_on}
        self._engine.enqueue(TASK, workflow_id, {"plan": self._reference, "task": task.id, "parents": parents})
        return workflow_id

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
