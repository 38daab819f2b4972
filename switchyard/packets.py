"""The small values that the factory's stations hand to one another; JSON at rest, frozen in memory."""

from __future__ import annotations

from typing import Any, Literal, NewType

from pydantic import BaseModel, ConfigDict
from switchyard_git import CommitSha

RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)
ArtifactRef = NewType("ArtifactRef", str)
"""`sha256:<hex>`"""

TaskState = Literal[
    "draft",
    "held",
    "waiting",
    "blocked",
    "running",
    "needs_person",
    "published",
    "approved",
    "landed",
    "failed",
    "cancelled",
]


class Packet(BaseModel):
    """Root of what crosses a station's border: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    checks: dict[str, str] = {}
    """Every check by name, the repository's and its own: as they stood when the run was planned."""
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
    settled: dict[TaskId, Settled] = {}


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


class FindingNote(Packet):
    """Something in a box's tree that was refused, or that a person should see."""

    path: str
    kind: str
    detail: str
    refused: bool


class ContextUse(Packet):
    """What one attempt opened of the files that it was given."""

    selected: tuple[str, ...]
    read: tuple[str, ...] | None = None
    """None: the sandbox could not tell, and `unseen` says why."""
    unseen: str = ""


class EgressNote(Packet):
    """What an attempt asked of the proxy, and what became of it; the same again counts up."""

    asked: str
    decision: Literal["allowed", "refused", "unreachable"]
    reason: str
    count: int


class ModelUse(Packet):
    """What one attempt used of one model, as the gateway counted it."""

    endpoint: str
    model: str
    requests: int
    input_tokens: int
    """The whole prompts, with what came from a cache."""
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    uncounted: int
    """Requests whose answers did not say what they used, or broke off."""


class AgentReport(Packet):
    """What an agent told of its own work; nothing of it is proof."""

    ok: bool
    reason: str = ""
    """Why not, in one line."""
    session_id: str = ""
    turns: int = 1
    events: dict[str, int] = {}
    """How many events of each kind its stream held."""
    input_tokens: int | None = None
    """As the agent itself counts them; None: it does not tell."""
    cached_tokens: int | None = None
    output_tokens: int | None = None
    final_text: str = ""


class ResultNote(Packet):
    """The `result.json` that an agent left: its own account, of which nothing is proof."""

    artifact: ArtifactRef
    fault: str = ""
    """Why it is not what its schema asks for; empty where it is."""
    summary: str = ""
    confidence: float | None = None
    discovered: int = 0
    """How many findings it lists."""


class AttemptResult(Packet):
    """What one attempt of an agent left behind."""

    attempt: int
    box: str
    commit: CommitSha
    """A commit of the whole attempt on the task's base; equals the base where nothing changed."""
    changed: tuple[str, ...] = ()
    """Paths that differ from the task's base."""
    created: tuple[str, ...] = ()
    """Those of them that the base does not have."""
    context: ContextUse | None = None
    findings: tuple[FindingNote, ...] = ()
    egress: tuple[EgressNote, ...] = ()
    models: tuple[ModelUse, ...] = ()
    told: AgentReport | None = None
    """None: the agent is a plain command, which tells nothing."""
    result: ResultNote | None = None
    """None: it left no `result.json`."""
    exit_code: int | None
    signal: int | None
    limit: str | None
    duration_s: float
    stdout: ArtifactRef
    stderr: ArtifactRef
    diff: ArtifactRef
    said: str = ""
    """The last lines of what the agent printed, for a person."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger row says: no output, long lists cut with their true length beside them."""
        apart = {"diff", "said", "changed", "created", "context", "findings", "egress", "models", "told", "result"}
        return {
            **self.model_dump(exclude=apart),
            **({"told": self.told.model_dump(exclude={"final_text"})} if self.told else {}),
            **({"result": self.result.model_dump()} if self.result else {}),
            **({"models": [use.model_dump() for use in self.models]} if self.models else {}),
            "changed": self.changed[:200],
            "changed_count": len(self.changed),
            "findings": [note.model_dump() for note in self.findings[:50]],
            "findings_count": len(self.findings),
        }


class CheckResult(Packet):
    """One check on one commit, run where the agent could not touch it."""

    name: str
    command: str
    passed: bool
    exit_code: int | None
    signal: int | None
    limit: str | None
    duration_s: float
    output: ArtifactRef
    tail: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger row says; the output stands in its artifact."""
        return self.model_dump(exclude={"output", "tail"})


class Decision(Packet):
    """What becomes of an attempt, and why."""

    verdict: Literal["publish", "repair", "needs_person"]
    reasons: tuple[str, ...] = ()


class Publication(Packet):
    """A published task: its branch on the remote and its pull request."""

    head: CommitSha
    number: int
    url: str
    state: str
    base: str = ""
    """The branch that it goes to."""


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
