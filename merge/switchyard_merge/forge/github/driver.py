"""The forge on GitHub: each verb of the contract as few requests, every refusal typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from switchyard_merge.errors import ForgeRefused, HeadMoved, NotMergeable
from switchyard_merge.forge.contract import MergeMethod, NewPullRequest, PullRequest, Standing, Waiting
from switchyard_merge.forge.github import stacks
from switchyard_merge.forge.github.calls import Calls, GitHubRefused
from switchyard_merge.forge.github.labels import with_owed
from switchyard_merge.forge.github.reading import is_agreed, is_from_here, standing_of, told

if TYPE_CHECKING:
    from github.PullRequest import PullRequest as RemotePull
    from github.PullRequestReview import PullRequestReview
    from github.Repository import Repository as Remote

_BASE_MOVED = "base branch was modified"
_BASE_MOVED_PAUSE_S = 2.0
_MERGE_TRIES = 3


class GitHubForge:
    """Pull requests of one repository. Threads may share it; their requests go out one after another."""

    kind = "github"

    def __init__(self, calls: Calls, *, since: datetime | None = None, native_stacks: bool = False) -> None:
        """Talk through `calls`.

        Args:
            since: Pull requests from before, with a time zone, need not be listed: a repository may have tens of
                thousands. None lists all.
            native_stacks: Merge by GitHub's asynchronous call, which its own stacks require, where the repository
                has it.
        """
        self._calls = calls
        self._since = since
        self._native_stacks = native_stacks
        self._name = calls.address.full_name
        self._owing: dict[int, PullRequest] = {}
        """Those that were seen to owe labels."""

    def find(self, head: str) -> PullRequest | None:
        """The newest pull request from branch `head`, whatever its state; None where there is none. One read."""
        owner = self._calls.address.owner
        page = self._calls.read(
            lambda remote: remote.get_pulls(
                state="all", head=f"{owner}:{head}", sort="created", direction="desc"
            ).get_page(0)
        )
        # A filter that GitHub does not understand is ignored, and then everything is listed.
        ours = [self._told(pull) for pull in page if pull.head.ref == head and is_from_here(pull, self._name)]
        return max(ours, key=lambda pull: pull.number, default=None)

    def get(self, number: int) -> PullRequest:
        """One pull request; an unknown number raises ForgeRefused. One read."""
        return self._told(self._pull(number))

    def list(self, *, heads_prefix: str = "") -> Sequence[PullRequest]:
        """Every pull request whose head starts with the prefix, by number. A read for each 100 since `since`."""
        since = self._since
        # Newest first: what is opened while we read makes us see others twice, and miss none.
        listed = self._calls.pages(
            lambda remote: remote.get_pulls(state="all", sort="created", direction="desc"),
            is_enough=lambda pull: since is not None and pull.created_at < since,
        )
        ours = {
            pull.number: self._told(pull)
            for pull in listed
            if pull.head.ref.startswith(heads_prefix) and is_from_here(pull, self._name)
        }
        return [ours[number] for number in sorted(ours)]

    def open(self, new: NewPullRequest) -> PullRequest:
        """Open one; a write. An answer that got lost is found again, not asked twice. Labels are owed until `edit`."""
        lost: list[str] = []
        body = _text(with_owed(new.body, new.labels) if new.labels else new.body)

        def look() -> PullRequest | None:
            lost.append(new.head)
            return self._just_opened(new)

        try:
            return self._calls.write(
                lambda remote: self._told(
                    remote.create_pull(base=new.base, head=new.head, title=_text(new.title), body=body)
                ),
                done=look,
            )
        except GitHubRefused as err:
            found = self._just_opened(new) if lost else None
            if found is None:
                raise self._why_not_opened(new, err) from None
            return found

    def edit(
        self, number: int, *, title: str | None = None, body: str | None = None, base: str | None = None
    ) -> PullRequest:
        """Change what is given; what is None stays. One write, which puts owed labels on where it can."""
        given = {"title": title, "body": body, "base": base}
        changes = {name: _text(value) for name, value in given.items() if value is not None}
        owing = self._owing.get(number)
        if owing is None or body is None:
            return self._edit(number, changes)
        if base is None:
            return self._settle(owing, changes)
        # A base is no matter of the request that takes labels: they are owed on.
        return self._edit(number, {**changes, "body": with_owed(changes["body"], owing.labels)})

    def close(self, number: int) -> PullRequest:
        """Close it unmerged. A closed or merged one is returned as it is."""
        found = self.get(number)
        return found if found.state != "open" else self._edit(number, {"state": "closed"})

    def reopen(self, number: int) -> PullRequest:
        """Open a closed one again. An open one is returned as it is; a merged one raises ForgeRefused.

        GitHub refuses while the head's branch is missing, or when it was moved since: put it back where it was first.
        """
        found = self.get(number)
        if found.state == "merged":
            raise ForgeRefused(f"pull request #{number} is merged, and cannot be opened again", hint="open a new one")
        return found if found.state == "open" else self._edit(number, {"state": "open"})

    def standing(self, number: int) -> Standing:
        """Reviews, checks and obstacles of one pull request, for its head as it is now. Four reads."""
        pull = self._pull(number)
        sha = pull.head.sha
        reviews = self._reviews(number)
        runs = self._calls.pages(lambda remote: remote.get_commit(sha).get_check_runs())
        statuses = self._calls.read(lambda remote: remote.get_commit(sha).get_combined_status().statuses)
        return standing_of(pull, reviews, runs, statuses)

    def standings(self, numbers: Sequence[int]) -> Mapping[int, Standing]:
        """What `standing` tells of each of many pull requests, by number. Four reads each."""
        return {number: self.standing(number) for number in numbers}

    def is_approved(self, number: int) -> bool:
        """Whether reviewers agree on one pull request. One read."""
        try:
            return is_agreed(self._reviews(number))
        except GitHubRefused as err:
            raise self._unknown(number, err) from None

    def merge(
        self, number: int, *, method: MergeMethod, expected_head: str, title: str = "", message: str = ""
    ) -> PullRequest:
        """Merge into its base through the forge. One that is merged already is returned as it is.

        Raises:
            HeadMoved: The head is not `expected_head`; read it again.
            NotMergeable: Rules, conflicts or a protected branch; with GitHub's reason.
        """
        asked = stacks.MergeRequest(number, method, expected_head, title, message)
        if self._native_stacks and stacks.merge(self._calls, asked):
            return self.get(number)
        for remaining in range(_MERGE_TRIES, 0, -1):
            try:
                self._calls.write(lambda remote: _merge(remote, asked), done=lambda: self._is_merged(number))
                return self.get(number)
            except GitHubRefused as err:
                found = self._after_refused_merge(asked, err, may_retry=remaining > 1)
                if found is not None:
                    return found
                self._calls.wait(Waiting("somebody else landed just now", _BASE_MOVED_PAUSE_S))
        raise AssertionError("the last try returns or raises")

    def declare_stack(self, numbers: Sequence[int]) -> int | None:
        """Tell GitHub that pull requests, bottom first, are one stack; its number, or None where chained bases do.

        Raises:
            GitHubRefused: Their bases do not form a chain, or some belong to another stack.
        """
        return stacks.stack(self._calls, numbers) if self._native_stacks else None

    def comment(self, number: int, marker: str, text: str) -> None:
        """One comment for each marker: created once, edited afterwards; nothing is written when it stands there."""
        mark = f"<!-- switchyard:comment {marker.replace('-->', '')} -->"
        body = f"{mark}\n{_text(text)}"
        comments = self._calls.pages(lambda remote: remote.get_issue(number).get_comments())
        ours = next((comment for comment in comments if (comment.body or "").startswith(mark)), None)
        if ours is None:
            self._calls.write(
                lambda remote: bool(remote.get_issue(number).create_comment(body)),
                done=lambda: True if self._has_comment(number, mark) else None,
            )
        elif ours.body.replace("\r\n", "\n") != body:
            self._calls.write(lambda remote: remote.get_issue(number).get_comment(ours.id).edit(body))

    def _after_refused_merge(
        self, asked: stacks.MergeRequest, err: GitHubRefused, *, may_retry: bool
    ) -> PullRequest | None:
        """The pull request when it is merged all the same; None when GitHub wants the very same to be sent again."""
        if err.status not in (405, 409, 422):
            raise self._unknown(asked.number, err) from None
        found = self.get(asked.number)
        if found.state == "merged":
            return found
        if found.state == "closed":
            raise NotMergeable(asked.number, f"it is closed; {err.said}", hint="open it again first") from None
        if found.head_sha != asked.expected_head:
            raise HeadMoved(asked.number, expected=asked.expected_head, found=found.head_sha) from None
        if may_retry and _BASE_MOVED in err.said.lower():
            return None
        raise NotMergeable(asked.number, err.said) from None

    def _pull(self, number: int) -> RemotePull:
        try:
            return self._calls.read(lambda remote: remote.get_pull(number).complete())
        except GitHubRefused as err:
            raise self._unknown(number, err) from None

    def _reviews(self, number: int) -> Sequence[PullRequestReview]:
        return self._calls.pages(lambda remote: remote.get_pull(number).get_reviews())

    def _unknown(self, number: int, err: GitHubRefused) -> ForgeRefused:
        if err.status != 404:
            return err
        return ForgeRefused(f"there is no pull request #{number} in {self._name}", hint=err.hint)

    def _edit(self, number: int, changes: dict[str, Any]) -> PullRequest:
        def change(remote: Remote) -> PullRequest:
            pull = remote.get_pull(number)
            pull.edit(**changes)
            return self._told(pull)

        try:
            return self._calls.write(change)
        except GitHubRefused as err:
            raise self._unknown(number, err) from None

    def _settle(self, owing: PullRequest, changes: dict[str, Any]) -> PullRequest:
        """Change title and body, and put on the labels that are owed; to GitHub, a pull request is an issue, too."""
        number, labels = owing.number, list(owing.labels)
        try:
            self._calls.write(lambda remote: remote.get_issue(number).edit(**changes, labels=labels))
        except GitHubRefused as err:
            if err.status not in (404, 410):
                raise
            # A repository may have no issues; labels it has all the same.
            self._calls.write(lambda remote: remote.get_issue(number).add_to_labels(*labels))
            return self._edit(number, changes)
        del self._owing[number]
        return replace(owing, **changes, owes_labels=False)

    def _told(self, pull: RemotePull) -> PullRequest:
        found = told(pull)
        self._owing.pop(found.number, None)
        if found.owes_labels:
            self._owing[found.number] = found
        return found

    def _just_opened(self, new: NewPullRequest) -> PullRequest | None:
        """The pull request that a lost request of ours made: open, from that branch, with that very text."""
        found = self.find(new.head)
        wanted = _text(new.body).replace("\r\n", "\n").strip()
        ours = found is not None and found.state == "open" and found.body.strip() == wanted
        return found if ours else None

    def _why_not_opened(self, new: NewPullRequest, err: GitHubRefused) -> ForgeRefused:
        said = err.said.lower()
        if "already exists" in said:
            found = self.find(new.head)
            number = f"#{found.number}" if found else "another one"
            return ForgeRefused(f"pull request {number} from {new.head} is open already", hint="find and edit that one")
        if "no commits between" in said:
            return ForgeRefused(
                f"no commits between {new.base} and {new.head}", hint="a pull request needs a commit of its own"
            )
        return ForgeRefused(f"no pull request from {new.head} onto {new.base}: {err.said}", hint=err.hint)

    def _is_merged(self, number: int) -> bool | None:
        return True if self.get(number).state == "merged" else None

    def _has_comment(self, number: int, mark: str) -> bool:
        comments = self._calls.pages(lambda remote: remote.get_issue(number).get_comments())
        return any((comment.body or "").startswith(mark) for comment in comments)


def _merge(remote: Remote, asked: stacks.MergeRequest) -> bool:
    remote.get_pull(asked.number).merge(**asked.words(), merge_method=asked.method, sha=asked.expected_head)
    return True


def _text(text: str) -> str:
    """Text that JSON can hold: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
