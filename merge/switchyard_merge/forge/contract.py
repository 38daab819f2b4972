"""What a forge is: pull requests over branches that git already holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

PullState = Literal["open", "merged", "closed"]


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


@dataclass(frozen=True)
class NewPullRequest:
    """What `open` needs; the body carries the marker that finds it again."""

    title: str
    body: str
    head: str
    base: str
    labels: tuple[str, ...] = ()


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
        """Open one. The caller has looked with `find` before: this creates."""

    def edit(
        self, number: int, *, title: str | None = None, body: str | None = None, base: str | None = None
    ) -> PullRequest:
        """Change what is given; what is None stays."""

    def close(self, number: int) -> PullRequest:
        """Close it unmerged. A closed or merged one is returned as it is."""
