"""What switchyard_merge raises: one root, each error with the values it is about and a hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class MergeError(Exception):
    """Root of what switchyard_merge raises.

    CyclicPlan, UnknownDependency, StaleBranch, BranchInUse, ForbiddenRef, ForgeRefused (HeadMoved, NotMergeable),
    ForgeUnavailable (RateLimited).
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class CyclicPlan(MergeError):
    """Tasks that wait for one another."""

    def __init__(self, cycle: Sequence[str]) -> None:
        super().__init__(
            f"tasks depend on one another in a circle: {' → '.join(cycle)}",
            hint="remove one of these dependencies; each arrow reads `depends on`",
        )
        self.cycle = tuple(cycle)


class UnknownDependency(MergeError):
    """A task depends on one that is not in the plan."""

    def __init__(self, missing: Mapping[str, Sequence[str]]) -> None:
        told = "; ".join(f"{task} depends on {', '.join(names)}" for task, names in missing.items())
        super().__init__(f"unknown dependency: {told}", hint="correct the name, or add the task it means")
        self.missing = {task: tuple(names) for task, names in missing.items()}


class StaleBranch(MergeError):
    """A branch on the remote is not where the factory left it; it was not touched."""

    def __init__(self, target: str, branches: Mapping[str, str]) -> None:
        told = ", ".join(f"{branch} {why}" for branch, why in branches.items())
        super().__init__(
            f"nothing was pushed to {target}: {told}",
            hint="somebody else moved it; look at their commits, then publish on top of them or delete the branch",
        )
        self.branches = tuple(branches)


class BranchInUse(MergeError):
    """A branch is checked out in a worktree, so moving it would change what a person sees there."""

    def __init__(self, branches: Mapping[str, str]) -> None:
        told = ", ".join(f"{branch} in {worktree}" for branch, worktree in branches.items())
        super().__init__(
            f"checked out and so not moved: {told}", hint="switch that worktree to another branch, then publish again"
        )
        self.branches = tuple(branches)


class ForbiddenRef(MergeError):
    """Somebody asked to push something that is not the factory's own."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"refused to push {', '.join(names)}",
            hint="the factory pushes `factory/<run>/<task>` only; other branches move through the forge",
        )
        self.names = tuple(names)


class ForgeRefused(MergeError):
    """The forge understood and said no."""


class ForgeUnavailable(MergeError):
    """The forge could not be reached, or cannot answer now."""


class HeadMoved(ForgeRefused):
    """The head of a pull request is not where the caller saw it; nothing was merged."""

    def __init__(self, number: int, *, expected: str, found: str) -> None:
        super().__init__(
            f"pull request #{number} was not merged: its head is {found or 'gone'}, not {expected}",
            hint="read the pull request again, and check what was pushed",
        )
        self.number = number
        self.expected = expected
        self.found = found


class NotMergeable(ForgeRefused):
    """A pull request cannot be merged as it stands; `reason` is the forge's own."""

    def __init__(self, number: int, reason: str, *, hint: str = "resolve what is named, then try again") -> None:
        super().__init__(f"pull request #{number} cannot be merged: {reason}", hint=hint)
        self.number = number
        self.reason = reason


class RateLimited(ForgeUnavailable):
    """The forge wants to be asked less often."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message, hint=f"wait {retry_after_s:g} s, then try again")
        self.retry_after_s = retry_after_s
