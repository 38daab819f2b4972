"""The forge without a server: each pull request is one JSON file beside the factory's state.

Branches stay where they are, in the remote or in the person's own repository; only what git does not know is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from switchyard_git import CommitSha, GitError, RefName, Repository, without_password

from switchyard_merge.errors import ForgeRefused, ForgeUnavailable, HeadMoved, NotMergeable
from switchyard_merge.forge.contract import (
    CheckState,
    MergeMethod,
    NewPullRequest,
    Prepared,
    PullRequest,
    PullState,
    Standing,
)
from switchyard_merge.forge.files import PullRequestFiles, StoredPullRequest, Verdict
from switchyard_merge.forge.landing import Landing, bring, landed_commit, obstacles, put_on_base
from switchyard_merge.targets import opened

_HEADS = "refs/heads/"
_FEW = 50


class LocalForge:
    """Pull requests kept in `folder`, over the branches of `target`. Processes and threads may share the folder."""

    kind = "local"

    def __init__(self, folder: Path, repository: Repository, target: str | Path) -> None:
        """Use a folder, which is made when the first pull request is opened.

        Args:
            repository: Asks `target` for its branches.
            target: Where branches are pushed: a URL, the path of an origin, or a repository's own git directory.
        """
        self._files = PullRequestFiles(folder)
        self._repository = repository
        self._target = target

    def find(self, head: str) -> PullRequest | None:
        """The newest pull request from branch `head`, whatever its state; None where there is none."""
        stored = [one for one in self._files.all() if one.head == head]
        return self._told(stored[-1:])[0] if stored else None

    def get(self, number: int) -> PullRequest:
        """One pull request; an unknown number raises ForgeRefused."""
        return self._told([self._files.read(number)])[0]

    def list(self, *, heads_prefix: str = "") -> Sequence[PullRequest]:
        """Every pull request whose head starts with the prefix, by number."""
        return self._told([one for one in self._files.all() if one.head.startswith(heads_prefix)])

    def open(self, new: NewPullRequest) -> PullRequest:
        """Open one; refused, as by any forge, for a branch that is missing, has nothing new or has one open already."""
        heads = self._heads([new.head, new.base])
        for branch in (new.head, new.base):
            if branch not in heads:
                raise ForgeRefused(f"there is no branch {branch} in {self._place()}", hint="push the branch first")
        if heads[new.head] == heads[new.base]:
            raise ForgeRefused(
                f"no commits between {new.base} and {new.head}: both are at {heads[new.head]}",
                hint="a pull request needs at least one commit of its own",
            )
        with self._files.locked():
            everything = self._files.all()
            for one in everything:
                if one.head == new.head and one.state == "open":
                    raise ForgeRefused(
                        f"pull request #{one.number} from {new.head} is open already", hint="find and edit that one"
                    )
            stored = StoredPullRequest(
                number=max((one.number for one in everything), default=0) + 1,
                title=_text(new.title),
                body=_text(new.body),
                head=new.head,
                base=new.base,
                state="open",
                head_sha=heads[new.head],
                labels=new.labels,
            )
            self._files.write(stored)
        return self._told([stored], heads)[0]

    def edit(
        self, number: int, *, title: str | None = None, body: str | None = None, base: str | None = None
    ) -> PullRequest:
        """Change what is given; what is None stays."""
        if base is not None and base not in self._heads([base]):
            raise ForgeRefused(f"there is no branch {base} in {self._place()}", hint="push the new base first")
        given = {"title": title, "body": body, "base": base}
        changed = {name: _text(value) for name, value in given.items() if value is not None}
        return self._change(number, lambda stored: stored.model_copy(update=changed))

    def close(self, number: int) -> PullRequest:
        """Close it unmerged. A closed or merged one is returned as it is."""
        head = self.get(number).head_sha

        def closed(stored: StoredPullRequest) -> StoredPullRequest:
            if stored.state != "open":
                return stored
            return stored.model_copy(update={"state": "closed", "head_sha": head})

        return self._change(number, closed)

    def reopen(self, number: int) -> PullRequest:
        """Open a closed one again. An open one is returned as it is; a merged one raises ForgeRefused."""
        found = self._files.read(number)
        heads = self._heads([found.head, found.base])

        def opened_again(stored: StoredPullRequest) -> StoredPullRequest:
            if stored.state == "merged":
                raise ForgeRefused(f"pull request #{number} is merged", hint="open another one")
            for branch in (stored.head, stored.base):
                if stored.state == "closed" and branch not in heads:
                    raise ForgeRefused(f"there is no branch {branch} in {self._place()}", hint="push the branch first")
            return stored.model_copy(update={"state": "open"})

        return self._change(number, opened_again)

    def standing(self, number: int) -> Standing:
        """Reviews, checks and obstacles of one pull request, for its head as it is now."""
        return self.standings([number])[number]

    def standings(self, numbers: Sequence[int]) -> Mapping[int, Standing]:
        """What `standing` tells of each of many pull requests, by number: one look at the branches."""
        stored = [self._files.read(number) for number in numbers]
        heads = self._heads_of(stored)
        found = zip(stored, self._told(stored, heads), self._obstacles(stored, heads), strict=True)
        return {one.number: _standing(one, pull, obstacle) for one, pull, obstacle in found}

    def is_approved(self, number: int) -> bool:
        """Whether reviewers agree on one pull request."""
        return _agree(self._files.read(number))

    def merge(
        self, number: int, *, method: MergeMethod, expected_head: str, title: str = "", message: str = ""
    ) -> PullRequest:
        """Merge into its base by git objects; the base moves only from where it was when the merge was made.

        The commit is noted before the base moves: whoever is stopped in between finds it there and merges nothing
        twice.
        """
        with self._files.locked():
            stored = self._files.read(number)
            if stored.state != "merged" and not self._is_landed(stored):
                landing = self._landing(stored, expected_head, title, message)
                commit = landed_commit(self._repository, landing, method)
                stored = stored.model_copy(update={"merged_sha": commit, "head_sha": landing.head})
                self._files.write(stored)
                put_on_base(self._repository, opened(self._target), landing, commit)
            if stored.state != "merged":
                stored = stored.model_copy(update={"state": "merged"})
                self._files.write(stored)
        return self._told([stored])[0]

    def merge_batch(self, prepared: Sequence[Prepared], *, expected_base: str) -> Sequence[PullRequest]:
        """Move their common base once, onto the last commit, if it still is at `expected_base`: all merge, or none.

        The commits are noted before the base moves, as for a single merge.
        """
        with self._files.locked():
            stored = [self._files.read(one.number) for one in prepared]
            landing = self._batch(stored, prepared, expected_base)
            noted = [
                one.model_copy(update={"merged_sha": it.commit, "head_sha": it.expected_head})
                for one, it in zip(stored, prepared, strict=True)
            ]
            for one in noted:
                self._files.write(one)
            put_on_base(self._repository, opened(self._target), landing, CommitSha(prepared[-1].commit))
            merged = [one.model_copy(update={"state": "merged"}) for one in noted]
            for one in merged:
                self._files.write(one)
        return self._told(merged)

    def comment(self, number: int, marker: str, text: str) -> None:
        """One comment for each marker: created once, edited afterwards; nothing is written when it stands there."""
        self._change(number, lambda one: one.model_copy(update={"comments": one.comments | {marker: _text(text)}}))

    def comments(self, number: int) -> Mapping[str, str]:
        """Marker → text of what was commented."""
        return self._files.read(number).comments

    def record_check(self, number: int, name: str, state: CheckState) -> None:
        """Note how a check of the head, as it is now, stands."""
        head = self.get(number).head_sha

        def checked(stored: StoredPullRequest) -> StoredPullRequest:
            of_head = stored.checks.get(head, {}) | {name: state}
            return stored.model_copy(update={"checks": stored.checks | {head: of_head}})

        self._change(number, checked)

    def approve(self, number: int, *, by: str) -> None:
        """Note that a reviewer agrees."""
        self._review(number, by, "approved")

    def request_changes(self, number: int, *, by: str) -> None:
        """Note that a reviewer wants something else; it blocks until the same reviewer approves."""
        self._review(number, by, "changes_requested")

    def _review(self, number: int, by: str, verdict: Verdict) -> None:
        self._change(number, lambda one: one.model_copy(update={"reviews": one.reviews | {by: verdict}}))

    def _is_landed(self, stored: StoredPullRequest) -> bool:
        """Whether a merge that was stopped had moved the base already."""
        if not stored.merged_sha:
            return False
        base = self._heads([stored.base]).get(stored.base)
        if base is None or not self._repository.has_commit(stored.merged_sha):
            return False
        target = opened(self._target)
        if not self._repository.has_commit(base):
            self._repository.fetch(target.git_dir if isinstance(target, Repository) else target, [base])
        return self._repository.is_ancestor(CommitSha(stored.merged_sha), base)

    def _landing(self, stored: StoredPullRequest, expected_head: str, title: str, message: str) -> Landing:
        """What merging it means now, or why it may not be merged."""
        heads = self._heads_of([stored])
        head = heads.get(stored.head)
        if head != expected_head:
            raise HeadMoved(stored.number, expected=expected_head, found=head or "")
        ((_, blocked),) = self._obstacles([stored], heads)
        if blocked:
            raise NotMergeable(stored.number, blocked)
        base = RefName(_HEADS + stored.base)
        return Landing(stored.number, heads[stored.head], heads[stored.base], base, title or stored.title, message)

    def _batch(self, stored: Sequence[StoredPullRequest], prepared: Sequence[Prepared], expected_base: str) -> Landing:
        """What moving the base means, or why it may not be moved."""
        heads = self._heads_of(stored)
        for one, it in zip(stored, prepared, strict=True):
            if heads.get(one.head) != it.expected_head:
                raise HeadMoved(one.number, expected=it.expected_head, found=heads.get(one.head, ""))
            blocked = self._rules(one) if one.state == "open" else f"it is {one.state}"
            if not blocked and one.base != stored[0].base:
                blocked = f"its base is {one.base}, not {stored[0].base}: retarget it first"
            if not blocked and heads.get(one.base) != expected_base:
                blocked = f"{one.base} is at {heads.get(one.base, 'nothing')}, not {expected_base}"
            if blocked:
                raise NotMergeable(one.number, blocked)
        base = CommitSha(expected_base)
        if not self._repository.is_ancestor(base, CommitSha(prepared[-1].commit)):
            raise NotMergeable(stored[0].number, f"{prepared[-1].commit} does not stand on {expected_base}")
        return Landing(stored[0].number, base, base, RefName(_HEADS + stored[0].base), stored[0].title)

    def _rules(self, stored: StoredPullRequest) -> str:
        """Why people do not want it merged; empty: nothing blocks."""
        if stored.draft:
            return "it is a draft"
        against = [by for by, verdict in stored.reviews.items() if verdict == "changes_requested"]
        return f"{', '.join(against)} requested changes" if against else ""

    def _obstacles(
        self, stored: Sequence[StoredPullRequest], heads: Mapping[str, CommitSha]
    ) -> Sequence[tuple[bool | None, str]]:
        """Whether both branches of each go together, and why it may not be merged; empty: nothing blocks."""
        landings = {
            one.number: Landing(one.number, heads[one.head], heads[one.base], RefName(_HEADS + one.base), one.title)
            for one in stored
            if one.state == "open" and one.head in heads and one.base in heads
        }
        target = opened(self._target)
        bring(self._repository, target, tuple(landings.values()))
        merged = dict(zip(landings, obstacles(self._repository, target, tuple(landings.values())), strict=True))
        return [self._obstacle(one, heads, merged.get(one.number, (None, ""))) for one in stored]

    def _obstacle(
        self, stored: StoredPullRequest, heads: Mapping[str, CommitSha], merged: tuple[bool | None, str]
    ) -> tuple[bool | None, str]:
        if stored.state != "open":
            return None, f"it is {stored.state}"
        for branch in (stored.head, stored.base):
            if branch not in heads:
                return None, f"there is no branch {branch}"
        mergeable, blocked = merged
        return mergeable, blocked or self._rules(stored)

    def _change(self, number: int, change: Callable[[StoredPullRequest], StoredPullRequest]) -> PullRequest:
        with self._files.locked():
            stored = self._files.read(number)
            changed = change(stored)
            if changed != stored:
                self._files.write(changed)
        return self._told([changed])[0]

    def _told(
        self, stored: Sequence[StoredPullRequest], seen: Mapping[str, CommitSha] | None = None
    ) -> Sequence[PullRequest]:
        """Pull requests as the contract has them, with the heads of the open ones as they are now.

        Args:
            seen: The branches, where they were looked at just now.
        """
        heads = self._heads([one.head for one in stored if one.state == "open"]) if seen is None else seen
        # Whoever merged may have been stopped before the file said so.
        states: dict[int, PullState] = {
            one.number: "merged" if one.state == "open" and self._is_landed(one) else one.state for one in stored
        }
        return [
            PullRequest(
                number=one.number,
                url=self._files.path(one.number).as_uri(),
                title=one.title,
                body=one.body,
                head=one.head,
                base=one.base,
                state=states[one.number],
                head_sha=heads.get(one.head, one.head_sha),
                labels=one.labels,
                merged_sha=one.merged_sha if states[one.number] == "merged" else "",
                draft=one.draft,
            )
            for one in stored
        ]

    def _heads_of(self, stored: Sequence[StoredPullRequest]) -> Mapping[str, CommitSha]:
        return self._heads(list(dict.fromkeys(name for one in stored for name in (one.head, one.base))))

    def _heads(self, branches: Sequence[str]) -> Mapping[str, CommitSha]:
        if not branches:
            return {}
        try:
            # All of a namespace at once: hundreds of names would not fit on a command line.
            patterns = [_HEADS + name for name in branches] if len(branches) <= _FEW else [f"{_HEADS}*"]
            refs = self._repository.ls_remote(self._target, patterns)
        except GitError as err:
            raise ForgeUnavailable(f"cannot see the branches of {self._place()}: {err}", hint=err.hint) from err
        return {ref.removeprefix(_HEADS): sha for ref, sha in refs.items()}

    def _place(self) -> str:
        return without_password(str(self._target))


def _standing(stored: StoredPullRequest, pull: PullRequest, obstacle: tuple[bool | None, str]) -> Standing:
    mergeable, blocked = obstacle
    return Standing(
        head_sha=pull.head_sha,
        mergeable=mergeable,
        blocked=blocked,
        approved=_agree(stored),
        changes_requested="changes_requested" in stored.reviews.values(),
        checks=dict(stored.checks.get(pull.head_sha, {})),
    )


def _agree(stored: StoredPullRequest) -> bool:
    return set(stored.reviews.values()) == {"approved"}


def _text(text: str) -> str:
    """Text that JSON can hold: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
