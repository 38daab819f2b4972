"""What gates say of an attempt, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import field_validator, model_validator
from switchyard_git import CommitSha

from switchyard.packets.attempt import CheckResult
from switchyard.packets.values import ArtifactRef, Packet
from switchyard.quoting import code

Asks = Literal["note", "repair", "person"]
"""What a finding asks for: to be shown, to be mended by the agent, or to be decided by a person."""


_ESCAPED = re.compile("[\udc80-\udcff]")


class GateFinding(Packet):
    """One thing that a gate found in a change."""

    title: str
    """One line, in the factory's words; foreign text in it is quoted as code."""
    asks: Asks
    path: str = ""
    line: int = 0
    """Counts from 1, in the change's version of the file, or in the base's where the thing is gone; 0: the whole."""
    detail: str = ""
    """More, as Markdown."""

    @field_validator("title", "path", "detail")
    @classmethod
    def _make_storable(cls, text: str) -> str:
        """No JSON takes what is no UTF-8; a path's own such bytes stand as `\\xff`."""
        plain = _ESCAPED.sub(lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)
        return plain.encode("utf-8", "backslashreplace").decode()

    @property
    def described(self) -> str:
        """As a passage of Markdown, its place first."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        told = f"{self.title} ({code(place)})" if place else self.title
        return f"{told}\n\n{self.detail}" if self.detail else told


class GateResult(Packet):
    """What one gate said of one attempt. Every gate says something of each."""

    gate: str
    """Its name: `weakening`, `secrets`, `coverage`."""
    outcome: Literal["passed", "failed", "not_applicable"]
    """`failed` where a finding asks for more than to be shown."""
    reason: str = ""
    """In one line: what was looked at, or why the gate does not apply."""
    findings: tuple[GateFinding, ...] = ()
    artifact: ArtifactRef | None = None
    """The whole of what it saw, where that is more than the findings."""

    @model_validator(mode="after")
    def _check_reason(self) -> Self:
        if self.outcome == "not_applicable" and not self.reason:
            raise ValueError(f"gate {self.gate} does not apply, and does not say why")
        return self

    @classmethod
    def of(cls, gate: str, findings: Sequence[GateFinding], reason: str, artifact: ArtifactRef | None = None) -> Self:
        """Failed where a finding asks for an act, else passed."""
        failed = any(finding.asks != "note" for finding in findings)
        outcome: Literal["passed", "failed"] = "failed" if failed else "passed"
        return cls(gate=gate, outcome=outcome, reason=reason, findings=tuple(findings), artifact=artifact)

    @classmethod
    def skipped(cls, gate: str, reason: str) -> Self:
        """Not applicable, for a reason that is recorded."""
        return cls(gate=gate, outcome="not_applicable", reason=reason)


class Proof(Packet):
    """What speaks for an attempt, and against it."""

    checks: tuple[CheckResult, ...] = ()
    """What ran on its commit, each in a fresh sandbox."""
    gates: tuple[GateResult, ...] = ()
    """What every gate said of it."""

    @property
    def holds(self) -> bool:
        """Whether every check passed and no gate asks for an act."""
        return all(check.passed for check in self.checks) and all(gate.outcome != "failed" for gate in self.gates)

    def asking(self, asks: Asks) -> list[tuple[GateResult, list[GateFinding]]]:
        """The gates with findings that ask for this, each with those."""
        found = [(gate, [finding for finding in gate.findings if finding.asks == asks]) for gate in self.gates]
        return [(gate, findings) for gate, findings in found if findings]


class Restored(Packet):
    """An attempt's tree with the base's own tests and their configuration put back over it."""

    commit: CommitSha | None = None
    """None: the change touches none of them."""
    put_back: tuple[str, ...] = ()
    """Files that are as the base has them, wholly or in what they say of tests."""
    left_out: tuple[str, ...] = ()
    """New files of tests that stay out of it."""


class Covering(Packet):
    """Which tests the import graph knows for what a change touches."""

    tests: tuple[str, ...] = ()
    """The likeliest first."""
    tests_on_base: tuple[str, ...] = ()
    """Those of them that the base has too, and what it has besides: a change may have deleted them."""
    sources: int = 0
    """How many changed sources the graph knows; tests are none."""
    unreached: tuple[str, ...] = ()
    """Those of them that no test reaches through imports."""


class Decision(Packet):
    """What becomes of an attempt, and why."""

    verdict: Literal["publish", "repair", "needs_person"]
    reasons: tuple[str, ...] = ()
