"""What blind reviewers hand over: who judged, what was said, and the seal that went to the ledger before the words."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import ConfigDict, Field
from switchyard_git import CommitSha

from switchyard.packets.attempt import ModelUse
from switchyard.packets.gates import GateResult
from switchyard.packets.roles import QaResultPacket
from switchyard.packets.values import ArtifactRef, Packet

Reviewer = Literal["quality", "security", "operations"]
REVIEWERS: tuple[Reviewer, ...] = get_args(Reviewer)


class Judge(Packet):
    """Who judges, as far as the configuration says; another prompt or model is another judge."""

    reviewer: Reviewer
    agent: str
    """The name of its table; "" is the default."""
    kind: str
    model: str = ""
    """"" leaves it to the program."""
    prompt: str
    """SHA-256 of the templates that its prompt is made from."""
    identity: str
    """SHA-256 over all of these and the command: what a canary's result holds for."""


class Seat(Packet):
    """One configured reviewer, and whether what it says of this change counts."""

    judge: Judge
    absent: str = ""
    """Why it is not asked; empty: it is."""
    edited: tuple[str, ...] = ()
    """What the change touches of the files that its command runs, where the task may not."""


class Roster(Packet):
    """The configured reviewers of one change."""

    seats: tuple[Seat, ...] = ()
    idle: str = ""
    """Why none of the configured ones is asked; empty: they are, or there are none."""

    @property
    def asked(self) -> list[Judge]:
        """Those whose verdict counts."""
        return [seat.judge for seat in self.seats if not seat.absent]


class Verdict(Packet):
    """What one reviewer said of a commit: the document that is sealed."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    version: Literal["switchyard.verdict/1"] = Field(default="switchyard.verdict/1", alias="schema")
    judge: Judge
    program: str = ""
    """The version that its program tells; empty: it tells none."""
    commit: CommitSha
    """The commit that was judged."""
    verdict: Literal["pass", "fail", "unsure", "none"]
    """`none`: it gave no valid answer, for `reason`."""
    reason: str = ""
    result: QaResultPacket | None = None
    """Its answer, where that was valid."""
    output: ArtifactRef
    """All that its program printed."""
    left: ArtifactRef | None = None
    """The file that it left, valid or not; None: there was none."""


class SealedVerdict(Packet):
    """A verdict with its seal: the hash that the ledger gets first, and the salt that opens it."""

    verdict: Verdict
    document: ArtifactRef
    """The verdict as it was hashed, canonical JSON."""
    salt: str
    """Random, in hex: without it nobody could try which verdict has that hash."""
    seal: str
    """SHA-256 of salt and document."""
    models: tuple[ModelUse, ...] = ()

    @property
    def sealed_facts(self) -> dict[str, Any]:
        """What the ledger says before anything is revealed."""
        return {**self._who, "seal": self.seal}

    @property
    def revealed_facts(self) -> dict[str, Any]:
        """What the ledger says once all are sealed."""
        said = self.verdict
        return {
            **self._who,
            "seal": self.seal,
            "salt": self.salt,
            "verdict": said.verdict,
            "reason": said.reason,
            "findings": len(said.result.findings) if said.result else 0,
            "models": [use.model_dump() for use in self.models],
        }

    @property
    def _who(self) -> dict[str, Any]:
        said = self.verdict
        return {**said.judge.model_dump(), "program": said.program, "commit": said.commit}


class Verification(Packet):
    """What the blind reviewers said of one commit, all together."""

    roster: Roster = Roster()
    verdicts: tuple[Verdict, ...] = ()
    gate: GateResult
