"""The small values that the factory's stations hand to one another; JSON at rest, frozen in memory."""

from switchyard.packets.attempt import (
    AgentReport,
    AttemptResult,
    CheckResult,
    ContextUse,
    EgressNote,
    FindingNote,
    ModelUse,
    ResultNote,
)
from switchyard.packets.gates import Asks, Decision, GateFinding, GateResult
from switchyard.packets.run import (
    Conflict,
    Ground,
    PlannedTask,
    Publication,
    Pushed,
    RunPlan,
    SelectedContext,
    Settled,
    StackNote,
    TaskResult,
)
from switchyard.packets.values import ArtifactRef, Packet, RunId, TaskId, TaskState

__all__ = [
    "AgentReport",
    "ArtifactRef",
    "Asks",
    "AttemptResult",
    "CheckResult",
    "Conflict",
    "ContextUse",
    "Decision",
    "EgressNote",
    "FindingNote",
    "GateFinding",
    "GateResult",
    "Ground",
    "ModelUse",
    "Packet",
    "PlannedTask",
    "Publication",
    "Pushed",
    "ResultNote",
    "RunId",
    "RunPlan",
    "SelectedContext",
    "Settled",
    "StackNote",
    "TaskId",
    "TaskResult",
    "TaskState",
]
