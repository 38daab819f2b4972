"""Branches of a DAG into pull requests: order, joins, conflicts, publication and the stack that people see."""

from switchyard_merge.bodies import stack_bodies
from switchyard_merge.body import (
    CheckLine,
    Marker,
    ParentLine,
    PullRequestText,
    merge_body,
    read_marker,
    render_body,
)
from switchyard_merge.branches import branch_name, is_join_branch, join_branch_name
from switchyard_merge.conflicts import Conflict, find_all_conflicts, find_conflicts
from switchyard_merge.dag import Plan
from switchyard_merge.errors import (
    BranchInUse,
    CyclicPlan,
    ForbiddenRef,
    ForgeRefused,
    ForgeUnavailable,
    HeadMoved,
    MergeError,
    NotMergeable,
    RateLimited,
    StaleBranch,
    UnknownDependency,
)
from switchyard_merge.joins import Conflicted, Joined, join_of
from switchyard_merge.keep import Keeper, Kept
from switchyard_merge.keep_plan import Blocked, Steps
from switchyard_merge.land import LandedStack, Lander
from switchyard_merge.navigation import StackEntry
from switchyard_merge.people import LocalBranch, LocalStack, Published, publish_stack
from switchyard_merge.publish import BranchUpdate, PushedBranch, open_or_adopt, push_branches, refresh_body
from switchyard_merge.pulls import StackMember, publish_pulls
from switchyard_merge.readiness import LandingRules
from switchyard_merge.record import RecordedBranch, StackRecord, Stand, recorded_stacks
from switchyard_merge.restack import Layer, Restacked, restack
from switchyard_merge.stack import StackedPull, draw_stack, stack_status
from switchyard_merge.standing import StackStanding, draw_standing, stack_document, stack_standing
from switchyard_merge.verdicts import Verdict

__all__ = [
    "Blocked", "BranchInUse", "BranchUpdate", "CheckLine", "Conflict", "Conflicted", "CyclicPlan",
    "ForbiddenRef", "ForgeRefused", "ForgeUnavailable", "HeadMoved", "Joined", "Keeper", "Kept", "LandedStack",
    "Lander", "LandingRules", "Layer", "LocalBranch", "LocalStack", "Marker", "MergeError", "NotMergeable",
    "ParentLine", "Plan", "Published", "PullRequestText", "PushedBranch", "RateLimited", "RecordedBranch",
    "Restacked", "StackEntry", "StackMember", "StackRecord", "StackStanding", "StackedPull", "StaleBranch",
    "Stand", "Steps", "UnknownDependency", "Verdict", "branch_name", "draw_stack", "draw_standing",
    "find_all_conflicts", "find_conflicts", "is_join_branch", "join_branch_name", "join_of", "merge_body",
    "open_or_adopt", "publish_pulls", "publish_stack", "push_branches", "read_marker", "recorded_stacks",
    "refresh_body", "render_body", "restack", "stack_bodies", "stack_document", "stack_standing",
    "stack_status",
]  # fmt: skip
