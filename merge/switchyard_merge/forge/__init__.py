"""Forges: where people review pull requests, behind one contract."""

from switchyard_merge.forge.contract import (
    CheckState,
    Forge,
    MergeMethod,
    NewPullRequest,
    PullRequest,
    PullState,
    Standing,
)
from switchyard_merge.forge.local import LocalForge

__all__ = [
    "CheckState", "Forge", "LocalForge", "MergeMethod", "NewPullRequest", "PullRequest", "PullState", "Standing",
]  # fmt: skip
