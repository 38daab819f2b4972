"""What agents found besides their tasks, and what became of it."""

from __future__ import annotations

from typing import Any, Literal

from switchyard.packets.roles import Discovery
from switchyard.packets.values import ArtifactRef, Packet


class MarkedFinding(Packet):
    """A finding, told from every other by its mark, which is the same whenever it is gathered again."""

    mark: str
    found_by: str
    """In which role: `builder`, or a reviewer's name."""
    discovery: Discovery


class FoundList(Packet):
    """Everything that was found in one task's work."""

    findings: tuple[MarkedFinding, ...] = ()


class Gathered(Packet):
    """The same as an artifact; its marks tell how much there is."""

    artifact: ArtifactRef | None = None
    """None: nothing was found."""
    marks: tuple[str, ...] = ()


class Filing(Packet):
    """What became of one finding."""

    mark: str
    found_by: str
    outcome: Literal["filed", "merged", "kept"]
    """`kept`: in the ledger alone, for `reason`."""
    task: str = ""
    """The draft, or the task or earlier draft that says the same."""
    reason: str = ""
    title: str
    detail: str = ""
    paths: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger row says."""
        return self.model_dump(exclude={"outcome"})


class Filings(Packet):
    """What became of all of them."""

    filings: tuple[Filing, ...] = ()
