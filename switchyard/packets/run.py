"""A run and its tasks: what is planned, what each stands on, how it ended."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from switchyard_git import CommitSha

from switchyard.packets.attempt import CheckResult
from switchyard.packets.values import ArtifactRef, Packet, RunId, TaskId, TaskState


class PlannedTask(Packet):
    """One task of a run, as it stood when the run was planned."""

    id: TaskId
    title: str
    body: str
    acceptance: tuple[str, ...] = ()
    test_requirements: str = ""
    depends_on: tuple[TaskId, ...] = ()
    parents: tuple[TaskId, ...] = ()
    """`depends_on` after transitive reduction: the branches this one is stacked on."""
    targets: tuple[str, ...] = ()
    context_files: tuple[str, ...] = ()
    priority: int = 2
    labels: tuple[str, ...] = ()
    agent: str = ""
    clarifier: str | None = None
    """The agent that asks what is open before; None: none does."""
    planner: str | None = None
    """The agent that plans it before; None: none does."""
    review_agent: str = ""
    """The agent that reviews its quality; "" leaves it to the configuration."""
    checks: dict[str, str] = Field(default_factory=dict)
    """Every check by name, the repository's and its own: as they stood when the run was planned."""
    environments: dict[str, str] = Field(default_factory=dict)
    """The environment of each check that does not run in the sandbox as it is."""
    allow: tuple[str, ...] = ()
    repairs: int = 3
    timeout_minutes: float = 30.0
    content_hash: str = ""
    branch: str
    pushed: str = ""
    """What the branch pointed at on the remote when an earlier run left it; empty: it was never pushed."""
    overlaps: tuple[TaskId, ...] = ()
    """Tasks of the run that may not be under way at the same time."""
    accepted: CommitSha | None = None
    """A commit that a person accepted as it is; it is published without another attempt."""
    proven: CommitSha | None = None
    """A commit that an earlier run proved on `proven_on` and could not publish; no agent works on it again."""
    proven_on: str = ""
    note: str = ""
    """What a person wrote when asking for another try."""


class Settled(Packet):
    """A dependency that an earlier run published: what a child builds on."""

    head: CommitSha
    branch: str
    number: int | None = None
    landed: bool = False
    """Whether the base holds its work, in whatever commits."""


class RunPlan(Packet):
    """A whole run: what it does, in which order, from where."""

    run_id: RunId
    base_branch: str
    base_commit: CommitSha
    target: str
    """Where branches are pushed: the remote's URL, or the repository's own git directory."""
    timestamp: int
    """Seconds since the epoch; the date of every commit the run makes."""
    concurrency: int
    tasks: tuple[PlannedTask, ...]
    """In topological order, priority first among equals."""
    settled: dict[TaskId, Settled] = Field(default_factory=dict)


class Ground(Packet):
    """What a task's work starts from."""

    commit: CommitSha
    branch: str
    """The branch a pull request is based on."""
    join: str = ""
    """`branch` again when it is a join of several parents that this task publishes."""
    grounds: tuple[CommitSha, ...] = ()
    """The commits that `commit` is, or joins."""
    parents: tuple[str, ...] = ()
    """The branches among the grounds; the rest is the base."""


class Conflict(Packet):
    """A textual conflict, found before anything was pushed."""

    between: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def described(self) -> str:
        """As a passage of a sentence: `conflict (a, b) in x.py, y.py`."""
        shown = ", ".join(f"`{path}`" for path in self.paths[:10])
        more = f" and {len(self.paths) - 10} more" if len(self.paths) > 10 else ""
        return f"conflict ({', '.join(self.between)}) in {shown}{more}"


class Pushed(Packet):
    """What came of a push: nothing to add, or the conflict that kept it from being tried."""

    conflict: Conflict | None = None


class SelectedContext(Packet):
    """The context of a task as artifacts."""

    listing: ArtifactRef
    """The selection as `switchyard.context/1`."""
    markdown: ArtifactRef
    """What the agent reads."""
    files: int
    tokens: int


class Publication(Packet):
    """A published task: its branch on the remote and its pull request."""

    head: CommitSha
    number: int
    url: str
    state: str
    base: str = ""
    """The branch that it goes to."""
    page: ArtifactRef | None = None
    """What its body tells of the proof, whole."""


class Signed(Packet):
    """What came of signing the statement of a published task."""

    outcome: Literal["holds", "fails", "not_applicable"]
    commit: CommitSha
    reason: str = ""
    """Why there is none; empty where it is signed."""
    key: str = ""
    """The id of the key that signed."""
    row: int = 0
    """The ledger's last row that the statement covers."""
    envelope: ArtifactRef | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger row says."""
        return self.model_dump(exclude={"envelope"})


class Overlaps(Packet):
    """Which tasks of a run may not be built at the same time."""

    of: dict[TaskId, tuple[TaskId, ...]]


class StackNote(Packet):
    """How a look after the stacks of pull requests went."""

    held_up: str = ""
    """What kept them from being brought up to date; the next run tries again."""


class TaskResult(Packet):
    """How a task ended in a run."""

    id: TaskId
    state: TaskState
    reason: str = ""
    head: CommitSha | None = None
    branch: str = ""
    number: int | None = None
    checks: tuple[CheckResult, ...] = ()
    """What proves it: the checks on the published commit."""
