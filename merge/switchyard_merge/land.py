"""Lands a stack: parents first, what people approved and the checks found green, so that the base never turns red.

In each round: keep the stack right, delete what landed before, choose, check what the base would become, retarget
children, merge through the forge. Deleting a branch comes last: a forge closes what is still based on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from switchyard_git import CommitSha, RefName, Repository

from switchyard_merge.errors import ForgeRefused, HeadMoved, NotMergeable
from switchyard_merge.forge.contract import BatchForge, Prepared, PullRequest
from switchyard_merge.keep import Keeper, Kept
from switchyard_merge.keep_plan import Blocked
from switchyard_merge.leftovers import bases_of, idle_joins, leftovers_of
from switchyard_merge.publish import delete_branches
from switchyard_merge.queue import Candidate, Ejected, Prefix, Queue, assemble
from switchyard_merge.readiness import LandingRules, not_ready, settled_standing
from switchyard_merge.record import StackRecord, Stand
from switchyard_merge.situation import Situation, observe
from switchyard_merge.targets import look, opened
from switchyard_merge.verdicts import Checker, Journal, Leftover, Move

_MARK = "landing"
_RESTARTS = 5
"""How often in a row the world may move under a round before it is left for later."""


@dataclass(frozen=True)
class LandedBranch:
    """One pull request on the base."""

    branch: str
    number: int
    head: CommitSha
    """Where the branch was."""
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
class Foreseen:
    """What landing would do, if every check were green."""

    landing: tuple[Candidate, ...]
    """In the order in which they would land."""
    waiting: Mapping[str, str]
    """Every other branch of the stack → what it waits for."""
    restacked: tuple[str, ...]
    """The branches that would be put right first."""


class Witness(Protocol):
    """Hears what landing is about to do and what it did; what it raises stops the landing there."""

    def kept(self, kept: Kept) -> None:
        """The stack was put right, as at the beginning of every round."""

    def about_to_land(self, prefixes: Sequence[Prefix]) -> None:
        """Their trees are green; the forge is asked to merge them next."""

    def landed(self, one: LandedBranch) -> None:
        """The forge merged it."""

    def ejected(self, one: Ejected) -> None:
        """It does not land before its branch changes; its pull request says why."""


class Nobody:
    """A witness that keeps nothing."""

    def kept(self, kept: Kept) -> None:
        """Nothing."""

    def about_to_land(self, prefixes: Sequence[Prefix]) -> None:
        """Nothing."""

    def landed(self, one: LandedBranch) -> None:
        """Nothing."""

    def ejected(self, one: Ejected) -> None:
        """Nothing."""


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
    witness: Witness = field(default_factory=Nobody)
    refused: Mapping[str, str] = field(default_factory=dict)
    """Branches that do not land whatever the forge says of them → why."""
    is_cleared: Callable[[str, CommitSha, CommitSha], bool] = lambda branch, tip, floor: False
    """Whether a branch, from the commit that it stands on to its tip, lands although nobody approved it."""

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

    def foresee(self, name: str) -> Foreseen:
        """What `land` would do now; nothing is checked, and nothing is changed but objects that no ref names.

        Raises:
            MergeError: There is no record of the stack.
            ForgeUnavailable: The forge does not answer.
        """
        journal = Journal.open(self.keeper.repository, name, self.checker, suite=self.suite)
        return _Run(self, name, journal).foreseen()

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
        self.lander.witness.kept(kept)
        seen = observe(self.repository, keeper.forge, keeper.target, kept.record)
        self._delete_leftovers(kept.record, seen)
        candidates = self._choose(_unlanded(kept.record, kept.landed), kept.blocked, seen)
        if not candidates:
            return False
        settled = self._queue(kept.record, seen).settle(candidates)
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
        return self._land(kept.record, seen, self._together(settled.train.prefixes))

    def foreseen(self) -> Foreseen:
        """What a first round would find, and all that would follow it."""
        keeper = self.lander.keeper
        plan = keeper.plan(self.name)
        recorded = StackRecord.load(self.repository, self.name)
        assert recorded is not None
        seen = observe(self.repository, keeper.forge, keeper.target, recorded[0])
        moved = {update.branch for update in plan.moved if update.new != update.expected}
        chosen = self._choose(_unlanded(plan.record, plan.landed), plan.blocked, seen, moved)
        base_ref = RefName(f"refs/heads/{plan.record.base}")
        train = assemble(self.repository, base_ref, seen.base_tip, chosen, self.rules.method)
        landing = tuple(prefix.candidate for prefix in train.prefixes)
        restacked = tuple(branch for branch in plan.record.branches if branch in moved)
        return Foreseen(landing, {**self.waiting, **train.refused}, restacked)

    def _queue(self, record: StackRecord, seen: Situation) -> Queue:
        rules, base_ref = self.rules, RefName(f"refs/heads/{record.base}")
        return Queue(
            self.repository,
            self.journal,
            base_ref,
            seen.base_tip,
            rules.method,
            rules.reds,
            lands_singly=self.lander.batches is None,
        )

    def _together(self, prefixes: Sequence[Prefix]) -> Sequence[Prefix]:
        """What the next move of the base lands: all, or the first where the forge merges one by one."""
        return prefixes if self.lander.batches else prefixes[:1]

    def _choose(
        self, record: StackRecord, blocked: Mapping[str, Blocked], seen: Situation, moved: Set[str] | None = None
    ) -> list[Candidate]:
        """The pull requests, parents before children, that nothing keeps from landing: the first of them, or all.

        Args:
            moved: Given, all are looked at; these are yet to be put where the record has them.
        """
        chosen: dict[str, Candidate] = {}
        self.waiting = {}
        for branch, recorded in record.branches.items():
            pull, stand = seen.pulls.get(branch), recorded.aim
            below = next((parent for parent in stand.parents if parent not in chosen), None)
            if branch in blocked:
                why = blocked[branch].reason
            elif branch in self.lander.refused:
                why = self.lander.refused[branch]
            elif pull is None or pull.state != "open":
                why = "it has no open pull request"
            elif below:
                why = f"stands on {below}, which has not landed"
            else:
                why = self._obstacle(branch, pull, stand, is_moving=branch in (moved or ()))
            if why or pull is None:
                self.waiting[branch] = why
                continue
            chosen[branch] = Candidate(branch, pull.number, pull.title, stand.tip, stand.floor, stand.parents)
            if moved is None and len(chosen) == self.rules.batch:
                break
        return list(chosen.values())

    def _obstacle(self, branch: str, pull: PullRequest, stand: Stand, *, is_moving: bool) -> str:
        """Why it does not land now; asked once for each tip."""
        tip = stand.tip
        held_tip, why = self.held.get(branch, (None, ""))
        if held_tip == tip:
            return why
        standing = settled_standing(self.lander.keeper.forge, pull.number, self.lander.pause)
        if is_moving:
            # What the forge says of the old head is over once the branch has been put right.
            standing = replace(standing, head_sha=tip, mergeable=True)
        if standing.head_sha != tip:
            why = f"its head moved to {standing.head_sha}"
        else:
            why = not_ready(standing, self.rules, is_cleared=self.lander.is_cleared(branch, tip, stand.floor))
        if why:
            self.held[branch] = tip, why
        return why

    def _eject(self, ejected: Sequence[Ejected], tips: Mapping[str, CommitSha]) -> None:
        for one in ejected:
            self.ejected.append(one)
            self.held[one.branch] = tips[one.branch], one.why
            self.lander.keeper.forge.comment(one.number, _MARK, one.comment)
            self.lander.witness.ejected(one)

    def _land(self, record: StackRecord, seen: Situation, prefixes: Sequence[Prefix]) -> bool:
        """Move the base onto what was checked, if it still is where that was made; whether to go on."""
        if self._base_tip(record) != seen.base_tip:
            return self._again(prefixes)
        move = Move(seen.base_tip, self.repository.tree_of(prefixes[-1].commit))
        keeper = self.lander.keeper
        leftovers = (
            leftovers_of(self.repository, record, seen, prefixes, keeper.who) if self.rules.deletes_branches else {}
        )
        self.journal.note_landing(move, leftovers)
        self.lander.witness.about_to_land(prefixes)
        retargeted = self._retarget_children(record, seen, prefixes)
        try:
            merged = self._merge(prefixes, seen.base_tip)
        except HeadMoved:
            self._put_back(retargeted)
            return self._again(prefixes)
        except NotMergeable as err:
            self._put_back(retargeted)
            if self._base_tip(record) != seen.base_tip:
                return self._again(prefixes)
            # Not tried again before the branch changes, or the next call.
            refused = next(one.candidate for one in prefixes if one.candidate.number == err.number)
            self.held[refused.branch] = refused.tip, err.reason
            return True
        self.restarts = 0
        for one, pull in zip(prefixes, merged, strict=True):
            self.landed.append(self._landed(one, pull))
            self.lander.witness.landed(self.landed[-1])
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

    def _retarget_children(
        self, record: StackRecord, seen: Situation, prefixes: Sequence[Prefix]
    ) -> Sequence[PullRequest]:
        """What is based on a branch that lands goes to the base first; so does what lands itself. As they were."""
        landing = {one.candidate.branch for one in prefixes}
        due = [
            pull
            for branch, pull in seen.pulls.items()
            if pull.state == "open" and pull.base != record.base and (pull.base in landing or branch in landing)
        ]
        for pull in due:
            self.lander.keeper.forge.edit(pull.number, base=record.base)
        return due

    def _put_back(self, retargeted: Sequence[PullRequest]) -> None:
        """Undo retargeting for a merge that was refused: what is blocked by it from now on is left as it is."""
        for pull in retargeted:
            # A base that somebody deleted meanwhile is for keeping the stack to judge.
            with suppress(ForgeRefused):
                self.lander.keeper.forge.edit(pull.number, base=pull.base)

    def _merge(self, prefixes: Sequence[Prefix], base: CommitSha) -> Sequence[PullRequest]:
        if self.lander.batches:
            # One alone, too: it lands on the base that it was checked on, or not at all.
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
        one = prefix.candidate
        return LandedBranch(one.branch, one.number, one.tip, commit, was_foreseen)

    def _delete_leftovers(self, record: StackRecord, seen: Situation) -> None:
        """Delete branches whose pull request is merged, once nothing of the stack is based on them, and idle joins."""
        needed = bases_of(seen)
        merged = {one.number for one in self.landed}
        keeper, due = self.lander.keeper, dict[str, Leftover]()
        for branch, leftover in self.journal.record.leftovers.items():
            if branch not in needed and (leftover.number in merged or self._is_merged(leftover.number)):
                due[branch] = leftover
        idle = idle_joins(self.repository, record, seen, keeper.who) if self.rules.deletes_branches else {}
        if due or idle:
            tips = {branch: one.tip for branch, one in due.items()}
            delete_branches(self.repository, keeper.target, tips | idle)
        if due:
            self.journal.note_deleted(due)

    def _is_merged(self, number: int) -> bool:
        return self.lander.keeper.forge.get(number).state == "merged"


def _unlanded(record: StackRecord, landed: Container[str]) -> StackRecord:
    """Without what landed, which is remembered for as long as a branch that waits for a person stands on it."""
    return replace(record, branches={name: one for name, one in record.branches.items() if name not in landed})
