"""What the roles hand to one another: an assignment, criteria, a plan, a result, a verdict; each with its version.

What comes from an agent is checked on arrival and proves nothing. What goes to one is kept as it was.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from switchyard_git import CommitSha

from switchyard.packets.attempt import AgentReport, EgressNote, ModelUse
from switchyard.packets.values import ArtifactRef, Packet, RunId, TaskId

RoleName = Literal["clarify", "plan", "build"]
MOST_ANSWER_BYTES = 100_000
"""A longer answer of an agent is not read."""
MOST_FOUND = 50
"""More findings are too many for one answer."""


def _check_path(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not path.isprintable() or str(pure).strip() in ("", "."):
        raise ValueError("it is no path inside the repository")
    # As git writes it: `./a` and `b//c` would match no pattern and meet no other task's target.
    return str(pure)


Line = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
Text = Annotated[str, StringConstraints(max_length=20_000)]
Path = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(_check_path)]
"""A file of the repository, from its top."""
Confidence = Annotated[float, Field(ge=0, le=1)]


class RolePacket(Packet):
    """Root of the packets between roles; `schema` may be left out, and stands in what the factory writes."""

    model_config = ConfigDict(serialize_by_alias=True)


class AssignmentPacket(RolePacket):
    """What an agent is dispatched with; kept as an artifact, so that the same can be asked again."""

    version: Literal["switchyard.assignment/1"] = Field(default="switchyard.assignment/1", alias="schema")
    role: RoleName
    run_id: RunId
    task_id: TaskId
    attempt: int
    """From 1; 0 before the first attempt at building."""
    agent: str
    """The name of its table; "" is the default."""
    model: str = ""
    """"" leaves it to the program."""
    base: CommitSha
    """What the task stands on."""
    start: CommitSha
    """The tree that the agent finds: the base, or what the attempt before left."""
    branch: str
    title: str
    body: str
    acceptance: tuple[str, ...] = ()
    test_requirements: str = ""
    targets: tuple[str, ...] = ()
    checks: dict[str, str] = Field(default_factory=dict)
    allow: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    context: ArtifactRef
    """The selected files with their reasons, as `switchyard.context/1`."""
    clarified: ArtifactRef | None = None
    """What a clarifier said; None: nobody was asked."""
    plan: ArtifactRef | None = None
    """The plan that it builds by; None: there is none."""
    note: str = ""
    """What a person wrote when asking for another try."""
    feedback: tuple[str, ...] = ()
    """What the attempt before did wrong, a passage each."""


class ClarifyPacket(RolePacket):
    """What is unclear in a task, before any code is written."""

    version: Literal["switchyard.clarify/1"] = Field(default="switchyard.clarify/1", alias="schema")
    questions: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    """What only a person can answer, and without which the task can't be done; empty: it is clear."""
    acceptance: Annotated[tuple[Short, ...], Field(max_length=30)] = ()
    """Criteria that the finished work should meet, as the agent understands the task."""
    summary: Annotated[str, StringConstraints(max_length=4_000)] = ""
    """The task in its own words."""


class FileTarget(Packet):
    """A file that a plan touches."""

    path: Path
    action: Literal["create", "change", "delete"] = "change"
    reason: Annotated[str, StringConstraints(max_length=1_000)] = ""


class PlanPacket(RolePacket):
    """How a task is to be done, and where."""

    version: Literal["switchyard.work_plan/1"] = Field(default="switchyard.work_plan/1", alias="schema")
    summary: Short
    """The way to do it, in a few sentences."""
    steps: Annotated[tuple[Short, ...], Field(min_length=1, max_length=50)]
    targets: Annotated[tuple[FileTarget, ...], Field(min_length=1, max_length=200)]
    """Every file that the work will touch, tests among them."""
    tests: Annotated[tuple[Short, ...], Field(max_length=50)] = ()
    """What the new tests are to show."""
    risks: Annotated[tuple[Short, ...], Field(max_length=30)] = ()
    questions: Annotated[tuple[Short, ...], Field(max_length=20)] = ()
    """What stayed open; the builder sees them."""


class Refusal(Packet):
    """An answer that was not what its schema asks for."""

    fault: str
    """Why, in lines."""
    left: ArtifactRef | None = None
    """What stood there; None: nothing."""


class RoleAnswer(Packet):
    """What an agent in a role came to. Its edits are thrown away."""

    role: RoleName
    agent: str
    packet: ArtifactRef | None = None
    """Its answer, valid; None: there was none."""
    reason: str = ""
    """Why there is none, in one line."""
    refused: tuple[Refusal, ...] = ()
    """What was sent back, and what came after it if that was no better."""
    told: AgentReport | None = None
    models: tuple[ModelUse, ...] = ()
    egress: tuple[EgressNote, ...] = ()
    prompt: ArtifactRef
    output: ArtifactRef
    duration_s: float

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger row says."""
        return {
            "role": self.role,
            "agent": self.agent,
            "reason": self.reason,
            "prompt": self.prompt,
            "output": self.output,
            "duration_s": self.duration_s,
            "models": [use.model_dump() for use in self.models],
            **({"told": self.told.model_dump(exclude={"final_text"})} if self.told else {}),
        }


class Preparation(Packet):
    """What the roles before the builder came to."""

    clarified: ArtifactRef | None = None
    """A ClarifyPacket; None: nobody was asked."""
    plan: ArtifactRef | None = None
    """A PlanPacket; None: there is none."""
    targets: tuple[str, ...] = ()
    """The files that the plan names."""
    stopped: Literal["", "needs_person", "failed", "cancelled"] = ""
    """As what the task ends before it began; empty: it goes on."""
    reason: str = ""


class Discovery(Packet):
    """Something that the agent found and that is no part of its task."""

    title: Line
    detail: Text = ""
    paths: Annotated[tuple[str, ...], Field(max_length=50)] = ()


class BuildResultPacket(RolePacket):
    """The builder's account of its work."""

    version: Literal["switchyard.build/1"] = Field(default="switchyard.build/1", alias="schema")
    summary: Short
    """What was changed."""
    rationale: Text = ""
    """Why it was done so."""
    discovered: Annotated[tuple[Discovery, ...], Field(max_length=MOST_FOUND)] = ()
    """What else should be done, by somebody else."""
    confidence: Confidence | None = None
    """How sure the agent is that the task is done; None: it does not say."""


class QaFinding(Packet):
    """One thing that a verifier found."""

    severity: Literal["low", "medium", "high"]
    title: Line
    detail: Text = ""
    path: Annotated[str, StringConstraints(max_length=1_000)] = ""
    line: Annotated[int, Field(ge=0)] = 0
    """Counts from 1; 0: the whole file."""
    out_of_scope: bool = False
    """True: it was there before, or is no part of the task; somebody should mend it another time."""


class QaResultPacket(RolePacket):
    """What a verifier says of a change."""

    version: Literal["switchyard.qa/1"] = Field(default="switchyard.qa/1", alias="schema")
    verdict: Literal["pass", "fail", "unsure"]
    summary: Short
    """What was looked at, and what speaks for the verdict."""
    findings: Annotated[tuple[QaFinding, ...], Field(max_length=100)] = ()
    confidence: Confidence | None = None
    """How sure the verifier is; None: it does not say."""
