"""Keeps a published stack right while the world moves: looks, plans, then acts so that it may be stopped anywhere.

Retarget first, then one atomic push, then bodies: pushed first, a branch would ask the owners of everything that its
old base still holds for a review.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from switchyard_git import CommitSha, RefMoved, Repository, Signature

from switchyard_merge.body import merge_body
from switchyard_merge.chains import declare_chains
from switchyard_merge.errors import MergeError, StaleBranch
from switchyard_merge.forge.contract import Forge, PullRequest
from switchyard_merge.keep_plan import Blocked, Step, Steps, is_shared, plan_layers, plan_steps
from switchyard_merge.publish import BranchUpdate, push_branches
from switchyard_merge.record import RecordedBranch, StackRecord
from switchyard_merge.restack import restack
from switchyard_merge.situation import Situation, judge, look_around, observe

Bodies = Callable[[StackRecord, Mapping[str, PullRequest]], Mapping[str, str]]
"""The generated text of each branch's pull request, for a stack as it stands now and the pull requests by branch."""
Opener = Callable[[str, str], PullRequest]
"""Opens a pull request from a branch that was pushed, to a base."""

_ROUNDS = 4
_LANDED_MARK = "already-landed"


@dataclass(frozen=True)
class Kept:
    """What was done."""

    record: StackRecord
    steps: tuple[Step, ...]
    """The pull requests that were retargeted, opened again or closed."""
    pushed: tuple[str, ...]
    """The branches that moved."""
    blocked: Mapping[str, Blocked]
    landed: Mapping[str, str]
    """The branches that left the stack, with the commit that holds their work."""
    pulls: Mapping[str, PullRequest]
    """The newest pull request from each branch that was recorded, as it is now."""
    plan: Steps
    """What was to be done."""


@dataclass(frozen=True)
class Keeper:
    """Everything that keeping one stack needs."""

    repository: Repository
    forge: Forge
    target: str | Path | Repository
    who: Signature
    """The name and e-mail of join commits."""
    bodies: Bodies | None = None
    """None leaves the texts alone."""
    announce: Callable[[StackRecord, Steps], None] | None = None
    """Told what is about to be done, before any of it is."""

    def keep(self, name: str) -> Kept:
        """Make the stack right; with nothing to do, nothing is written and nothing pushed.

        Raises:
            MergeError: There is no record of the stack.
            StaleBranch: Somebody kept pushing in between; every commit of theirs is where they put it.
            RefMoved: Somebody else is keeping the same stack.
        """
        for round_ in range(_ROUNDS):
            try:
                return self._round(name)
            except (StaleBranch, RefMoved):
                # What was made stands on what is no longer there: look again, and make it anew.
                if round_ == _ROUNDS - 1:
                    raise
        raise AssertionError

    def plan(self, name: str) -> Steps:
        """What `keep` would do now; nothing is changed but objects that no ref names."""
        return self.foresee(name)[0]

    def foresee(self, name: str, listed: Sequence[PullRequest] | None = None) -> tuple[Steps, Situation]:
        """What `keep` would do now, and what it is made from.

        Args:
            listed: The factory's pull requests, where they were listed just now.
        """
        record, _ = self._load(name)
        facts = look_around(self.repository, self.forge, self.target, record, listed=listed)
        seen = judge(self.repository, record, facts, {})
        return self.plan_for(record, seen), seen

    def _round(self, name: str) -> Kept:
        record, version = self._load(name)
        seen = observe(self.repository, self.forge, self.target, record)
        return self.carry_out(record, seen, self.plan_for(record, seen), version)

    def carry_out(
        self,
        record: StackRecord,
        seen: Situation,
        plan: Steps,
        version: CommitSha | None,
        *,
        offered: Collection[str] = (),
        opener: Opener | None = None,
        is_renewed: bool = False,
    ) -> Kept:
        """Do what was planned, each part so that it may be stopped anywhere and begun again.

        Args:
            version: The record's, as `StackRecord.load` gave it.
            offered: Branches whose stands come from elsewhere than the remote.
            opener: Opens the pull requests that are missing; None where none is.
            is_renewed: Whether the record holds what the one of that version did not.

        Raises:
            StaleBranch: Somebody pushed in between.
            RefMoved: Somebody else is keeping the same stack.
        """
        if not plan.is_nothing:
            if self.announce:
                self.announce(record, plan)
            version = _journal(record, seen, plan, offered).save(self.repository, version)
        self._push(plan.revived)
        pulls = dict(seen.pulls)
        done = [step for step in plan.steps if step.number and self._act(step, pulls)]
        pushed = self._push(plan.moved)
        for step in plan.steps:
            if opener and not step.number and step.base:
                pulls[step.branch] = opener(step.branch, step.base)
                done.append(step)
        self._renew_bodies(plan.record, pulls)
        declare_chains(self.forge, plan.record, pulls)
        if is_renewed or plan.record != record or not plan.is_nothing:
            plan.record.save(self.repository, version)
        return Kept(plan.record, tuple(done), tuple(pushed), plan.blocked, plan.landed, pulls, plan)

    def plan_for(self, record: StackRecord, seen: Situation) -> Steps:
        """What makes a stack right, as it was seen; nothing is changed but objects that no ref names."""
        fates, layers = plan_layers(record, seen)
        return plan_steps(record, seen, fates, restack(self.repository, layers, who=self.who))

    def _load(self, name: str) -> tuple[StackRecord, CommitSha]:
        found = StackRecord.load(self.repository, name)
        if found is None:
            raise MergeError(f"there is no record of a stack {name!r}", hint="publish it first")
        return found

    def _push(self, updates: Sequence[BranchUpdate]) -> list[str]:
        if not updates:
            return []
        pushed = push_branches(self.repository, self.target, updates)
        return [branch.branch for branch in pushed if branch.outcome == "pushed"]

    def _act(self, step: Step, pulls: dict[str, PullRequest]) -> bool:
        """Bring one pull request's state and base up to date; whether there was anything to do."""
        if step.reopen:
            pulls[step.branch] = self.forge.reopen(step.number)
        if step.base is not None:
            pulls[step.branch] = self.forge.edit(step.number, base=step.base)
        if step.close:
            self.forge.comment(step.number, _LANDED_MARK, step.close)
            pulls[step.branch] = self.forge.close(step.number)
        return bool(step.reopen or step.base is not None or step.close)

    def _renew_bodies(self, record: StackRecord, pulls: dict[str, PullRequest]) -> None:
        for branch, generated in (self.bodies(record, pulls) if self.bodies else {}).items():
            pull = pulls.get(branch)
            if branch in record.branches and pull is not None and pull.state != "merged":
                body = merge_body(pull.body, generated)
                if body != pull.body or pull.owes_labels:
                    pulls[branch] = self.forge.edit(pull.number, body=body)


def _journal(record: StackRecord, seen: Situation, plan: Steps, offered: Collection[str]) -> StackRecord:
    """Both where the branches are and where they are about to be: whoever goes on finds out which it is."""
    steps = {step.branch: step for step in plan.steps}
    noted: dict[str, RecordedBranch] = {}
    for name, recorded in record.branches.items():
        now = seen.stands[name]
        aim = plan.record.branches[name].aim if name in plan.record.branches else now
        step = steps.get(name)
        stands = (*recorded.stands, aim) if name in offered else (now, aim)
        noted[name] = replace(
            recorded,
            stands=tuple(dict.fromkeys(stands)),
            reopening=recorded.reopening or bool(step and step.reopen),
            closing=recorded.closing or bool(step and step.close),
            # Until it is there, a branch counts as not taken yet.
            source="" if name in offered else recorded.source,
            is_shared=is_shared(recorded, now),
        )
    return replace(record, branches=noted)
