"""The small values that the factory's stations hand to one another; JSON at rest, frozen in memory."""

from __future__ import annotations

from typing import Literal, NewType

from pydantic import BaseModel, ConfigDict

RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)
CommitId = NewType("CommitId", str)
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
