"""Branches replayed from where they stood onto where they belong now, on objects alone and all branches at once.

Each commit is cherry-picked as `git rebase --onto` would do it; author, message and dates stay, what becomes empty is
dropped, joins are made anew. Branches that do not wait for one another share every git process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from switchyard_git import CommitSha, MergeMessage, Repository, Signature, TreeSha
from switchyard_git import Conflicted as GitConflicted
from switchyard_git.replaying import Pick, WrittenCommit

from switchyard_merge.errors import MergeError
from switchyard_merge.joins import Joined, join_of


@dataclass(frozen=True)
class Layer:
    """One branch to put elsewhere; without anything to stand on it keeps its floor."""

    branch: str
    tip: CommitSha
    floor: CommitSha
    """What it stood on when its commits were made: the old tip of its parent, or the join of several."""
    on_commits: tuple[CommitSha, ...] = ()
    """What it is to stand on: commits that stay where they are."""
    on_branches: tuple[str, ...] = ()
    """And layers before this one, wherever they end up."""


@dataclass(frozen=True)
class Restacked:
    """A branch in its new place."""

    tip: CommitSha
    floor: CommitSha
    """What it stands on now; a join where it stands on several."""
    grounds: tuple[CommitSha, ...]
    """The commits it stands on, as they were asked for."""
    dropped: tuple[CommitSha, ...] = ()
    """Commits that the new floor already holds."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the branch is left."""
        return self.tip == self.floor


@dataclass(frozen=True)
class Conflicted:
    """A branch that a person has to put there."""

    commit: CommitSha | None
    """The first commit that does not apply; None: what it should stand on does not go together."""
    paths: tuple[str, ...]
    messages: tuple[MergeMessage, ...]


@dataclass(frozen=True)
class Held:
    """A branch that could not move because one below it could not."""

    by: str


Outcome = Restacked | Conflicted | Held


def restack(repository: Repository, layers: Sequence[Layer], *, who: Signature) -> dict[str, Outcome]:
    """Put every layer where it belongs; no ref is moved.

    Args:
        layers: Parents before children.
        who: The name and e-mail of join commits.

    Raises:
        UnknownRevision: A commit is not here.
        UnrelatedHistories: A commit to replay has no parent.
    """
    commits = _Commits.read(repository, layers)
    work = _Work(repository, commits, who, {layer.branch: layer for layer in layers})
    work.run()
    return work.outcomes


def replay_branch(
    repository: Repository, *, floor: CommitSha, tip: CommitSha, onto: CommitSha
) -> Restacked | Conflicted:
    """One branch put onto a commit, as by `git rebase --onto`."""
    outcome = restack(repository, [Layer("", tip, floor, (onto,))], who=Signature("", "", 0))[""]
    assert not isinstance(outcome, Held)
    return outcome


@dataclass(frozen=True)
class _Commits:
    """The commits between what all layers share and their tips, read once."""

    ancestry: Mapping[CommitSha, tuple[CommitSha, ...]]
    written: Mapping[CommitSha, WrittenCommit]

    @classmethod
    def read(cls, repository: Repository, layers: Sequence[Layer]) -> _Commits:
        ends = list(dict.fromkeys(end for layer in layers for end in (layer.tip, layer.floor)))
        shared = repository.common_base(ends) if ends else None
        ancestry = repository.ancestry(ends, shared) if shared else {}
        own = cls(ancestry, {})
        chains = [commit for layer in layers for commit in own.chain(layer)]
        needed = {*ends, *chains, *(parent for commit in chains for parent in ancestry[commit][:1])}
        needed |= {commit for layer in layers for commit in layer.on_commits}
        return cls(ancestry, repository.read_written(sorted(needed)))

    def chain(self, layer: Layer) -> list[CommitSha]:
        """What the layer added to its floor, oldest first.

        Only first parents are followed: a merge that a person made counts as one commit with all that it brought, so
        that nothing they resolved in it is lost.
        """
        below = self._held(layer.floor)
        chain: list[CommitSha] = []
        commit = layer.tip
        while commit in self.ancestry and commit not in below:
            chain.append(commit)
            parents = self.ancestry[commit]
            if not parents:
                break
            commit = parents[0]
        return chain[::-1]

    def _held(self, commit: CommitSha) -> set[CommitSha]:
        found: set[CommitSha] = {commit}
        waiting = [commit]
        while waiting:
            for parent in self.ancestry.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found


@dataclass
class _Tip:
    """A commit that may not be written yet."""

    tree: TreeSha
    sha: CommitSha | None = None
    copy_of: WrittenCommit | None = None
    below: _Tip | None = None

    def content(self) -> bytes:
        assert self.copy_of and self.below and self.below.sha
        return self.copy_of.placed(self.tree, self.below.sha)


@dataclass
class _Moving:
    """A layer on its way."""

    layer: Layer
    grounds: list[_Tip]
    floor: _Tip
    tip: _Tip
    rest: list[WrittenCommit]
    dropped: list[CommitSha] = field(default_factory=list)


@dataclass
class _Work:
    """All layers: in each round, every branch that can move replays one commit."""

    repository: Repository
    commits: _Commits
    who: Signature
    waiting: dict[str, Layer]
    moving: dict[str, _Moving] = field(default_factory=dict)
    arrived: dict[str, _Moving] = field(default_factory=dict)
    unwritten: list[_Tip] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def run(self) -> None:
        order = list(self.waiting)
        while self.waiting or self.moving:
            self._start()
            self._step()
        self._write()
        told = self.outcomes | {name: _outcome(moving) for name, moving in self.arrived.items()}
        self.outcomes = {name: told[name] for name in order}

    def _start(self) -> None:
        """Let every layer begin whose grounds have arrived."""
        for name, layer in list(self.waiting.items()):
            stuck = [ground for ground in layer.on_branches if ground in self.outcomes]
            if stuck:
                self.outcomes[name] = Held(stuck[0])
                del self.waiting[name]
            elif all(ground in self.arrived for ground in layer.on_branches):
                del self.waiting[name]
                self._begin(layer)
        if self.waiting and not self.moving:
            self._refuse_stuck()

    def _begin(self, layer: Layer) -> None:
        fixed = [self._known(commit) for commit in layer.on_commits]
        grounds = fixed + [self.arrived[name].tip for name in layer.on_branches] or [self._known(layer.floor)]
        floor = grounds[0] if len(grounds) == 1 else self._join(layer, grounds)
        if floor is None:
            return
        written = self.commits.written
        if floor.sha == layer.floor:
            self.arrived[layer.branch] = _Moving(layer, grounds, floor, self._known(layer.tip), [])
            return
        chain = [written[commit] for commit in self.commits.chain(layer)]
        moving = _Moving(layer, grounds, floor, floor, chain)
        (self.moving if chain else self.arrived)[layer.branch] = moving

    def _join(self, layer: Layer, grounds: Sequence[_Tip]) -> _Tip | None:
        self._write()
        joined = join_of(self.repository, [ground.sha for ground in grounds if ground.sha], who=self.who)
        if isinstance(joined, Joined):
            return self._known(joined.commit)
        self.outcomes[layer.branch] = Conflicted(None, joined.paths, joined.messages)
        return None

    def _step(self) -> None:
        """Replay the next commit of each moving branch; what the last round made is written in the same process."""
        movings = list(self.moving.values())
        picks = [Pick(one.rest[0], self._before(one.rest[0]), one.tip.tree) for one in movings]
        outcomes, shas = self.repository.replay(picks, [tip.content() for tip in self.unwritten])
        self._name_written(shas)
        for one, outcome in zip(movings, outcomes, strict=True):
            commit = one.rest.pop(0)
            if isinstance(outcome, GitConflicted):
                self.outcomes[one.layer.branch] = Conflicted(commit.sha, outcome.paths, outcome.messages)
                del self.moving[one.layer.branch]
                continue
            if outcome.tree == one.tip.tree:
                one.dropped.append(commit.sha)
            else:
                one.tip = _Tip(outcome.tree, copy_of=commit, below=one.tip)
                self.unwritten.append(one.tip)
            if not one.rest:
                self.arrived[one.layer.branch] = self.moving.pop(one.layer.branch)

    def _write(self) -> None:
        self._name_written(self.repository.write_commits([tip.content() for tip in self.unwritten]))

    def _name_written(self, shas: Sequence[CommitSha]) -> None:
        for tip, sha in zip(self.unwritten, shas, strict=True):
            tip.sha = sha
        self.unwritten = []

    def _known(self, commit: CommitSha) -> _Tip:
        found = self.commits.written.get(commit)
        return _Tip(found.tree if found else self.repository.tree_of(commit), commit)

    def _before(self, commit: WrittenCommit) -> TreeSha:
        """The tree that a commit started from; a root started from nothing, which no other tree is."""
        return self.commits.written[commit.parents[0]].tree if commit.parents else TreeSha("")

    def _refuse_stuck(self) -> None:
        known = self.waiting.keys() | self.arrived.keys() | self.outcomes.keys()
        missing = sorted({name for layer in self.waiting.values() for name in layer.on_branches} - known)
        raise MergeError(
            f"{', '.join(self.waiting)} wait for {', '.join(missing) or 'one another'}",
            hint="give every branch that another stands on, parents first",
        )


def _outcome(moving: _Moving) -> Restacked:
    return Restacked(
        _sha(moving.tip), _sha(moving.floor), tuple(_sha(ground) for ground in moving.grounds), tuple(moving.dropped)
    )


def _sha(tip: _Tip) -> CommitSha:
    assert tip.sha
    return tip.sha


def conflicts_of(outcomes: Mapping[str, Outcome]) -> Iterator[tuple[str, Conflicted]]:
    """The branches that need a person, in the order of the layers."""
    return ((name, outcome) for name, outcome in outcomes.items() if isinstance(outcome, Conflicted))
