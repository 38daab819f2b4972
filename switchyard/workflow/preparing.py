"""The durable line before a task's own: what is open is asked, what will be changed is planned, nothing is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from switchyard_sandbox import BoxId

from switchyard.agents.handover import describe_questions
from switchyard.config import Config
from switchyard.gates.policy import OBEYED_PATTERNS, touches_protected
from switchyard.ledger import EventType
from switchyard.packets import (
    ArtifactRef,
    ClarifyPacket,
    Ground,
    PlannedTask,
    PlanPacket,
    Preparation,
    RoleAnswer,
    RolePacket,
    RunPlan,
    SelectedContext,
    Settled,
    TaskId,
)
from switchyard.quoting import code
from switchyard.workflow.assigning import keep_assignment, read_packet, told_criteria
from switchyard.workflow.engine import Engine
from switchyard.workflow.factory import Factory
from switchyard.workflow.failures import CANCELLED, Stopped
from switchyard.workflow.grounding import ground_of
from switchyard.workflow.journal import Journal
from switchyard.workflow.operating import cancelled_since
from switchyard.workflow.proving import Prover
from switchyard.workflow.roles import Role, RoleRunner
from switchyard.workflow.selecting import select_context

P = TypeVar("P", bound=RolePacket)


@dataclass(frozen=True)
class _Desk:
    """What every role works on."""

    ground: Ground
    context: SelectedContext
    preparation: Preparation


def needs_preparation(task: PlannedTask) -> bool:
    """Whether somebody looks at a task before it is built; nobody does where its commit is there already."""
    return not (task.accepted or task.proven) and (task.clarifier is not None or task.planner is not None)


def refused_targets(packet: PlanPacket, config: Config, task: PlannedTask) -> str:
    """Which of a plan's targets no agent may touch, in lines; empty: all may be."""
    if "protected" in task.allow:
        return ""
    paths = [target.path for target in packet.targets]
    refused = touches_protected(paths, (*config.review.protected, *OBEYED_PATTERNS))
    return "\n".join(f"- targets: {code(path)} is protected; plan without it" for path in refused)


class PreparingLine:
    """Takes one task to its plan; made anew on every replay, so it holds nothing that is not recorded."""

    def __init__(
        self, factory: Factory, engine: Engine, plan: RunPlan, task: PlannedTask, parents: Mapping[TaskId, Settled]
    ) -> None:
        self._factory, self._plan, self._task, self._parents = factory, plan, task, parents
        self._journal = Journal(factory, engine, plan.run_id, task.id)

    def run(self) -> Preparation:
        """Ask and plan. What stops it is told by the task's own line, which claims the task first."""
        try:
            return self._prepare()
        except Stopped as stop:
            state = stop.state if stop.state in ("needs_person", "cancelled") else "failed"
            return Preparation.model_validate({"stopped": state, "reason": stop.reason})

    def _prepare(self) -> Preparation:
        factory, plan, task = self._factory, self._plan, self._task
        found = self._journal.step("ground", lambda: ground_of(factory, plan, task, self._parents))
        if "between" in found:
            # The parents conflict: the task's own line says so.
            return Preparation()
        ground = Ground.model_validate(found)
        selected = self._journal.step("context", lambda: select_context(factory, plan, task, ground))
        desk = _Desk(ground, SelectedContext.model_validate(selected), Preparation())
        clarified = self._clarify(desk)
        return self._make_plan(_Desk(desk.ground, desk.context, Preparation(clarified=clarified)))

    def _clarify(self, desk: _Desk) -> ArtifactRef | None:
        if self._task.clarifier is None:
            return None
        reference = self._ask(desk, Role("clarify", self._task.clarifier, ClarifyPacket, lambda _: ""))
        packet = read_packet(self._factory, reference, ClarifyPacket)
        if count := len(packet.questions):
            asked = "a question is" if count == 1 else f"{count} questions are"
            answer = f"`switchyard escalation retry {self._task.id} --note '…'` answers"
            reason = f"{asked} open, and nothing was done yet; {answer}\n\n{describe_questions(packet)}"
            raise Stopped("needs_person", reason)
        return reference

    def _make_plan(self, desk: _Desk) -> Preparation:
        if self._task.planner is None:
            return desk.preparation

        def faults(packet: PlanPacket) -> str:
            return refused_targets(packet, self._factory.config, self._task)

        criteria = told_criteria(self._factory, desk.preparation)
        reference = self._ask(desk, Role("plan", self._task.planner, PlanPacket, faults, criteria))
        packet = read_packet(self._factory, reference, PlanPacket)
        targets = tuple(dict.fromkeys(target.path for target in packet.targets))
        return desk.preparation.model_copy(update={"plan": reference, "targets": targets})

    def _ask(self, desk: _Desk, role: Role[P]) -> ArtifactRef:
        """One role's packet. Raises Stopped where there is no valid one."""
        journal, name = self._journal, role.name
        self._stop_if_cancelled(f"before {name}")
        self._dispatch(desk, role)

        def note_box(box: BoxId) -> None:
            journal.note(f"sandbox {box}", "sandbox_created", {"attempt": 0, "box": box, "role": name})

        def work() -> RoleAnswer:
            parts = (self._factory, self._plan, self._task, desk.ground)
            return RoleRunner(*parts).run(role, desk.context, note_box, Prover(*parts, journal).note_setup(0))

        answer = RoleAnswer.model_validate(journal.step(f"role {name}", work))
        self._record(answer)
        if answer.packet is None:
            raise Stopped("needs_person", f"the {name} agent gave no valid answer: {code(answer.reason)}")
        return answer.packet

    def _dispatch(self, desk: _Desk, role: Role[P]) -> None:
        factory, name = self._factory, role.name
        assignment = keep_assignment(
            factory,
            self._plan,
            self._task,
            desk.ground,
            desk.context,
            role=name,
            agent=role.agent,
            preparation=desk.preparation,
        )
        data = {"attempt": 0, "role": name, "agent": role.agent, "setup": bool(factory.config.sandbox.setup)}
        self._journal.record(f"dispatched {name}", "assignment_dispatched", data, artifact=assignment)

    def _record(self, answer: RoleAnswer) -> None:
        journal, name = self._journal, answer.role
        for number, refusal in enumerate(answer.refused, 1):
            data = {"attempt": 0, "role": name, "fault": refusal.fault, "output": answer.output}
            journal.record(f"refused {name} {number}", "packet_refused", data, artifact=refusal.left or "")
        for number, note in enumerate(answer.egress, 1):
            data = {"attempt": 0, "role": name, **note.model_dump()}
            journal.record(f"egress {name} {number}", "egress_decided", data)
        if answer.packet is not None:
            facts = {"attempt": 0, **answer.facts}
            row: EventType = "task_clarified" if name == "clarify" else "plan_generated"
            journal.record(f"{name} done", row, facts, artifact=answer.packet)

    def _stop_if_cancelled(self, when: str) -> None:
        if self._journal.ask(f"cancelled {when}", lambda c: cancelled_since(c, self._plan.run_id, self._task.id)):
            raise Stopped("cancelled", CANCELLED)
