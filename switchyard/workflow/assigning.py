"""What an agent is dispatched with, kept as it was; and the packets of other roles, read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from switchyard_git import CommitSha

from switchyard.agents.handover import describe_criteria, describe_plan
from switchyard.packets import (
    ArtifactRef,
    AssignmentPacket,
    ClarifyPacket,
    Ground,
    PlannedTask,
    PlanPacket,
    Preparation,
    RolePacket,
    RunPlan,
    SelectedContext,
)
from switchyard.packets.roles import RoleName
from switchyard.workflow.factory import Factory

P = TypeVar("P", bound=RolePacket)


def keep_assignment(
    factory: Factory,
    plan: RunPlan,
    task: PlannedTask,
    ground: Ground,
    context: SelectedContext,
    *,
    role: RoleName,
    agent: str,
    attempt: int = 0,
    start: CommitSha | None = None,
    preparation: Preparation | None = None,
    feedback: Sequence[str] = (),
) -> ArtifactRef:
    """The assignment as an artifact. An agent that the configuration lost meanwhile is for its own step to miss."""
    table = factory.config.agents.get(agent) if agent else factory.config.agent
    packet = AssignmentPacket(
        role=role,
        run_id=plan.run_id,
        task_id=task.id,
        attempt=attempt,
        agent=agent,
        model=table.model if table else "",
        base=ground.commit,
        start=start or ground.commit,
        branch=task.branch,
        title=task.title,
        body=task.body,
        acceptance=task.acceptance,
        test_requirements=task.test_requirements,
        targets=task.targets,
        checks=task.checks,
        allow=task.allow,
        protected=factory.config.review.protected,
        context=context.listing,
        clarified=preparation.clarified if preparation else None,
        plan=preparation.plan if preparation else None,
        note=task.note,
        feedback=tuple(feedback),
    )
    return factory.artifacts.put(packet.model_dump_json().encode())


def read_packet(factory: Factory, reference: ArtifactRef, kind: type[P]) -> P:
    """A packet that was kept."""
    return kind.model_validate_json(factory.artifacts.get(reference))


def told_criteria(factory: Factory, preparation: Preparation) -> str:
    """What a clarifier proposed, for a prompt; empty: nothing."""
    reference = preparation.clarified
    return describe_criteria(read_packet(factory, reference, ClarifyPacket)) if reference else ""


def told_plan(factory: Factory, preparation: Preparation) -> str:
    """What a planner proposed, for a prompt; empty: nothing."""
    return describe_plan(read_packet(factory, preparation.plan, PlanPacket)) if preparation.plan else ""
