"""Forges: where people review pull requests, behind one contract."""

from switchyard_merge.forge.contract import Forge, NewPullRequest, PullRequest, PullState
from switchyard_merge.forge.local import LocalForge

__all__ = ["Forge", "LocalForge", "NewPullRequest", "PullRequest", "PullState"]
