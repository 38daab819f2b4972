"""What the remote and the forge say of a recorded stack, read in a handful of calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from switchyard_git import CommitSha, RefName, Repository, UnknownRevision

from switchyard_merge.errors import MergeError
from switchyard_merge.forge.contract import Forge, PullRequest
from switchyard_merge.landed import landed_by_hand
from switchyard_merge.record import StackRecord, Stand
from switchyard_merge.targets import Target, look, opened, shown

_HEADS = "refs/heads/"


@dataclass(frozen=True)
class Situation:
    """Facts, every commit of which is here."""

    base_tip: CommitSha
    tips: Mapping[str, CommitSha]
    """The stack's branches and joins that the remote has."""
    pulls: Mapping[str, PullRequest]
    """The newest pull request from each branch that has one."""
    stands: Mapping[str, Stand]
    """Where each branch is now; the one that was aimed at where the remote lacks it."""
    in_base: frozenset[CommitSha]
    """The tips and grounds that the base holds."""
    by_hand: Mapping[str, CommitSha]
    """Branches whose change the base has in another commit."""
    adrift: frozenset[str]
    """Branches that a person put where nothing says what is theirs and what is a parent's."""


@dataclass(frozen=True)
class Facts:
    """What the remote and the forge say, every commit of which is here."""

    base_tip: CommitSha
    tips: Mapping[str, CommitSha]
    pulls: Mapping[str, PullRequest]


def observe(repository: Repository, forge: Forge, target: Target, record: StackRecord) -> Situation:
    """Look at everything once: one list of refs, one list of pull requests, one fetch of what is missing.

    Raises:
        MergeError: The target has no such base branch.
    """
    return judge(repository, record, look_around(repository, forge, target, record), {})


def look_around(
    repository: Repository,
    forge: Forge,
    target: Target,
    record: StackRecord,
    others: Iterable[str] = (),
    *,
    listed: Sequence[PullRequest] | None = None,
) -> Facts:
    """One list of refs, one list of pull requests, one fetch of what is missing.

    Args:
        others: Branches beyond those that are recorded.
        listed: The factory's pull requests by number, where they were listed just now.

    Raises:
        MergeError: The target has no such base branch.
    """
    place = opened(target)
    joins = [branch.join for branch in record.branches.values() if branch.join]
    branches = list(dict.fromkeys([*record.branches, *others]))
    refs = [RefName(_HEADS + name) for name in dict.fromkeys([record.base, *branches, *joins])]
    tips = {ref.removeprefix(_HEADS): sha for ref, sha in look(repository, place, refs).items()}
    if record.base not in tips:
        raise MergeError(f"{shown(place)} has no branch {record.base}", hint="name the branch that the stack stands on")
    known = {
        commit for branch in record.branches.values() for stand in branch.stands for commit in (stand.tip, stand.floor)
    }
    _bring(repository, place, [sha for sha in tips.values() if sha not in known])
    wanted = set(branches)
    listed = forge.list(heads_prefix="factory/") if listed is None else listed
    pulls = {pull.head: pull for pull in listed if pull.head in wanted}
    return Facts(tips[record.base], tips, pulls)


def judge(repository: Repository, record: StackRecord, facts: Facts, offered: Mapping[str, Stand]) -> Situation:
    """What the facts mean for a stack.

    Args:
        offered: Stands that are to hold instead of what the remote has.
    """
    stands = {name: _stand(repository, record, name, facts.tips.get(name)) for name in record.branches} | dict(offered)
    found = {name: stand or record.branches[name].aim for name, stand in stands.items()}
    seen = _situation(repository, facts, found)
    unknown = [name for name, stand in stands.items() if stand is None]
    rebased = {name: stand for name in unknown if (stand := _rebased(repository, record, seen, name))}
    if rebased:
        seen = _situation(repository, facts, found | rebased)
    return replace(seen, adrift=frozenset(unknown) - rebased.keys())


def _situation(repository: Repository, facts: Facts, stands: Mapping[str, Stand]) -> Situation:
    return Situation(
        base_tip=facts.base_tip,
        tips=facts.tips,
        pulls=facts.pulls,
        stands=stands,
        in_base=_in_base(repository, stands, facts.base_tip),
        by_hand=_by_hand(repository, stands, facts.pulls, facts.base_tip),
        adrift=frozenset(),
    )


def _bring(repository: Repository, place: Target, wanted: list[CommitSha]) -> None:
    missing = repository.missing_commits(wanted)
    if missing:
        repository.fetch(place.git_dir if isinstance(place, Repository) else place, missing)


def _stand(repository: Repository, record: StackRecord, name: str, tip: CommitSha | None) -> Stand | None:
    """The stand that holds; None for a branch that was put where no recorded floor is below it."""
    stands = record.branches[name].stands
    if tip is None:
        return stands[-1]
    for stand in reversed(stands):
        if stand.tip == tip:
            return stand
    # A person pushed: their commits are the branch's own, as long as they stand on a floor that we know.
    below = (stand for stand in reversed(stands) if repository.is_ancestor(stand.floor, tip))
    found = next(below, None)
    return replace(found, tip=tip) if found else None


def _rebased(repository: Repository, record: StackRecord, seen: Situation, name: str) -> Stand | None:
    """Where a person put a branch by rebasing it: onto its one live parent as that is now, or onto the base."""
    tip = seen.tips[name]
    parents = {ground for one in record.branches[name].aim.parents if (ground := _ground(record, seen, one))}
    if not parents:
        floor = repository.common_base([seen.base_tip, tip])
    else:
        below = seen.tips.get(min(parents))
        floor = below if below and len(parents) == 1 and repository.is_ancestor(below, tip) else None
    return Stand(tip, floor, (floor,), tuple(parents)) if floor else None


def _ground(record: StackRecord, seen: Situation, parent: str) -> str:
    """The branch that holds a parent's work now: itself, or the one that it was merged into; empty: the base."""
    while parent in record.branches and parent not in seen.by_hand:
        pull, stand = seen.pulls.get(parent), seen.stands[parent]
        if pull is None or pull.state != "merged":
            has_landed = pull is not None and stand.tip != stand.floor and stand.tip in seen.in_base
            return "" if has_landed else parent
        parent = pull.base
    return ""


def _in_base(repository: Repository, stands: Mapping[str, Stand], base_tip: CommitSha) -> frozenset[CommitSha]:
    commits = {sha for stand in stands.values() for sha in (stand.tip, stand.floor, *stand.grounds)}
    return frozenset(commits - repository.ancestry(sorted(commits), base_tip).keys())


def _by_hand(
    repository: Repository, stands: Mapping[str, Stand], pulls: Mapping[str, PullRequest], base_tip: CommitSha
) -> dict[str, CommitSha]:
    unmerged = {name: stand for name, stand in stands.items() if name in pulls and pulls[name].state != "merged"}
    try:
        return landed_by_hand(repository, unmerged, base_tip)
    except UnknownRevision:
        # A shallow repository cannot tell; the forge's own state still does.
        if repository.is_shallow:
            return {}
        raise
