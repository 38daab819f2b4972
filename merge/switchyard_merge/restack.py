"""Branches replayed from where they stood onto where they belong now, on objects alone and all branches at once.

Each commit is cherry-picked as `git rebase --onto` would do it; author, message and dates stay, what becomes empty is
dropped, joins are made anew. Branches that do not wait for one another share every git process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from switchyard_git import CommitSha, Merged, MergeMessage, Repository, Signature, TreeSha, UnrelatedHistories
from switchyard_git import Conflicted as GitConflicted
from switchyard_git.replaying import Pick, WrittenCommit, commit_id

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
        UnrelatedHistories: A commit to replay has no parent, or what a branch stood on is not below it here.
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
        if ends and shared is None:
            # Without a commit below all of them nobody knows what is whose, and a branch would look empty.
            raise UnrelatedHistories(
                f"{', '.join(layer.branch or layer.tip for layer in layers)} share no commit in {repository.git_dir}",
                hint="in a shallow clone, fetch more history: `git fetch --unshallow`",
            )
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


@dataclass(frozen=True)
class _Tip:
    """A commit by name, and its tree; it may not be written yet."""

    sha: CommitSha
    tree: TreeSha


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
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    unwritten: dict[CommitSha, bytes] = field(default_factory=dict)
    foreseen: dict[tuple[TreeSha, CommitSha], Merged | GitConflicted] = field(default_factory=dict)
    """The tree that a commit was foreseen to stand on, and the commit → what git makes of it."""

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
        begun: list[_Moving] = []
        for name, layer in list(self.waiting.items()):
            stuck = [ground for ground in layer.on_branches if ground in self.outcomes]
            if stuck:
                self.outcomes[name] = Held(stuck[0])
                del self.waiting[name]
            elif all(ground in self.arrived for ground in layer.on_branches):
                del self.waiting[name]
                self._begin(layer)
                begun += [self.moving[name]] if name in self.moving else []
        if self.waiting and not self.moving:
            self._refuse_stuck()
        self._foresee(begun)

    def _begin(self, layer: Layer) -> None:
        fixed = [self._known(commit) for commit in layer.on_commits]
        grounds = fixed + [self.arrived[name].tip for name in layer.on_branches] or [self._known(layer.floor)]
        floor = grounds[0] if len(grounds) == 1 else self._join(layer, grounds)
        if floor is None:
            return
        if floor.sha == layer.floor:
            self.arrived[layer.branch] = _Moving(layer, grounds, floor, self._known(layer.tip), [])
            return
        chain = self._chain(layer)
        moving = _Moving(layer, grounds, floor, floor, chain)
        (self.moving if chain else self.arrived)[layer.branch] = moving

    def _join(self, layer: Layer, grounds: Sequence[_Tip]) -> _Tip | None:
        self._write()
        joined = join_of(self.repository, [ground.sha for ground in grounds], who=self.who)
        if isinstance(joined, Joined):
            return self._known(joined.commit)
        self.outcomes[layer.branch] = Conflicted(None, joined.paths, joined.messages)
        return None

    def _foresee(self, begun: Sequence[_Moving]) -> None:
        """Replay whole stacks in two batches, on trees that are guessed first.

        A commit's guess merges all that lies between the stack's old floor and it into the new floor, which needs
        nothing of the commits before it. Each commit is then replayed onto the guess of the one before it. Where a
        guess is what the replay comes to, which is nearly always, that replay is the one that `_step` asks for.
        """
        new = [moving for moving in begun if (moving.tip.tree, moving.rest[0].sha) not in self.foreseen]
        stacks = [(moving, stack) for moving in new if len(stack := list(self._stacked(moving))) > 1]
        sides = self.repository.stand_ins([(moving.floor.tree, moving.layer.floor) for moving, _ in stacks])
        asked = [(side, commit) for side, (_, stack) in zip(sides, stacks, strict=True) for _, commit in stack]
        outcomes = self.repository.merge_trees([(side, commit.sha) for side, commit in asked])
        guesses = {commit.sha: it for (_, commit), it in zip(asked, outcomes, strict=True)}
        picks: list[Pick] = []
        for moving, stack in stacks:
            for below, commit in stack:
                guess = Merged(moving.floor.tree) if below is None else guesses[below.sha]
                if isinstance(guess, Merged):
                    picks.append(Pick(commit, self._before(commit), guess.tree))
        replayed = self.repository.replay(picks)
        self.foreseen |= {(pick.onto, pick.commit.sha): it for pick, it in zip(picks, replayed, strict=True)}

    def _stacked(self, moving: _Moving) -> Iterator[tuple[WrittenCommit | None, WrittenCommit]]:
        """The commits of a layer and of what stands on it alone, each with the one that it follows."""
        below: WrittenCommit | None = None
        for commit in moving.rest:
            yield below, commit
            below = commit
        tops = {moving.layer.branch: (below, moving.layer.tip)}
        for name, layer in self.waiting.items():
            ground = layer.on_branches[0] if len(layer.on_branches) == 1 and not layer.on_commits else ""
            if ground in tops and layer.floor == tops[ground][1]:
                below = tops[ground][0]
                for commit in self._chain(layer):
                    yield below, commit
                    below = commit
                tops[name] = (below, layer.tip)

    def _step(self) -> None:
        """Replay the next commit of each moving branch."""
        movings = list(self.moving.values())
        keys = [(one.tip.tree, one.rest[0].sha) for one in movings]
        unforeseen = [one for one, key in zip(movings, keys, strict=True) if key not in self.foreseen]
        picks = [Pick(one.rest[0], self._before(one.rest[0]), one.tip.tree) for one in unforeseen]
        replayed = self.repository.replay(picks)
        self.foreseen |= {(pick.onto, pick.commit.sha): it for pick, it in zip(picks, replayed, strict=True)}
        for one, key in zip(movings, keys, strict=True):
            self._advance(one, self.foreseen[key])

    def _advance(self, one: _Moving, outcome: Merged | GitConflicted) -> None:
        commit = one.rest.pop(0)
        if isinstance(outcome, GitConflicted):
            self.outcomes[one.layer.branch] = Conflicted(commit.sha, outcome.paths, outcome.messages)
            del self.moving[one.layer.branch]
            return
        if outcome.tree == one.tip.tree:
            one.dropped.append(commit.sha)
        else:
            content = commit.placed(outcome.tree, one.tip.sha)
            one.tip = _Tip(commit_id(content, like=one.tip.sha), outcome.tree)
            self.unwritten[one.tip.sha] = content
        if not one.rest:
            self.arrived[one.layer.branch] = self.moving.pop(one.layer.branch)

    def _write(self) -> None:
        written = self.repository.write_commits(list(self.unwritten.values()))
        if written != list(self.unwritten):
            raise MergeError(
                f"{self.repository.git_dir} names commits otherwise than expected", hint="check its object format"
            )
        self.unwritten = {}

    def _chain(self, layer: Layer) -> list[WrittenCommit]:
        return [self.commits.written[commit] for commit in self.commits.chain(layer)]

    def _known(self, commit: CommitSha) -> _Tip:
        found = self.commits.written.get(commit)
        return _Tip(commit, found.tree if found else self.repository.tree_of(commit))

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
    grounds = tuple(ground.sha for ground in moving.grounds)
    return Restacked(moving.tip.sha, moving.floor.sha, grounds, tuple(moving.dropped))
