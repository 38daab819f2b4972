"""Stacks of pull requests, as commands work with them by themselves: looked at, kept right, published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from switchyard.errors import UsageError, did_you_mean
from switchyard.forges import connect
from switchyard.workflow.stores import open_stores
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    import sqlalchemy as sa
    from switchyard_merge import Keeper, Kept, LocalStack, StackRecord, StackStanding, Steps
    from switchyard_merge.forge.contract import PullRequest

    from switchyard.workflow.stacking import Stacking


def factory_stack(workspace: Workspace) -> str:
    """The name under which the factory's own pull requests are recorded."""
    return f"factory/{workspace.config.repository.base}"


def people_stack(name: str) -> str:
    """The name under which a stack that people published is recorded."""
    return f"people/{name}"


def open_keeper(workspace: Workspace, environ: Mapping[str, str] = MappingProxyType({})) -> Keeper:
    """What keeps the stacks of a repository right, whichever their names are; nothing is asked of the forge yet.

    Args:
        environ: Where a token for the forge is looked up.

    Raises:
        UsageError: The forge's configuration does not fit.
    """
    from switchyard_merge import Keeper, stack_bodies

    from switchyard.workflow.factory import signature

    connection = connect(workspace, environ)
    _, quarantine = open_stores(workspace.places)
    quarantine = connection.upstream.let_in(quarantine)
    # The date of a join is its newest parent's, so this one counts for nothing.
    who = signature(0)
    return Keeper(quarantine, connection.open(quarantine), connection.upstream.target, who, stack_bodies)


@dataclass(frozen=True)
class StackChange:
    """What was done to a stack, or would be."""

    name: str
    """The record's."""
    record: StackRecord
    """Afterwards."""
    plan: Steps
    pulls: Mapping[str, PullRequest]
    """By branch."""
    dry_run: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    """Published branch → the person's own, of a stack that people made."""
    outdated: Mapping[str, str] = field(default_factory=dict)
    """The person's own branch → the command that brings it up to the published one."""
    left_out: tuple[str, ...] = ()
    """Published branches that the person took out of the stack; their pull requests are there still."""


def look_at_stacks(workspace: Workspace, environ: Mapping[str, str]) -> StackStanding:
    """Every pull request of the factory's, with what it waits for; nothing is changed."""
    from switchyard_merge import stack_standing

    return stack_standing(open_keeper(workspace, environ))


def restack_stack(
    workspace: Workspace, environ: Mapping[str, str], name: str = "", *, dry_run: bool = False
) -> StackChange | None:
    """Make a stack right: what the factory published, or what people did under a name; None: nothing was published.

    Raises:
        UsageError: Nobody published a stack of that name.
        MergeError: The forge or the remote keeps it from being done; called again, it goes on.
    """
    with opened_stacking(workspace, environ) as stacking:
        keeper = stacking.keeper
        if not name and not _is_recorded(workspace, keeper):
            return None
        record_name = find_stack(keeper, name) if name else factory_stack(workspace)
        if dry_run:
            plan, seen = keeper.foresee(record_name)
            return StackChange(record_name, plan.record, plan, seen.pulls, dry_run=True)
        kept = stacking.keep(record_name)
        return StackChange(record_name, kept.record, kept.plan, kept.pulls)


def publish_people_stack(workspace: Workspace, environ: Mapping[str, str], stack: LocalStack) -> StackChange:
    """Publish a stack of branches of the repository, or bring what is published up to them.

    Neither the repository's refs nor its worktree are touched, but for branches `factory/**` where it has no remote.

    Raises:
        MergeError: Nothing was pushed; see `publish_stack` of switchyard_merge.
    """
    from switchyard_merge import publish_stack

    with opened_stacking(workspace, environ) as stacking:
        keeper = stacking.announcing
        keeper.repository.fetch(workspace.repository.git_dir, [branch.tip for branch in stack.branches.values()])
        name = people_stack(stack.name)
        published = publish_stack(keeper, name, stack)
        stacking.tell(name, published.kept)
    sources = {branch: local for local, branch in published.names.items()}
    return StackChange(
        name,
        published.kept.record,
        published.kept.plan,
        published.kept.pulls,
        sources=sources,
        outdated=_outdated(workspace, stack, published.kept, sources),
        left_out=published.left_out,
    )


def find_stack(keeper: Keeper, name: str) -> str:
    """The record's name of a stack that people call by theirs.

    Raises:
        UsageError: Nobody published one of that name.
    """
    from switchyard_merge import recorded_stacks

    known = recorded_stacks(keeper.repository)
    found = next((one for one in (people_stack(name), name) if one in known), None)
    if found is None:
        near = did_you_mean(name, [one.removeprefix("people/") for one in known])
        raise UsageError(
            f"nobody published a stack {name!r}{near}", hint="publish it first: `switchyard stack publish FILE`"
        )
    return found


@contextmanager
def opened_stacking(workspace: Workspace, environ: Mapping[str, str]) -> Iterator[Stacking]:
    """The parts that keep stacks right and tell the ledger."""
    from switchyard.ledger import connect as connect_ledger
    from switchyard.ledger import create_tables
    from switchyard.workflow.stacking import Stacking

    keeper = open_keeper(workspace, environ)
    engine = connect_ledger(workspace.places.database)
    try:
        create_tables(engine)

        def write(function: Callable[[sa.Connection], object]) -> None:
            with engine.begin() as connection:
                function(connection)

        yield Stacking(keeper, write, workspace.now)
    finally:
        engine.dispose()


def _is_recorded(workspace: Workspace, keeper: Keeper) -> bool:
    from switchyard.workflow.recording import ensure_record

    return ensure_record(keeper.repository, workspace.view(), workspace.config.repository.base)


def _outdated(workspace: Workspace, stack: LocalStack, kept: Kept, sources: Mapping[str, str]) -> dict[str, str]:
    """What brings a person's branches up to where they were restacked to, or to what others pushed."""
    remote = workspace.config.repository.remote
    has_remote = bool(remote and workspace.repository.remote_url(remote))
    commands: dict[str, str] = {}
    for published, recorded in kept.record.branches.items():
        local = sources.get(published)
        if local is None or recorded.aim.tip == stack.branches[local].tip:
            continue
        if has_remote:
            commands[local] = f"git fetch {remote} +{published}:{local}"
        else:
            commands[local] = f"git branch --force {local} {published}"
    return commands
