"""Stacks of branches that people made: taken from their own repository, published as the factory's, kept as those are.

A person's branch is pushed under a name of the factory's, restacked where it does not stand on its parents as they
are. What came to the published branch since, a restack or a colleague's commit, is never thrown away for a local
branch that does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from switchyard_git import Commit, CommitSha, RefMoved, Repository

from switchyard_merge.bodies import stack_bodies
from switchyard_merge.body import Marker, render_place
from switchyard_merge.branches import JOIN, branch_name, join_branch_name
from switchyard_merge.conflicts import find_all_conflicts
from switchyard_merge.dag import Plan
from switchyard_merge.errors import MergeError, StaleBranch
from switchyard_merge.forge.contract import NewPullRequest, PullRequest
from switchyard_merge.graph import CommitGraph
from switchyard_merge.keep import Keeper, Kept, Opener
from switchyard_merge.keep_plan import Steps
from switchyard_merge.publish import open_or_find
from switchyard_merge.record import RecordedBranch, StackRecord, Stand
from switchyard_merge.situation import Facts, judge, look_around

_ROUNDS = 4


@dataclass(frozen=True)
class LocalBranch:
    """One branch of a person's."""

    tip: CommitSha
    parents: tuple[str, ...] = ()
    """The branches of the stack that it stands on; none: the base."""
    title: str = ""
    """Empty: the subject of its only commit, else its name."""
    body: str = ""


@dataclass(frozen=True)
class LocalStack:
    """A stack as a person has it."""

    name: str
    base: str
    branches: Mapping[str, LocalBranch]

    def published_names(self) -> dict[str, str]:
        """Branch → the branch that it is pushed to."""
        slugs = {name: _slug(name) for name in self.branches}
        taken = list(slugs.values())
        return {
            # Two that only differ in what is replaced are told apart by a hash of the whole name.
            name: branch_name(self.name, slug if taken.count(slug) == 1 else name)
            for name, slug in slugs.items()
        }


@dataclass(frozen=True)
class Published:
    """What became of a person's stack."""

    kept: Kept
    names: Mapping[str, str]
    """The person's branch → the published one."""
    landed: tuple[str, ...]
    """The person's branches whose pull request is merged, or closed because the base holds all of it."""
    taken: tuple[str, ...]
    """The person's branches of which something was new."""
    left_out: tuple[str, ...] = ()
    """Published branches that are none of the stack's any more; their pull requests are open, and kept right."""


def publish_stack(keeper: Keeper, record_name: str, stack: LocalStack) -> Published:
    """Bring the published stack up to a person's branches; with nothing new, nothing is written and nothing pushed.

    Args:
        keeper: Its repository has every commit of the branches.

    Raises:
        CyclicPlan, UnknownDependency: The branches cannot be put in order.
        StaleBranch: A published branch holds commits that the person's lacks; nothing was pushed.
        MergeError: Branches conflict with what they are to stand on, with one another or with the base, or one has
            no commit of its own; nothing was pushed.
    """
    Plan.of({name: branch.parents for name, branch in stack.branches.items()})
    for tries_left in reversed(range(_ROUNDS)):
        try:
            return _publish(keeper, record_name, stack)
        except RefMoved:
            # Somebody else is keeping the stack: look again.
            if not tries_left:
                raise
    raise AssertionError


def _publish(keeper: Keeper, record_name: str, stack: LocalStack) -> Published:
    stored, version = StackRecord.load(keeper.repository, record_name) or (StackRecord(record_name, stack.base), None)
    if stored.base != stack.base:
        raise MergeError(
            f"stack {stack.name!r} was published onto {stored.base}, not {stack.base}",
            hint="give it another name, or close its pull requests and publish it under a new one",
        )
    names = stack.published_names()
    facts = look_around(keeper.repository, keeper.forge, keeper.target, stored, names.values())
    taking = _Taking(keeper.repository, stored, facts, stack, names)
    taking.run()
    record, offered = taking.record(), taking.offered
    # Whoever was stopped between pushing a branch and opening its pull request goes on there.
    new = {name: _placeholder(name) for name in names.values() if name in record.branches and name not in facts.pulls}
    seen = judge(keeper.repository, record, replace(facts, pulls={**facts.pulls, **new}), offered)
    plan = keeper.plan_for(record, seen)
    if offered:
        _refuse_blocked(plan, offered, names)
        _refuse_conflicts(keeper.repository, plan, stack.base, facts.base_tip, names)
    stands = {name: plan.record.branches[name].aim for name in new if name in plan.record.branches}
    opener = _opener(keeper, stack, names, stands, _own_commits(keeper.repository, stands, facts.base_tip))
    kept = replace(keeper, bodies=stack_bodies).carry_out(
        record, seen, plan, version, offered=offered, opener=opener, is_renewed=record != stored
    )
    taken = tuple(name for name, published in names.items() if published in offered)
    left_out = tuple(name for name in kept.record.branches if name not in names.values())
    return Published(kept, names, tuple(taking.landed), taken, left_out)


@dataclass
class _Taking:
    """What is new in a person's branches, found parents first."""

    repository: Repository
    old: StackRecord
    facts: Facts
    stack: LocalStack
    names: Mapping[str, str]
    landed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Branch that left the stack → the ones that its own parents are now."""
    offered: dict[str, Stand] = field(default_factory=dict)
    changed: dict[str, RecordedBranch] = field(default_factory=dict)

    @cached_property
    def graph(self) -> CommitGraph:
        """All that is above the base, of the branches as they are and as they were."""
        heads = [branch.tip for branch in self.stack.branches.values()]
        for recorded in self.old.branches.values():
            heads += [*self._known(recorded), *self._floors(recorded)]
        return CommitGraph.read(self.repository, heads, self.facts.base_tip)

    def run(self) -> None:
        order = Plan.of({name: branch.parents for name, branch in self.stack.branches.items()}).order
        for name in order:
            parents = tuple(dict.fromkeys(self._live(self.stack.branches[name].parents)))
            pull = self.facts.pulls.get(self.names[name])
            is_recorded = self.names[name] in self.old.branches
            if pull is not None and (pull.state == "merged" or (pull.state == "closed" and not is_recorded)):
                self.landed[name] = parents
            else:
                self._take(name, tuple(self.names[parent] for parent in parents))

    def record(self) -> StackRecord:
        """The record with what is new, parents before children."""
        branches = self._without_given_up({**self.old.branches, **self.changed})
        parents = {name: self._parents(name, recorded) for name, recorded in branches.items()}
        known = {name: [one for one in found if one in branches] for name, found in parents.items()}
        return replace(self.old, branches={name: branches[name] for name in Plan.of(known).order})

    def _without_given_up(self, branches: Mapping[str, RecordedBranch]) -> dict[str, RecordedBranch]:
        """Without what a person took out of the stack and closed, unless others stand on it."""
        kept = dict(branches)
        for name in reversed(tuple(branches)):
            pull = self.facts.pulls.get(name)
            is_given_up = name not in self.names.values() and pull is not None and pull.state == "closed"
            if is_given_up and not any(name in self._parents(*one) for one in kept.items()):
                del kept[name]
        return kept

    def _parents(self, published: str, recorded: RecordedBranch) -> tuple[str, ...]:
        return self.offered[published].parents if published in self.offered else recorded.aim.parents

    def _live(self, parents: Sequence[str]) -> Iterator[str]:
        for parent in parents:
            yield from self.landed.get(parent, (parent,))

    def _take(self, name: str, parents: tuple[str, ...]) -> None:
        local, published = self.stack.branches[name], self.names[name]
        recorded = self.old.branches.get(published)
        there = self.facts.tips.get(published)
        if recorded is None:
            self._refuse_foreign(name, there)
            stand = self._stand(name, parents)
            join = join_branch_name(self.stack.name, published.rpartition("/")[2])
            self.changed[published] = RecordedBranch((stand,), join, source=local.tip, source_floor=stand.floor)
            self.offered[published] = stand
            return
        same_parents = set(recorded.aim.parents) == set(parents)
        if same_parents and local.tip == recorded.source:
            return
        if same_parents and local.tip == there == recorded.aim.tip:
            # The person's branch was brought up to the published one.
            floor = recorded.aim.floor
            self.changed[published] = replace(recorded, source=local.tip, source_floor=floor, is_shared=False)
            return
        if self._is_behind(local.tip, recorded, there):
            if same_parents:
                return
            stand = replace(recorded.aim, tip=there or recorded.aim.tip, grounds=(), parents=parents)
        else:
            stand = self._stand(name, parents)
            recorded = replace(recorded, source=local.tip, source_floor=stand.floor, is_shared=False)
        self.changed[published] = replace(recorded, stands=(*recorded.stands, stand))
        self.offered[published] = stand

    def _is_behind(self, tip: CommitSha, recorded: RecordedBranch, there: CommitSha | None) -> bool:
        """Whether the published branch holds all of the person's, and more that is not to be lost.

        Raises:
            StaleBranch: Each holds what the other lacks.
        """
        if tip == recorded.source:
            return True
        if there is None or self.repository.is_ancestor(there, tip):
            return False
        is_ours = not recorded.is_shared and any(stand.tip == there for stand in recorded.stands)
        if is_ours and there == recorded.source:
            return False
        if self.repository.is_ancestor(tip, there):
            return True
        if not is_ours:
            self._refuse_other(tip, there)
        return False

    def _refuse_foreign(self, name: str, there: CommitSha | None) -> None:
        """A branch of that name that no record knows must be held by the person's own."""
        tip = self.stack.branches[name].tip
        if there is not None and not self.repository.is_ancestor(there, tip):
            self._refuse_other(tip, there)

    def _refuse_other(self, tip: CommitSha, there: CommitSha) -> None:
        local = next(name for name, branch in self.stack.branches.items() if branch.tip == tip)
        published = self.names[local]
        error = StaleBranch(
            self.stack.name, {published: f"is at {there} and holds commits that your {local} ({tip}) lacks"}
        )
        error.hint = f"fetch {published}, rebase {local} onto it or merge it, then publish again"
        raise error

    def _stand(self, name: str, parents: tuple[str, ...]) -> Stand:
        """Where a person's branch stands: what is its own ends at the first commit that something below it holds."""
        tip = self.stack.branches[name].tip
        floor = self._floor(name, tip, parents)
        below = [self._tip(parent) for parent in parents]
        if not parents or [floor] == below:
            grounds: tuple[CommitSha, ...] = (floor,)
        else:
            (commit,) = self.repository.read_commits([floor])
            # A merge that the person made of just these parents is as good a join as one of ours.
            is_join = len(below) > 1 and set(commit.parents) == set(below)
            grounds = tuple(below) if is_join else ()
        return Stand(tip, floor, grounds, parents)

    def _floor(self, name: str, tip: CommitSha, parents: tuple[str, ...]) -> CommitSha:
        own = self.graph.own(tip, self._below(name, parents))
        commit = tip
        while commit in own:
            above = own[commit]
            if len(above) > 1 and not any(one in own for one in above):
                break
            if not above:
                raise MergeError(f"{name} has no commit in common with {self.stack.base}", hint=self._apart_hint())
            commit = above[0]
        if commit == tip:
            raise MergeError(
                f"{name} ({tip}) has no commit of its own on what it stands on",
                hint="commit something to it, or take it out of the stack's file",
            )
        return commit

    def _apart_hint(self) -> str:
        if self.repository.is_shallow:
            return "this history was cut when it was cloned: fetch more of it, `git fetch --unshallow`"
        return "check `base` in the stack's file"

    def _below(self, name: str, parents: tuple[str, ...]) -> list[CommitSha]:
        """Everything that a branch may stand on, as it is and as it was."""
        commits: list[CommitSha] = []
        waiting = list(self.stack.branches[name].parents)
        while waiting:
            parent = waiting.pop()
            commits.append(self.stack.branches[parent].tip)
            waiting.extend(self.stack.branches[parent].parents)
        for parent in parents:
            commits += self._known(self.old.branches.get(parent))
        commits += self._floors(self.old.branches.get(self.names[name]))
        return list(dict.fromkeys(commits))

    def _known(self, recorded: RecordedBranch | None) -> list[CommitSha]:
        if recorded is None:
            return []
        source = [CommitSha(recorded.source)] if recorded.source else []
        return [*(stand.tip for stand in recorded.stands), *source]

    def _floors(self, recorded: RecordedBranch | None) -> list[CommitSha]:
        if recorded is None:
            return []
        source = [CommitSha(recorded.source_floor)] if recorded.source_floor else []
        return [*(stand.floor for stand in recorded.stands), *source]

    def _tip(self, published: str) -> CommitSha:
        """Where a parent is, or is about to be taken from."""
        if published in self.offered:
            return self.offered[published].tip
        return self.facts.tips.get(published, self.old.branches[published].aim.tip)


def _slug(name: str) -> str:
    flat = name.replace("/", "-")
    # Names that begin so are those of joins.
    return f"branch-{flat}" if flat.startswith(JOIN) else flat


def _placeholder(published: str) -> PullRequest:
    """A pull request that is about to be opened."""
    return PullRequest(0, "", "", "", published, "", "open", "")


def _refuse_blocked(plan: Steps, offered: Mapping[str, Stand], names: Mapping[str, str]) -> None:
    blocked = {name: plan.blocked[published].reason for name, published in names.items() if published in plan.blocked}
    if any(published in plan.blocked for published in offered):
        told = "; ".join(f"{name}: {reason}" for name, reason in blocked.items())
        raise MergeError(f"nothing was pushed: {told}", hint="resolve that on the branches, then publish again")


def _refuse_conflicts(
    repository: Repository, plan: Steps, base: str, base_tip: CommitSha, names: Mapping[str, str]
) -> None:
    """Refuse branches that could not land both, while it is still easy to mend."""
    local = {published: name for name, published in names.items()}
    tips = {local.get(name, name): recorded.aim.tip for name, recorded in plan.record.branches.items()}
    conflicts = find_all_conflicts(repository, {base: base_tip, **tips})
    if conflicts:
        told = "; ".join(f"{one.head} and {one.other} in {', '.join(one.paths)}" for one in conflicts)
        raise MergeError(
            f"nothing was pushed: branches conflict: {told}",
            hint="rebase one of them onto the other and say so in the stack's file, or resolve the conflict",
        )


def _own_commits(repository: Repository, stands: Mapping[str, Stand], base_tip: CommitSha) -> dict[str, list[Commit]]:
    """Each branch's own commits, oldest first."""
    if not stands:
        return {}
    graph = CommitGraph.read(repository, [stand.tip for stand in stands.values()], base_tip)
    own = {name: list(graph.own(stand.tip, [stand.floor]))[::-1] for name, stand in stands.items()}
    written = {
        commit.sha: commit for commit in repository.read_commits([sha for found in own.values() for sha in found])
    }
    return {name: [written[sha] for sha in found] for name, found in own.items()}


def _opener(
    keeper: Keeper,
    stack: LocalStack,
    names: Mapping[str, str],
    stands: Mapping[str, Stand],
    own: Mapping[str, Sequence[Commit]],
) -> Opener:
    local = {published: name for name, published in names.items()}

    def open_one(published: str, base: str) -> PullRequest:
        name = local[published]
        title, body = _text(stack.branches[name], name, own[published])
        place = render_place("", Marker(name, stack.name, stands[published].tip), [], [], stack.base)
        marker, _, rest = place.partition("\n\n")
        text = "\n\n".join(part for part in (marker, body, rest) if part) + "\n"
        return open_or_find(keeper.forge, NewPullRequest(title, text, published, base))

    return open_one


def _text(branch: LocalBranch, name: str, commits: Sequence[Commit]) -> tuple[str, str]:
    """Title and description as the person gave them, else from the commits."""
    subjects = [commit.message.partition("\n")[0].strip() for commit in commits]
    if len(commits) == 1:
        title, body = subjects[0], commits[0].message.partition("\n")[2].strip()
    else:
        title, body = name, "\n".join(f"- {subject}" for subject in subjects)
    return branch.title or title or name, _harmless(branch.body or body)


def _harmless(text: str) -> str:
    """A person's own words, in which nothing passes for a marker of ours."""
    return text.replace("<!-- switchyard:", "<!-- ").replace("<!-- /switchyard:", "<!-- ")
