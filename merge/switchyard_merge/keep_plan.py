"""What has to be done for a stack to be right again: pure functions of the record, the situation and what git says.

First `plan_layers`: which branches go where. git restacks those. Then `plan_steps`: which refs, bases, states change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from switchyard_git import CommitSha

from switchyard_merge.publish import BranchUpdate
from switchyard_merge.record import RecordedBranch, StackRecord, Stand
from switchyard_merge.restack import Conflicted, Layer, Outcome, Restacked
from switchyard_merge.situation import Situation


@dataclass(frozen=True)
class Blocked:
    """A branch that waits for a person; nothing of it is changed."""

    reason: str
    conflict: Conflicted | None = None


@dataclass
class Fates:
    """What became of each branch."""

    landed: dict[str, str] = field(default_factory=dict)
    """Landed branch → the branch it landed on."""
    blocked: dict[str, Blocked] = field(default_factory=dict)
    live: dict[str, Stand] = field(default_factory=dict)
    """Branches to be kept right, where they are now; `parents` are those that still live."""
    steady: set[str] = field(default_factory=set)
    """Live branches that stand on what they should."""
    reopened: list[str] = field(default_factory=list)
    """Live branches whose pull request the forge closed together with their base's branch."""


@dataclass(frozen=True)
class Step:
    """What is to be done for one pull request or branch; what is None or empty stays."""

    branch: str
    number: int
    base: str | None = None
    """The branch to retarget it to."""
    reopen: bool = False
    close: str = ""
    """Close it, saying this."""


@dataclass(frozen=True)
class Steps:
    """Everything to do, in the order of the fields."""

    revived: Sequence[BranchUpdate]
    """Branches that must exist before a pull request can be opened again or retargeted."""
    steps: Sequence[Step]
    moved: Sequence[BranchUpdate]
    """Branches to move together; those that only have to be where they were seen are among them."""
    record: StackRecord
    blocked: Mapping[str, Blocked]
    landed: Mapping[str, str]
    """The branches that leave the stack, with the commit that holds their work."""

    @property
    def is_nothing(self) -> bool:
        """Whether all of it is right already."""
        moves = any(update.new != update.expected for update in self.moved)
        return not (self.revived or moves or any(one.base or one.reopen or one.close for one in self.steps))


def plan_layers(record: StackRecord, seen: Situation) -> tuple[Fates, list[Layer]]:
    """Decide what became of each branch, and where the live ones belong."""
    fates = Fates()
    layers: list[Layer] = []
    moving: set[str] = set()
    for name, recorded in record.branches.items():
        stand = seen.stands[name]
        parents = list(_live_parents(stand.parents, fates, record))
        if _settle(name, recorded, parents, record, seen, fates):
            continue
        fates.live[name] = Stand(stand.tip, stand.floor, stand.grounds, tuple(parents))
        tips = {fates.live[parent].tip for parent in parents}
        steady = _is_steady(stand, tips, seen)
        if steady and not moving & set(parents):
            fates.steady.add(name)
            layers.append(Layer(name, stand.tip, stand.floor))
            continue
        moving.add(name)
        on_base = len(parents) < len(stand.parents) or any(one in seen.in_base for one in set(stand.grounds) - tips)
        base = (seen.base_tip,) if on_base or not parents else ()
        layers.append(Layer(name, stand.tip, stand.floor, base, tuple(parents)))
    return fates, layers


def _is_steady(stand: Stand, tips: Set[CommitSha], seen: Situation) -> bool:
    """Whether a branch stands on its live parents' tips, as they are now, and else on nothing but the base."""
    if not tips:
        # A join of what landed is no part of the base, although all that it joins is.
        return stand.floor in seen.in_base
    return tips <= set(stand.grounds) and all(one in tips or one in seen.in_base for one in stand.grounds)


def _live_parents(parents: Sequence[str], fates: Fates, record: StackRecord) -> Iterator[str]:
    """The parents that are there still; one that landed on another branch of the stack is replaced by that."""
    given: set[str] = set()
    for parent in parents:
        while parent in fates.landed and fates.landed[parent] != record.base:
            parent = fates.landed[parent]
        if parent not in fates.landed and parent in record.branches and parent not in given:
            given.add(parent)
            yield parent


def _settle(
    name: str, recorded: RecordedBranch, parents: Sequence[str], record: StackRecord, seen: Situation, fates: Fates
) -> bool:
    """Note a branch that is not to be kept right: it landed, or waits for a person."""
    pull, stand = seen.pulls.get(name), seen.stands[name]
    if pull is not None and pull.state == "merged":
        fates.landed[name] = pull.base if pull.base in record.branches else record.base
        return True
    if name in seen.by_hand or (pull is not None and stand.tip != stand.floor and stand.tip in seen.in_base):
        fates.landed[name] = record.base
        return True
    reason = _obstacle(name, recorded, record, seen, fates)
    held = next((parent for parent in parents if parent in fates.blocked), None)
    if reason or held:
        fates.blocked[name] = Blocked(reason or f"stands on {held}, which is blocked")
    return bool(reason or held)


def _obstacle(name: str, recorded: RecordedBranch, record: StackRecord, seen: Situation, fates: Fates) -> str:
    """Why a branch must be left alone; empty: it need not."""
    pull = seen.pulls.get(name)
    if pull is None:
        return "it has no pull request"
    if _is_join_of_somebody_else(recorded, seen):
        return f"somebody moved its join {recorded.join} to {seen.tips[recorded.join]}"
    if name in seen.adrift:
        return f"somebody rebased it to {seen.tips[name]}, off the commits that it stood on"
    if pull.state == "open" or recorded.closing:
        return ""
    if not recorded.given_up and (recorded.reopening or _lost_its_base(pull.base, record, seen)):
        fates.reopened.append(name)
        return ""
    return f"its pull request #{pull.number} was closed unmerged"


def _is_join_of_somebody_else(recorded: RecordedBranch, seen: Situation) -> bool:
    floors = {stand.floor for stand in recorded.stands}
    joined = any(stand.floor not in stand.grounds for stand in recorded.stands)
    return joined and recorded.join in seen.tips and seen.tips[recorded.join] not in floors


def _lost_its_base(base: str, record: StackRecord, seen: Situation) -> bool:
    """Whether a closed pull request's base is gone although nobody gave it up: then the forge closed it, no person."""
    if base in seen.tips:
        return False
    joins = {branch.join for branch in record.branches.values() if branch.join}
    landed = base in record.branches and base in seen.pulls and seen.pulls[base].state == "merged"
    return base in joins or landed or base in seen.by_hand


def plan_steps(record: StackRecord, seen: Situation, fates: Fates, outcomes: Mapping[str, Outcome]) -> Steps:
    """Decide what changes, once it is known where every branch comes to lie."""
    placing = _Placing(record, seen, fates, dict(fates.blocked))
    for name, stand in fates.live.items():
        placing.place(name, stand, outcomes[name])
    for name in fates.landed:
        placing.close_landed(name)
    placing.guard()
    landed = placing.held_by | {name: _landing(name, seen) for name in fates.landed}
    return Steps(placing.revived, placing.steps, placing.moved, placing.next_record(), placing.blocked, landed)


def _landing(name: str, seen: Situation) -> str:
    """The commit that brought a landed branch to where it is."""
    if name in seen.pulls and seen.pulls[name].state == "merged":
        return seen.pulls[name].merged_sha
    return seen.by_hand.get(name, seen.stands[name].tip)


@dataclass
class _Placing:
    """The steps, collected branch by branch, parents first."""

    record: StackRecord
    seen: Situation
    fates: Fates
    blocked: dict[str, Blocked]
    revived: list[BranchUpdate] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    moved: list[BranchUpdate] = field(default_factory=list)
    placed: dict[str, Stand] = field(default_factory=dict)
    gone: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Branches of which nothing is left → the parents that theirs are now."""
    held_by: dict[str, str] = field(default_factory=dict)
    """Branches of which nothing is left → the commit that holds all of it."""

    def place(self, name: str, stand: Stand, outcome: Outcome) -> None:
        if not isinstance(outcome, Restacked):
            self.blocked[name] = _blocked(outcome, name)
            return
        held = next((parent for parent in stand.parents if parent in self.blocked), None)
        if held:
            self.blocked[name] = Blocked(f"stands on {held}, which is blocked")
            return
        parents = tuple(dict.fromkeys(one for parent in stand.parents for one in self.gone.get(parent, (parent,))))
        pull = self.seen.pulls[name]
        if outcome.is_empty and stand.tip != stand.floor:
            self.gone[name] = parents
            self.held_by[name] = outcome.floor
            if pull.state == "open":
                self.steps.append(Step(name, pull.number, close="Already landed: its base holds all of it."))
            return
        grounds = stand.grounds if name in self.fates.steady else outcome.grounds
        self.placed[name] = Stand(outcome.tip, outcome.floor, grounds, parents)
        base = self._base_of(name)
        is_reopened = name in self.fates.reopened
        if is_reopened and pull.base not in self.seen.tips:
            self._revive(pull.base)
        self.steps.append(Step(name, pull.number, base if pull.base != base else None, reopen=pull.state != "open"))
        if name not in self.seen.tips and is_reopened:
            self.revived.append(BranchUpdate(name, stand.tip, None))
            self._move(name, outcome.tip, stand.tip)
        else:
            self._move(name, outcome.tip, self.seen.tips.get(name))

    def _base_of(self, name: str) -> str:
        """The branch that the pull request goes to; a join that it needs is moved, or made, on the way."""
        stand = self.placed[name]
        below = next((one for one in stand.parents if self.placed[one].tip == stand.floor), None)
        if below is not None:
            return below
        if not stand.parents:
            return self.record.base
        join = self.record.branches[name].join
        if join not in self.seen.tips:
            # A pull request can be retargeted only to what exists.
            self.revived.append(BranchUpdate(join, stand.floor, None))
        elif self.seen.tips[join] != stand.floor:
            self._move(join, stand.floor, self.seen.tips[join])
        return join

    def _revive(self, base: str) -> None:
        """Put the lost base of a closed pull request back where it last was."""
        if any(update.branch == base for update in self.revived):
            return
        recorded = self.record.branches.get(base)
        owner = next((one for one in self.record.branches.values() if one.join == base), None)
        if recorded:
            self.revived.append(BranchUpdate(base, recorded.aim.tip, None))
        elif owner:
            self.revived.append(BranchUpdate(base, owner.aim.floor, None))

    def _move(self, branch: str, new: CommitSha, expected: CommitSha | None) -> None:
        self.moved.append(BranchUpdate(branch, new, expected))

    def close_landed(self, name: str) -> None:
        """Close a pull request whose work reached the base by another way than the forge."""
        pull = self.seen.pulls.get(name)
        if pull is not None and pull.state == "open":
            how = f" as {self.seen.by_hand[name]}" if name in self.seen.by_hand else ""
            self.steps.append(Step(name, pull.number, close=f"Already landed on {self.record.base}{how}."))

    def guard(self) -> None:
        """Leave out a push that moves nothing; in one that does, what was built on must still be where it was seen."""
        if not any(update.new != update.expected for update in self.moved):
            self.moved = []

    def next_record(self) -> StackRecord:
        """What to remember: live branches where they come to lie, blocked ones and what these need as they were."""
        kept: dict[str, RecordedBranch] = {}
        needed = {parent for name in self.blocked for parent in self.seen.stands[name].parents}
        for name, recorded in self.record.branches.items():
            if name in self.placed:
                shared = is_shared(recorded, self.seen.stands[name])
                settled = replace(recorded, reopening=False, closing=False)
                kept[name] = replace(settled, stands=(self.placed[name],), is_shared=shared)
            elif name in self.blocked or name in needed:
                kept[name] = replace(recorded, given_up=self._is_given_up(name))
        return StackRecord(self.record.name, self.record.base, kept)

    def _is_given_up(self, name: str) -> bool:
        """Whether a person closed its pull request, as far as can be seen or was seen before."""
        recorded, pull = self.record.branches[name], self.seen.pulls.get(name)
        if pull is None or pull.state != "closed" or recorded.closing:
            return False
        return recorded.given_up or not (recorded.reopening or name in self.fates.reopened)


def is_shared(recorded: RecordedBranch, now: Stand) -> bool:
    """Whether somebody else's commits are on a branch, or have been pushed over it."""
    return recorded.is_shared or all(stand.tip != now.tip for stand in recorded.stands)


def _blocked(outcome: Outcome, name: str) -> Blocked:
    if isinstance(outcome, Conflicted):
        where = f"commit {outcome.commit}" if outcome.commit else "what it stands on"
        return Blocked(f"{where} of {name} conflicts in {', '.join(outcome.paths)}", outcome)
    assert not isinstance(outcome, Restacked)
    return Blocked(f"stands on {outcome.by}, which is blocked")
