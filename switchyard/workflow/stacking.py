"""Keeps the factory's pull requests right, and the ledger right about them: what was meant, done and found.

The ledger is compared with the stack after each look, so that what a killed process did without telling is told by
the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from switchyard_git import RefMoved
from switchyard_merge import ForgeUnavailable, Keeper, Kept, MergeError, StackRecord, Steps, stack_bodies
from switchyard_merge.forge.contract import PullRequest

from switchyard.ledger import (
    Effect,
    EventType,
    FactoryView,
    NewEvent,
    TaskView,
    append,
    complete_effect,
    fold,
    intend_effect,
    read_events,
    unfinished_effects,
)
from switchyard.packets import TaskState
from switchyard.workflow.factory import Factory, signature
from switchyard.workflow.recording import ensure_record, stack_name

_IN_A_STACK: frozenset[TaskState] = frozenset({"published", "approved", "blocked", "cancelled", "needs_person"})

Write = Callable[[Callable[[sa.Connection], object]], None]
"""Runs a function in one transaction of the ledger's database."""


@dataclass(frozen=True)
class Stacking:
    """Everything that keeping the factory's stacks needs."""

    keeper: Keeper
    write: Write
    now: Callable[[], str]
    asks_approval: bool = True
    """Whether each open pull request is asked for its reviews, which some forges make expensive."""

    @property
    def announcing(self) -> Keeper:
        """The keeper, made to tell the ledger what it is about to do."""
        return replace(self.keeper, announce=self._announce)

    def keep_factory(self, base: str) -> Kept | None:
        """Make what the factory published onto a base right; None where there is nothing.

        Raises:
            MergeError: The forge or the remote keeps it from being done; what was begun is gone on with next time.
        """
        view = self._view()
        if not ensure_record(self.keeper.repository, view, base):
            return None
        return self.keep(stack_name(base))

    def keep(self, name: str) -> Kept:
        """Make one recorded stack right, and tell the ledger.

        Raises:
            MergeError: There is no such record, or the forge or the remote keeps it from being done.
        """
        kept = self.announcing.keep(name)
        self.tell(name, kept)
        return kept

    def tell(self, name: str, kept: Kept) -> None:
        """Tell the ledger what was done, and what became of the tasks whose pull requests these are.

        What somebody else moved meanwhile is theirs to tell.
        """
        pulls = dict(kept.pulls)
        view = self._view()
        if any(task.branch not in pulls and task.branch not in kept.landed for task in _of_stack(view, kept.record)):
            # Left by a process that was stopped between the stack's record and the ledger.
            # Of the others, what was seen with what blocks them counts.
            pulls = {pull.head: pull for pull in self.keeper.forge.list(heads_prefix="factory/")} | pulls
        approved = self._approved(view, kept)

        def write(connection: sa.Connection) -> None:
            self._complete(connection, name, kept)
            found = StackRecord.load(self.keeper.repository, name)
            now = found[0].branches if found else {}
            for task in _of_stack(fold(read_events(connection)), kept.record):
                if now.get(task.branch) != kept.record.branches.get(task.branch):
                    continue
                for event_type, data in _news(task, kept, pulls, approved):
                    append(connection, self._event(task, event_type, data))

        self.write(write)

    def _view(self) -> FactoryView:
        found: list[FactoryView] = []
        self.write(lambda connection: found.append(fold(read_events(connection))))
        return found[0]

    def _announce(self, record: StackRecord, plan: Steps) -> None:
        moves = {update.branch: [update.expected, update.new] for update in (*plan.revived, *plan.moved)}
        steps = [
            {"number": one.number, "base": one.base, "reopen": one.reopen, "close": one.close}
            for one in plan.steps
            if one.base or one.reopen or one.close
        ]
        intent = {
            "stack": record.name,
            "moves": {name: ends for name, ends in moves.items() if ends[0] != ends[1]},
            "steps": steps,
        }

        def write(connection: sa.Connection) -> None:
            # Each try is a fact of its own, even one that is the same as another.
            last = max((event.sequence for event in read_events(connection)), default=0)
            key = f"stack:{record.name}/{last}"
            intend_effect(connection, Effect(key, "stack", "", "", intent), self.now())

        self.write(write)

    def _complete(self, connection: sa.Connection, name: str, kept: Kept) -> None:
        for effect in unfinished_effects(connection, "stack"):
            if effect.intent.get("stack") == name:
                outcome = {
                    "stack": name,
                    "pushed": list(kept.pushed),
                    "changed": [step.number for step in kept.steps],
                    "blocked": {branch: blocked.reason for branch, blocked in kept.blocked.items()},
                }
                event = NewEvent(f"restacked:{effect.key}", "restacked", self.now(), data=outcome)
                complete_effect(connection, effect.key, outcome, event)

    def _approved(self, view: FactoryView, kept: Kept) -> Mapping[str, bool]:
        """Branch → whether reviewers agree, of the open pull requests of tasks."""
        if not self.asks_approval:
            return {}
        asked = [task.branch for task in _of_stack(view, kept.record) if task.branch in kept.record.branches]
        open_ones = {branch: kept.pulls[branch] for branch in asked if branch in kept.pulls}
        return {
            branch: self.keeper.forge.is_approved(pull.number)
            for branch, pull in open_ones.items()
            if pull.state == "open"
        }

    def _event(self, task: TaskView, event_type: EventType, data: Mapping[str, Any]) -> NewEvent:
        # What the task's newest row was makes the same news one fact, and the same thing happening again another.
        key = f"stack/{task.run_id}/{task.id}/{event_type}/{task.row}"
        return NewEvent(key, event_type, self.now(), run_id=task.run_id, task_id=task.id, data=data)


def stacking_of(factory: Factory, write: Write, target: str, *, asks_approval: bool = True) -> Stacking:
    """Keeping stacks with a running factory's own parts."""
    # The date of a join is its newest parent's, so this one counts for nothing.
    keeper = Keeper(factory.quarantine, factory.forge, target, signature(0), stack_bodies)
    return Stacking(keeper, write, factory.now, asks_approval=asks_approval)


def keep_or_tell(stacking: Stacking, base: str) -> str:
    """Keep what was published onto a base right; what kept it from being done, or ""."""
    try:
        stacking.keep_factory(base)
    except ForgeUnavailable:
        raise
    except (MergeError, RefMoved) as err:
        # People hold a branch, or moved it again and again: the rest of the work goes on, and the next run tries again.
        return f"{err}{f' ({err.hint})' if err.hint else ''}"
    return ""


def _of_stack(view: FactoryView, record: StackRecord) -> list[TaskView]:
    """The tasks whose pull requests belong to a stack, or did when the ledger was last told."""
    return [
        task
        for task in view.latest.values()
        if task.pull_request
        and task.state in _IN_A_STACK
        and record.name == stack_name(view.runs[task.run_id].base_branch)
    ]


def _news(
    task: TaskView, kept: Kept, pulls: Mapping[str, PullRequest], approved: Mapping[str, bool]
) -> Iterator[tuple[EventType, dict[str, Any]]]:
    """What the ledger does not know yet of a task."""
    pull = pulls.get(task.branch)
    recorded = kept.record.branches.get(task.branch)
    if task.branch in kept.landed or (recorded is None and pull is not None and pull.state != "open"):
        commit = kept.landed.get(task.branch, pull.merged_sha if pull else "")
        # What somebody pushed before it was merged is known to the forge alone.
        head = pull.head_sha if pull and pull.state == "merged" else ""
        yield "landed", {"commit": commit, "head": head, "pull_request": pull.state if pull else "closed"}
        return
    if recorded is None or task.branch not in kept.pulls or pull is None:
        # A pull request that was opened since the stack was looked at is none that it can say something of.
        return
    stand = recorded.aim
    where = {"head": stand.tip, "base": stand.floor, "base_branch": pull.base}
    if task.branch not in kept.blocked and where != _where(task):
        join = recorded.join if pull.base == recorded.join else ""
        yield "restacked", {"branch": task.branch, **where, "join": join, "number": pull.number}
    if task.state == "needs_person":
        # Left out of a landing: that stands until it lands, or a person answers.
        return
    state, reason = _state(task, kept, pull, approved)
    assert task.pull_request
    if (state, reason, pull.state) != (task.state, task.reason, task.pull_request.state):
        yield "pull_request_changed", {"state": state, "reason": reason, "pull_request": pull.state}


def _where(task: TaskView) -> dict[str, str]:
    return {"head": task.head, "base": task.base, "base_branch": task.base_branch}


def _state(task: TaskView, kept: Kept, pull: PullRequest, approved: Mapping[str, bool]) -> tuple[TaskState, str]:
    """What a task with a pull request is, and why."""
    blocked = kept.blocked.get(task.branch)
    if blocked:
        return ("cancelled" if pull.state == "closed" else "blocked"), blocked.reason
    was_approved = task.state == "approved"
    return ("approved" if approved.get(task.branch, was_approved) else "published"), ""
