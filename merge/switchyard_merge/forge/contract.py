"""What a forge is: pull requests over branches that git already holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

PullState = Literal["open", "merged", "closed"]
MergeMethod = Literal["squash", "rebase", "merge"]
CheckState = Literal["pending", "passed", "failed"]


@dataclass(frozen=True)
class PullRequest:
    """One pull request as the forge knows it. `head` and `base` are branch names."""

    number: int
    url: str
    title: str
    body: str
    head: str
    base: str
    state: PullState
    head_sha: str
    labels: tuple[str, ...] = ()
    merged_sha: str = ""
    """The commit that merging it made on its base; empty before."""
    draft: bool = False
    owes_labels: bool = False
    """Whether some of its labels are put on with the next edit of its body only, to save a request."""


@dataclass(frozen=True)
class Standing:
    """What the forge says about landing one pull request now."""

    head_sha: str
    mergeable: bool | None
    """None: the forge has not worked it out yet."""
    blocked: str
    """Why not, in the forge's words; empty: nothing blocks."""
    approved: bool
    """Whether somebody who has a say approved, and nobody objects."""
    changes_requested: bool
    checks: Mapping[str, CheckState]


@dataclass(frozen=True)
class Prepared:
    """One pull request of a batch."""

    number: int
    expected_head: str
    commit: str
    """What lands it: made on the commit of the one before it, the first on the base."""


@dataclass(frozen=True)
class NewPullRequest:
    """What `open` needs; the body carries the marker that finds it again."""

    title: str
    body: str
    head: str
    base: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """Nothing happens for a while, and why."""

    reason: str
    seconds: float


class Forge(Protocol):
    """Where people review. Every method may raise ForgeRefused or ForgeUnavailable (switchyard_merge.errors)."""

    kind: str

    def find(self, head: str) -> PullRequest | None:
        """The newest pull request from branch `head`, whatever its state; None where there is none."""

    def get(self, number: int) -> PullRequest:
        """One pull request; an unknown number raises ForgeRefused."""

    def list(self, *, heads_prefix: str = "") -> Sequence[PullRequest]:
        """Every pull request whose head starts with the prefix, by number."""

    def open(self, new: NewPullRequest) -> PullRequest:
        """Open one. The caller has looked with `find` before: this creates. See `PullRequest.owes_labels`."""

    def edit(
        self, number: int, *, title: str | None = None, body: str | None = None, base: str | None = None
    ) -> PullRequest:
        """Change what is given; what is None stays."""

    def close(self, number: int) -> PullRequest:
        """Close it unmerged. A closed or merged one is returned as it is."""

    def reopen(self, number: int) -> PullRequest:
        """Open a closed one again. An open one is returned as it is; a merged one raises ForgeRefused."""

    def standing(self, number: int) -> Standing:
        """Reviews, checks and obstacles of one pull request, for its head as it is now."""

    def standings(self, numbers: Sequence[int]) -> Mapping[int, Standing]:
        """What `standing` tells of each of many pull requests, by number, in as few calls as the forge allows."""

    def is_approved(self, number: int) -> bool:
        """Whether reviewers agree on one pull request, as its `standing` tells; less to ask for than that."""

    def merge(
        self, number: int, *, method: MergeMethod, expected_head: str, title: str = "", message: str = ""
    ) -> PullRequest:
        """Merge into its base through the forge. One that is merged already is returned as it is.

        Args:
            title: The first line of the commit, where the method makes one; empty: the forge's own.
            message: What follows the title.

        Raises:
            HeadMoved: The head is not `expected_head`; read it again.
            NotMergeable: Rules, conflicts or a protected branch; with the forge's reason.
            ForgeUnavailable: It could not be reached; it may have merged, so look before trying again.
        """

    def comment(self, number: int, marker: str, text: str) -> None:
        """One comment for each marker: created once, edited afterwards; nothing is written when it stands there."""


class BatchForge(Protocol):
    """A forge whose base can move once for several pull requests."""

    def merge_batch(self, prepared: Sequence[Prepared], *, expected_base: str) -> Sequence[PullRequest]:
        """Move their common base once, onto the last commit, if it still is at `expected_base`: all merge, or none.

        Raises:
            HeadMoved: A head is not where it is expected.
            NotMergeable: Rules, or a base that moved.
            ForgeUnavailable: It could not be reached; it may have merged, so look before trying again.
        """


@runtime_checkable
class StackForge(Protocol):
    """A forge that has stacks of its own."""

    def declare_stack(self, numbers: Sequence[int]) -> int | None:
        """Tell that pull requests, bottom first, are one stack; its number, or None where chained bases do.

        Raises:
            ForgeRefused: Their bases do not form a chain, or some belong to another stack.
        """
