"""What each pull request of the stacks waits for: its parents, people, checks, or being put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from switchyard_git import GitError

from switchyard_merge.errors import MergeError
from switchyard_merge.forge.contract import PullRequest, Standing
from switchyard_merge.keep import Keeper
from switchyard_merge.keep_plan import Blocked
from switchyard_merge.record import recorded_stacks
from switchyard_merge.stack import StackedPull, draw_stack, stacked

SCHEMA = "switchyard.stack/1"
Obstacle = Literal["blocked", "restack", "parent", "review", "checks", "conflict", "draft", "forge"]


@dataclass(frozen=True)
class Wait:
    """One thing that keeps a pull request from landing."""

    kind: Obstacle
    reason: str


@dataclass(frozen=True)
class StandingPull:
    """One pull request with what the forge and git say of it; `standing` is None for one that is not open."""

    pull: StackedPull
    standing: Standing | None
    waits: tuple[Wait, ...]


@dataclass(frozen=True)
class StackStanding:
    """All stacks of a repository."""

    pulls: tuple[StandingPull, ...]
    faults: tuple[str, ...] = ()
    """Why it could not be told what has to be restacked."""


def stack_standing(keeper: Keeper) -> StackStanding:
    """Ask the forge once for all pull requests, and for the standing of each that is open; nothing is changed.

    Raises:
        MergeError: The forge does not answer.
    """
    listed = keeper.forge.list(heads_prefix="factory/")
    due, blocked, faults = _due(keeper, listed)
    pulls = stacked(listed)
    members = {pull.number: pull for pull in pulls}
    standings = keeper.forge.standings([pull.number for pull in pulls if pull.state == "open"])
    told: list[StandingPull] = []
    for pull, full in zip(pulls, listed, strict=True):
        standing = standings.get(pull.number)
        waits: list[Wait] = []
        if standing is not None:
            parents = [members[number] for number in pull.parents]
            waits = _waits(full, standing, [one for one in parents if one.state != "merged"], due, blocked)
        told.append(StandingPull(pull, standing, tuple(waits)))
    return StackStanding(tuple(told), tuple(faults))


def _due(keeper: Keeper, listed: Sequence[PullRequest]) -> tuple[dict[str, str], dict[str, Blocked], list[str]]:
    """The branches that have to be restacked, by which command; those that cannot be; what could not be looked at."""
    due: dict[str, str] = {}
    blocked: dict[str, Blocked] = {}
    faults: list[str] = []
    for name, record in recorded_stacks(keeper.repository).items():
        if not record.branches:
            continue
        try:
            plan, _ = keeper.foresee(name, listed)
        except (MergeError, GitError) as err:
            faults.append(f"stack {name}: {err}")
            continue
        found = [update.branch for update in plan.moved if update.new != update.expected]
        found += [step.branch for step in plan.steps if step.base or step.reopen or step.close]
        due |= dict.fromkeys(found, _restack_command(name))
        blocked |= plan.blocked
    return due, blocked, faults


def _restack_command(name: str) -> str:
    """What restacks a recorded stack; the factory's own needs no name."""
    called = "" if name.startswith("factory/") else f" {name.removeprefix('people/')}"
    return f"switchyard stack restack{called}"


def _waits(
    pull: PullRequest,
    standing: Standing,
    parents: Sequence[StackedPull],
    due: Mapping[str, str],
    blocked: Mapping[str, Blocked],
) -> list[Wait]:
    waits = [
        Wait("parent", f"parent #{one.number}" + (" (closed)" if one.state == "closed" else "")) for one in parents
    ]
    if pull.head in blocked:
        kind: Obstacle = "conflict" if blocked[pull.head].conflict else "blocked"
        waits.append(Wait(kind, blocked[pull.head].reason))
    elif pull.head in due:
        waits.append(Wait("restack", f"a restack: `{due[pull.head]}`"))
    elif standing.mergeable is False:
        waits.append(Wait("conflict", f"a conflict with {pull.base} to be resolved"))
    if pull.draft:
        waits.append(Wait("draft", "being no draft any more"))
    if standing.changes_requested:
        waits.append(Wait("review", "the changes that a reviewer requested"))
    elif not standing.approved:
        waits.append(Wait("review", "review"))
    waits += _checks(standing)
    if standing.blocked and not waits:
        waits.append(Wait("forge", standing.blocked))
    return waits


def _checks(standing: Standing) -> list[Wait]:
    failed = sorted(name for name, state in standing.checks.items() if state == "failed")
    pending = sorted(name for name, state in standing.checks.items() if state == "pending")
    waits = [Wait("checks", f"red checks: {', '.join(failed)}")] if failed else []
    return waits + ([Wait("checks", f"checks: {', '.join(pending)}")] if pending else [])


def stack_document(stacks: StackStanding) -> dict[str, Any]:
    """The stacks as `switchyard.stack/1`."""
    return {"schema": SCHEMA, "pull_requests": [_document(one) for one in stacks.pulls]}


def _document(one: StandingPull) -> dict[str, Any]:
    pull, standing = one.pull, one.standing
    return {
        "number": pull.number,
        "task": pull.task,
        "head": pull.head,
        "base": pull.base,
        "state": pull.state,
        "depends_on": list(pull.depends_on),
        "join": pull.join,
        "title": pull.title,
        "url": pull.url,
        "checks": dict(standing.checks) if standing else {},
        "review": _review(standing),
        "mergeable": standing.mergeable if standing else None,
        "waits_for": [{"kind": wait.kind, "reason": wait.reason} for wait in one.waits],
    }


def _review(standing: Standing | None) -> str | None:
    if standing is None:
        return None
    if standing.changes_requested:
        return "changes_requested"
    return "approved" if standing.approved else "none"


def draw_standing(stacks: StackStanding) -> str:
    """The tree of the stacks, each open pull request with its review, its checks and what it waits for."""
    notes = {one.pull.number: _note(one) for one in stacks.pulls}
    return draw_stack([one.pull for one in stacks.pulls], notes)


def _note(one: StandingPull) -> str:
    if one.standing is None:
        return ""
    passed = sum(state == "passed" for state in one.standing.checks.values())
    said = ["approved"] if one.standing.approved and not one.standing.changes_requested else []
    said += [f"{passed} of {len(one.standing.checks)} checks passed"] if one.standing.checks else []
    said += [f"waits for {'; '.join(wait.reason for wait in one.waits)}" if one.waits else "ready to land"]
    return ", ".join(said)
