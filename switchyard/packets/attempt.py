"""What one attempt of an agent left behind, and what the checks said of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from switchyard_git import CommitSha

from switchyard.packets.values import ArtifactRef, Packet

On = Literal["change", "base", "base tests"]
"""The attempt's commit; the task's base; the attempt's commit under the base's own tests."""


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
    failed: int = 0
    """Requests that were answered with an error, a refused key among them."""


class AgentReport(Packet):
    """What an agent told of its own work; nothing of it is proof."""

    ok: bool
    reason: str = ""
    """Why not, in one line."""
    session_id: str = ""
    turns: int = 1
    events: dict[str, int] = Field(default_factory=dict)
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
    rationale: str = ""
    """Cut where it is long; the whole stands in the artifact."""
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
    prompt: ArtifactRef | None = None
    """What the agent was told; None: an older version kept none."""
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
    environment: str = ""
    """The `[environments.NAME]` that it ran in; "": the sandbox as it is."""
    on: On = "change"
    """What it ran on."""
    base: Literal["passed", "failed_alike", "failed_otherwise"] | None = None
    """How it went on the task's base, beside this; None: it was not run there, or this is the base's own result."""
    runs: tuple[bool, ...] = ()
    """Whether each run passed, in order, where there was more than one; `passed` is what came of them."""
    base_runs: tuple[bool, ...] = ()
    """The same of the base, where it was run again."""
    is_flaky: bool = False
    """Whether the same commit passed it and failed it."""
    tests: int | None = None
    """How many tests passed, by what it printed; None: it does not tell."""
    failures: tuple[str, ...] = ()
    """Names of the tests that failed, by what it printed."""
    tree: str = ""
    """The tree that it ran on."""
    suite: str = ""
    """A digest of the command and all that it depends on beside the tree."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger row says; the output stands in its artifact, and what is as ever is left out."""
        told = self.model_dump(exclude={"output", "tail", *_SELDOM})
        return {**told, **self.model_dump(include=_SELDOM, exclude_defaults=True)}


_SELDOM = {"environment", "on", "base", "runs", "base_runs", "is_flaky", "tests", "failures", "tree", "suite"}
