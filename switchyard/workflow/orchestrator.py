"""The process that runs the line: resumes what was interrupted, then starts what is new, and tells what happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from switchyard_sandbox import SandboxError

from switchyard.ledger import Event, FactoryView, NewEvent, append, fold, read_events
from switchyard.packets import RunId, RunPlan
from switchyard.workflow.boxing import MANUAL
from switchyard.workflow.engine import Engine
from switchyard.workflow.factory import Factory
from switchyard.workflow.notifying import Notifier
from switchyard.workflow.plan import Draft
from switchyard.workflow.reaping import watched
from switchyard.workflow.run import RUN, add_workflows, preparation_workflow_id, task_workflow_id
from switchyard.workflow.stacking import keep_or_tell, stacking_of
from switchyard.workflow.storage import blocked_by_disk
from switchyard.workflow.stores import Base

POLL_S = 0.05
QUIET_S = 0.5


class Audience(Protocol):
    """Who is told what happens."""

    def hear(self, event: Event) -> None:
        """A row was written to the ledger."""

    def tick(self, now: str) -> None:
        """Some time has passed; called several times a second."""

    def wait(self, reason: str, seconds: float) -> None:
        """The forge is waited for, before there is a run that a row could tell it of."""


Planner = Callable[[FactoryView], Draft]


@dataclass(frozen=True)
class Report:
    """What a `run` came to: the view after it, and what it left alone."""

    view: FactoryView
    runs: tuple[RunId, ...]
    draft: Draft
    held_up: str = ""
    """What kept the pull requests of earlier runs from being brought up to date."""


class Orchestrator:
    """Runs the line in this process; the caller holds the state folder's lock."""

    def __init__(self, factory: Factory, audience: Audience, engine: Engine | None = None) -> None:
        """Bind the parts; the engine is one on the factory's own database unless another is given."""
        self._factory, self._audience = factory, audience
        self._engine = engine or Engine(factory.places.database)
        self._heard = 0
        self._waited = 0
        self._notifier = Notifier(self._engine, factory.channels, factory.now)
        add_workflows(self._engine, factory)

    def run(self, planner: Planner, base: Base, *, keeps_stacks: bool = True) -> Report:
        """Keep what is published right, resume every unfinished run, then plan and run what is new.

        Args:
            base: Where the pull requests go.
            keeps_stacks: Whether what was published is looked after first in any case; else only before something new
                is picked up, which may stand on it.

        Interrupted or stopped by an error, it ends every sandbox and raises on: what was under way counts as killed and
        goes on with the next run. Threads may be parked then, so the process must end with `os._exit`.

        Raises:
            StateUnwritable: The disk under the state folder is full.
        """
        try:
            self._factory.driver.reap()
            with (
                watched([self._factory.driver, *self._factory.others], self._factory.gateway),
                self._engine.opened(concurrency=self._factory.config.limits.concurrency),
            ):
                return self._run_to_end(planner, base, keeps_stacks)
        except Exception as err:
            if blocked := blocked_by_disk(err, self._factory.places.state):
                raise blocked from err
            raise

    def _run_to_end(self, planner: Planner, base: Base, keeps_stacks: bool) -> Report:
        try:
            return self._run(planner, base, keeps_stacks)
        except BaseException:
            self._end_boxes()
            raise

    def _run(self, planner: Planner, base: Base, keeps_stacks: bool) -> Report:
        self._heard = self._last_sequence()
        self._notifier.look()
        held_up = self._keep_stacks(base) if keeps_stacks else ""
        resumed = [run.id for run in self._view().unfinished]
        for run_id in resumed:
            self._finish(run_id, self._view().runs[run_id].plan)
        draft = planner(self._view())
        if draft.startable and not keeps_stacks:
            held_up = self._keep_stacks(base)
            draft = planner(self._view())
        runs = [*resumed]
        if draft.startable:
            reference = self._start(draft.plan)
            self._finish(draft.plan.run_id, reference)
            runs.append(draft.plan.run_id)
        self._notifier.finish()
        self._tell()
        return Report(view=self._view(), runs=tuple(runs), draft=draft, held_up=held_up)

    def _keep_stacks(self, base: Base) -> str:
        stacking = stacking_of(self._factory, self._engine.write, base.target)
        with self._factory.waits.heard_by(lambda waiting: self._audience.wait(waiting.reason, waiting.seconds)):
            held_up = keep_or_tell(stacking, base.branch)
        self._tell()
        return held_up

    def _start(self, plan: RunPlan) -> str:
        """Record the run; from here on it is finished by this process or by a later one."""
        reference = self._factory.artifacts.put(plan.model_dump_json().encode())
        self._engine.write(lambda connection: append(connection, self._started(plan, reference)))
        return reference

    def _started(self, plan: RunPlan, reference: str) -> NewEvent:
        tasks = [
            {
                "id": task.id,
                "title": task.title,
                "depends_on": list(task.depends_on),
                "parents": list(task.parents),
                "content_hash": task.content_hash,
                "branch": task.branch,
                "pushed": task.pushed,
                "accepted": task.accepted or "",
                "proven": task.proven or "",
            }
            for task in plan.tasks
        ]
        return NewEvent(
            key=f"{plan.run_id}/started",
            event_type="run_started",
            timestamp=self._factory.now(),
            run_id=plan.run_id,
            artifact_reference=reference,
            data={"base_branch": plan.base_branch, "base_commit": plan.base_commit, "tasks": tasks},
        )

    def _finish(self, run_id: RunId, reference: str) -> None:
        self._go_on(run_id, reference)
        for _ in self._view().runs[run_id].tasks:
            # What goes on by itself may meet a task's old error before that task was revived, and end of it again.
            if self._engine.must_revive(run_id):
                self._go_on(run_id, reference)
        self._engine.outcome(run_id)

    def _go_on(self, run_id: RunId, reference: str) -> None:
        # A task that ended in an error goes on before the run that waits for it does.
        for task in self._view().runs[run_id].tasks:
            self._engine.revive(preparation_workflow_id(run_id, task))
            self._engine.revive(task_workflow_id(run_id, task))
        self._engine.revive(run_id)
        # A run that was recorded but never started is started here; one that was is already going on.
        self._engine.start(RUN, run_id, {"plan": reference})
        while not self._engine.ended(run_id):
            self._engine.check()
            self._note_waits(run_id)
            self._tell()
            self._audience.tick(self._factory.now())
            time.sleep(POLL_S)
        self._note_waits(run_id)
        self._tell()

    def _note_waits(self, run_id: RunId) -> None:
        for waiting in self._factory.waits.take():
            self._waited += 1
            now = self._factory.now()
            event = NewEvent(
                key=f"{run_id}/waiting {now} {self._waited}",
                event_type="forge_waiting",
                timestamp=now,
                run_id=run_id,
                data={"reason": waiting.reason, "seconds": round(waiting.seconds, 1)},
            )
            self._engine.write(partial(append, event=event))

    def _tell(self) -> None:
        for event in self._events(self._heard):
            self._heard = event.sequence
            self._audience.hear(event)
            if event.event_type == "effect_intended" and event.data.get("kind") == "notification":
                self._notifier.look()

    def _events(self, after: int = 0) -> list[Event]:
        return self._engine.read(lambda connection: list(read_events(connection, after=after)))

    def _last_sequence(self) -> int:
        events = self._events()
        return events[-1].sequence if events else 0

    def _view(self) -> FactoryView:
        return fold(self._events())

    def _end_boxes(self) -> None:
        self._engine.abandon()
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_S:
            # A box may just be in the making in another thread.
            for box in self._factory.driver.list():
                # One that can't be ended, on a full disk say, is an orphan that the next run reaps.
                if box.labels.get("role") != MANUAL:
                    with suppress(SandboxError, OSError):
                        self._factory.driver.destroy(box.id)
                        quiet_since = time.monotonic()
            time.sleep(POLL_S)
