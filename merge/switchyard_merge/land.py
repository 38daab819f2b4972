"""Lands a stack: parents first, what people approved and the checks found green, so that the base never turns red.

In each round: keep the stack right, delete what landed before, choose, check what the base would become, retarget
children, merge through the forge. Deleting a branch comes last: a forge closes what is still based on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from switchyard_git import CommitSha, RefName, Repository

from switchyard_merge.body import quoted
from switchyard_merge.branches import is_factory_branch
from switchyard_merge.errors import HeadMoved, NotMergeable
from switchyard_merge.forge.contract import BatchForge, MergeMethod, Prepared, PullRequest, Standing
from switchyard_merge.keep import Keeper, Kept
from switchyard_merge.navigation import code
from switchyard_merge.publish import delete_branches
from switchyard_merge.queue import Candidate, Ejected, Prefix, Queue
from switchyard_merge.record import StackRecord
from switchyard_merge.situation import Situation, observe
from switchyard_merge.targets import look, opened
from switchyard_merge.verdicts import Checker, Journal, Leftover, Move

_MARK = "landing"
_RESTARTS = 5
"""How often in a row the world may move under a round before it is left for later."""
_SETTLING_TRIES = 5
_SETTLING_S = 2.0


@dataclass(frozen=True)
class LandingRules:
    """When and how a pull request lands."""

    method: MergeMethod = "squash"
    needs_approval: bool = True
    required_checks: tuple[str, ...] = ()
    """Checks of the forge that must have passed; one of any other name must only not be red or running."""
    reds: int = 2
    """Red runs it takes to eject one: 1 believes the first."""
    batch: int = 1
    """How many land with one move of the base, where the forge can; 1: each by the forge's own merge."""
    deletes_branches: bool = True


@dataclass(frozen=True)
class LandedBranch:
    """One pull request on the base."""

    branch: str
    number: int
    commit: CommitSha
    """What merging it made."""
    was_foreseen: bool = True
    """Whether its tree is the one that was checked; another one is checked afterwards."""


@dataclass(frozen=True)
class LandedStack:
    """What one call landed, and what it left."""

    landed: tuple[LandedBranch, ...]
    ejected: tuple[Ejected, ...]
    waiting: Mapping[str, str]
    """Every other branch of the stack → what it waits for."""
    runs: int
    """How many checks were made."""
    is_base_red: bool = False


@dataclass(frozen=True)
class Lander:
    """Everything that landing needs. It may be stopped anywhere, and goes on from there when it is called again."""

    keeper: Keeper
    checker: Checker
    rules: LandingRules = field(default_factory=LandingRules)
    suite: str = ""
    """What the checker runs; what another suite said of a tree is not used."""
    batches: BatchForge | None = None
    """The forge, where it can move its base for a whole batch."""
    pause: Callable[[float], None] = time.sleep
    """Waits, in seconds, while the forge works out whether a pull request can be merged."""

    def land(self, name: str) -> LandedStack:
        """Land what can be landed of a stack.

        Raises:
            MergeError: There is no record of the stack.
            ForgeUnavailable: The forge does not answer; call again later.
            RefMoved: Somebody else is keeping or landing the same stack.
        """
        journal = Journal.open(self.keeper.repository, name, self.checker, suite=self.suite)
        run = _Run(self, name, journal)
        while run.round():
            pass
        return run.told()

    def forget_verdicts(self, name: str) -> None:
        """Have every tree checked again, such as after what made the checks red was no fault of the code."""
        Journal.open(self.keeper.repository, name, self.checker, suite=self.suite).forget()


@dataclass
class _Run:
    """One call of `land`."""

    lander: Lander
    name: str
    journal: Journal
    held: dict[str, tuple[CommitSha, str]] = field(default_factory=dict)
    """Branch → the tip with which it does not land in this call, and why."""
    landed: list[LandedBranch] = field(default_factory=list)
    ejected: list[Ejected] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    is_base_red: bool = False
    restarts: int = 0

    @property
    def rules(self) -> LandingRules:
        return self.lander.rules

    @property
    def repository(self) -> Repository:
        return self.lander.keeper.repository

    def told(self) -> LandedStack:
        return LandedStack(
            tuple(self.landed), tuple(self.ejected), dict(self.waiting), self.journal.runs, self.is_base_red
        )

    def round(self) -> bool:
        """Land what can land together; whether another round may land more."""
        keeper = self.lander.keeper
        kept = keeper.keep(self.name)
        seen = observe(self.repository, keeper.forge, keeper.target, kept.record)
        self._delete_leftovers(seen)
        candidates = self._choose(kept, seen)
        if not candidates:
            return False
        base_ref = RefName(f"refs/heads/{kept.record.base}")
        queue = Queue(self.repository, self.journal, base_ref, seen.base_tip, self.rules.method, self.rules.reds)
        settled = queue.settle(candidates)
        if settled.is_base_red:
            self.is_base_red = True
            why = f"{kept.record.base} itself is red at {seen.base_tip}"
            self.waiting = dict.fromkeys(kept.record.branches, why) | self.waiting
            return False
        tips = {one.branch: one.tip for one in candidates}
        self._eject(settled.ejected, tips)
        for branch, why in settled.train.refused.items():
            self.held[branch] = tips[branch], why
        if not settled.train.prefixes:
            return True
        return self._land(kept.record, seen, settled.train.prefixes)

    def _choose(self, kept: Kept, seen: Situation) -> list[Candidate]:
        """The first pull requests, parents before children, that nothing keeps from landing."""
        limit = self.rules.batch if self.lander.batches else 1
        chosen: dict[str, Candidate] = {}
        self.waiting = {}
        for branch, recorded in kept.record.branches.items():
            pull, stand = seen.pulls.get(branch), recorded.aim
            below = next((parent for parent in stand.parents if parent not in chosen), None)
            if branch in kept.blocked:
                why = kept.blocked[branch].reason
            elif pull is None or pull.state != "open":
                why = "it has no open pull request"
            elif below:
                why = f"stands on {below}, which has not landed"
            else:
                why = self._obstacle(branch, pull, stand.tip)
            if why or pull is None:
                self.waiting[branch] = why
                continue
            chosen[branch] = Candidate(branch, pull.number, pull.title, stand.tip, stand.floor, stand.parents)
            if len(chosen) == limit:
                break
        return list(chosen.values())

    def _obstacle(self, branch: str, pull: PullRequest, tip: CommitSha) -> str:
        """Why it does not land now; asked once for each tip."""
        held_tip, why = self.held.get(branch, (None, ""))
        if held_tip == tip:
            return why
        standing = self._settled_standing(pull.number)
        why = f"its head moved to {standing.head_sha}" if standing.head_sha != tip else not_ready(standing, self.rules)
        if why:
            self.held[branch] = tip, why
        return why

    def _settled_standing(self, number: int) -> Standing:
        """What the forge says, once it has worked it out."""
        standing = self.lander.keeper.forge.standing(number)
        for _ in range(_SETTLING_TRIES):
            if standing.mergeable is not None or standing.blocked:
                break
            self.lander.pause(_SETTLING_S)
            standing = self.lander.keeper.forge.standing(number)
        return standing

    def _eject(self, ejected: Sequence[Ejected], tips: Mapping[str, CommitSha]) -> None:
        for one in ejected:
            self.ejected.append(one)
            self.held[one.branch] = tips[one.branch], _why_ejected(one)
            self.lander.keeper.forge.comment(one.number, _MARK, _told_ejected(one))

    def _land(self, record: StackRecord, seen: Situation, prefixes: Sequence[Prefix]) -> bool:
        """Move the base onto what was checked, if it still is where that was made; whether to go on."""
        if self._base_tip(record) != seen.base_tip:
            return self._again(prefixes)
        move = Move(seen.base_tip, self.repository.tree_of(prefixes[-1].commit))
        self.journal.note_landing(move, self._leftovers(record, seen, prefixes))
        self._retarget_children(record, seen, prefixes)
        try:
            merged = self._merge(prefixes, seen.base_tip)
        except HeadMoved:
            return self._again(prefixes)
        except NotMergeable as err:
            if self._base_tip(record) != seen.base_tip:
                return self._again(prefixes)
            # Not tried again before the branch changes, or the next call.
            refused = next(one.candidate for one in prefixes if one.candidate.number == err.number)
            self.held[refused.branch] = refused.tip, err.reason
            return True
        self.restarts = 0
        self.landed += [self._landed(one, pull) for one, pull in zip(prefixes, merged, strict=True)]
        return True

    def _again(self, prefixes: Sequence[Prefix]) -> bool:
        """Begin anew with the world as it is now, but not for ever."""
        self.restarts += 1
        if self.restarts < _RESTARTS:
            return True
        for one in prefixes:
            self.waiting[one.candidate.branch] = f"the base or its head moved {self.restarts} times while it landed"
        return False

    def _base_tip(self, record: StackRecord) -> CommitSha | None:
        ref = RefName(f"refs/heads/{record.base}")
        return look(self.repository, opened(self.lander.keeper.target), [ref]).get(ref)

    def _retarget_children(self, record: StackRecord, seen: Situation, prefixes: Sequence[Prefix]) -> None:
        """What is based on a branch that lands goes to the base first; so does what lands itself."""
        landing = {one.candidate.branch for one in prefixes}
        for branch, pull in seen.pulls.items():
            is_due = pull.base in landing or branch in landing
            if pull.state == "open" and is_due and pull.base != record.base:
                self.lander.keeper.forge.edit(pull.number, base=record.base)

    def _merge(self, prefixes: Sequence[Prefix], base: CommitSha) -> Sequence[PullRequest]:
        if self.lander.batches and self.rules.batch > 1:
            prepared = [Prepared(one.candidate.number, one.candidate.tip, one.commit) for one in prefixes]
            return self.lander.batches.merge_batch(prepared, expected_base=base)
        (one,) = prefixes
        forge = self.lander.keeper.forge
        return [forge.merge(one.candidate.number, method=self.rules.method, expected_head=one.candidate.tip)]

    def _landed(self, prefix: Prefix, pull: PullRequest) -> LandedBranch:
        """A forge cannot be told what base it merges into: look at what came of it."""
        commit = CommitSha(pull.merged_sha)
        if not self.repository.has_commit(commit):
            place = opened(self.lander.keeper.target)
            self.repository.fetch(place.git_dir if isinstance(place, Repository) else place, [commit])
        was_foreseen = self.repository.tree_of(commit) == self.repository.tree_of(prefix.commit)
        if not was_foreseen and not self.journal.passes(commit):
            self.is_base_red = True
        return LandedBranch(prefix.candidate.branch, prefix.candidate.number, commit, was_foreseen)

    def _leftovers(self, record: StackRecord, seen: Situation, prefixes: Sequence[Prefix]) -> dict[str, Leftover]:
        """The branches of what lands, and the joins that only these needed."""
        if not self.rules.deletes_branches:
            return {}
        found: dict[str, Leftover] = {}
        for one in prefixes:
            candidate = one.candidate
            # What a person made is not the factory's to delete.
            if is_factory_branch(candidate.branch):
                found[candidate.branch] = Leftover(candidate.number, candidate.tip)
            join = record.branches[candidate.branch].join
            if join in seen.tips and self._is_ours(seen.tips[join]):
                found[join] = Leftover(candidate.number, seen.tips[join])
        return found

    def _is_ours(self, join: CommitSha) -> bool:
        """Whether the factory made a join: what a person pushed there is not deleted."""
        (commit,) = self.repository.read_commits([join])
        who = self.lander.keeper.who
        return (commit.committer.name, commit.committer.email) == (who.name, who.email)

    def _delete_leftovers(self, seen: Situation) -> None:
        """Delete branches whose pull request is merged, once nothing of the stack is based on them.

        Nor anything that a person closed: without its base it would look as if the forge had closed it.
        """
        needed = {pull.base for pull in seen.pulls.values() if pull.state != "merged"}
        merged = {one.number for one in self.landed}
        due: dict[str, Leftover] = {}
        for branch, leftover in self.journal.record.leftovers.items():
            if branch not in needed and (leftover.number in merged or self._is_merged(leftover.number)):
                due[branch] = leftover
        if due:
            target = self.lander.keeper.target
            delete_branches(self.repository, target, {branch: one.tip for branch, one in due.items()})
            self.journal.note_deleted(due)

    def _is_merged(self, number: int) -> bool:
        return self.lander.keeper.forge.get(number).state == "merged"


def not_ready(standing: Standing, rules: LandingRules) -> str:
    """Why people, checks or the forge do not let a pull request land; empty: they do."""
    failed = sorted(name for name, state in standing.checks.items() if state == "failed")
    running = {name for name, state in standing.checks.items() if state == "pending"}
    running |= {name for name in rules.required_checks if name not in standing.checks}
    reasons = [
        (standing.changes_requested, "a reviewer requested changes"),
        (bool(standing.blocked), standing.blocked),
        (rules.needs_approval and not standing.approved, "nobody has approved it yet"),
        (bool(failed), f"checks failed: {', '.join(failed)}"),
        (bool(running), f"checks have not finished: {', '.join(sorted(running))}"),
        (standing.mergeable is None, "the forge has not worked out yet whether it can be merged"),
        (standing.mergeable is False, "it conflicts with its base"),
    ]
    return next((why for holds, why in reasons if holds), "")


def _why_ejected(one: Ejected) -> str:
    return f"stands on {one.because_of}, which was ejected" if one.because_of else "its checks are red"


def _told_ejected(one: Ejected) -> str:
    """The comment on a pull request that was ejected."""
    if one.because_of:
        return f"Not landed: it stands on {code(one.because_of)}, whose checks are red. It lands after that one."
    beside = "".join(f"\n- {code(branch)}" for branch in one.beside)
    with_others = f"\n\nIt was checked on top of:{beside}" if beside else ""
    evidence = f"\n\nThe check said:\n\n{quoted(one.evidence)}" if one.evidence else ""
    return f"Not landed: the base would turn red with it.{with_others}{evidence}"
