"""What every packet is made of: ids that are distinct types, and the root of all packets."""

from __future__ import annotations

from typing import Literal, NewType

from pydantic import BaseModel, ConfigDict

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
