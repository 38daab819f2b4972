"""What GitHub's objects say, in the contract's words; nothing here asks GitHub again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import TYPE_CHECKING

from switchyard_merge.forge.contract import CheckState, PullRequest, Standing
from switchyard_merge.forge.github.labels import split_owed

if TYPE_CHECKING:
    from github.CheckRun import CheckRun
    from github.CommitStatus import CommitStatus
    from github.PullRequest import PullRequest as RemotePull
    from github.PullRequestReview import PullRequestReview

_PASSING = ("success", "neutral", "skipped")
_MAY_REVIEW = ("OWNER", "MEMBER", "COLLABORATOR")
"""Anybody can approve in a public repository; only these have a say."""
_BLOCKED = {
    "dirty": "it conflicts with its base",
    "blocked": "a rule of the base branch is not met: a review, a check or a conversation is missing",
    "behind": "its branch must be brought up to date with the base first",
    "draft": "it is a draft",
}
_WORST: Sequence[CheckState] = ("failed", "pending", "passed")


def told(pull: RemotePull) -> PullRequest:
    """A pull request as the contract has it."""
    merged = pull.merged_at is not None
    # A web editor, and GitHub itself, may turn line ends into CRLF.
    body, owed = split_owed((pull.body or "").replace("\r\n", "\n"))
    labels = [label.name for label in pull.labels]
    return PullRequest(
        number=pull.number,
        url=pull.html_url,
        title=pull.title,
        body=body,
        head=pull.head.ref,
        base=pull.base.ref,
        state="merged" if merged else "closed" if pull.state == "closed" else "open",
        head_sha=pull.head.sha,
        labels=(*labels, *(label for label in owed if label not in labels)),
        merged_sha=(pull.merge_commit_sha or "") if merged else "",
        draft=bool(pull.draft),
        owes_labels=bool(owed),
    )


def is_from_here(pull: RemotePull, full_name: str) -> bool:
    """Whether its head lies in the repository itself: a fork may use our branch names, and is not ours."""
    # A fork that was deleted is no repository any more.
    source = pull.head.repo
    return source is not None and source.full_name.casefold() == full_name.casefold()


def standing_of(
    pull: RemotePull,
    reviews: Iterable[PullRequestReview],
    runs: Iterable[CheckRun],
    statuses: Iterable[CommitStatus],
) -> Standing:
    """What there is to say about landing it."""
    verdicts = _verdicts(reviews)
    state = pull.mergeable_state or "unknown"
    if pull.state == "closed":
        blocked = "it is merged" if pull.merged_at else "it is closed"
    else:
        blocked = _BLOCKED.get(state, "")
    return Standing(
        head_sha=pull.head.sha,
        mergeable=None if state == "unknown" and pull.state == "open" else bool(pull.mergeable),
        blocked=blocked,
        approved=_agree(verdicts),
        changes_requested="CHANGES_REQUESTED" in verdicts,
        checks=_checks(runs, statuses),
    )


def is_agreed(reviews: Iterable[PullRequestReview]) -> bool:
    """Whether somebody who has a say approved, and nobody objects."""
    return _agree(_verdicts(reviews))


def _agree(verdicts: Set[str]) -> bool:
    return "APPROVED" in verdicts and "CHANGES_REQUESTED" not in verdicts


def _verdicts(reviews: Iterable[PullRequestReview]) -> set[str]:
    """The last word of each person who has a say; a comment takes no word back."""
    last: dict[str, str] = {}
    for review in reviews:
        has_say = review.user is not None and review.author_association in _MAY_REVIEW
        if has_say and review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            last[review.user.login] = review.state
    return set(last.values())


def _checks(runs: Iterable[CheckRun], statuses: Iterable[CommitStatus]) -> dict[str, CheckState]:
    """Check runs and commit statuses by name; of several with one name the worst counts."""
    found: list[tuple[str, CheckState]] = []
    for run in runs:
        passed: CheckState = "passed" if run.conclusion in _PASSING else "failed"
        found.append((run.name, passed if run.status == "completed" else "pending"))
    for status in statuses:
        state: CheckState = "failed"
        if status.state in ("success", "pending"):
            state = "passed" if status.state == "success" else "pending"
        found.append((status.context, state))
    checks: dict[str, CheckState] = {}
    for name, state in found:
        checks[name] = min(checks.get(name, "passed"), state, key=_WORST.index)
    return checks
