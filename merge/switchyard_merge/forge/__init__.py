"""Forges: where people review pull requests, behind one contract."""

from switchyard_merge.forge.contract import (
    BatchForge,
    CheckState,
    Forge,
    MergeMethod,
    NewPullRequest,
    Prepared,
    PullRequest,
    PullState,
    Standing,
)
from switchyard_merge.forge.local import LocalForge

__all__ = [
    "BatchForge", "CheckState", "Forge", "LocalForge", "MergeMethod", "NewPullRequest", "Prepared", "PullRequest",
    "PullState", "Standing",
]  # fmt: skip
