"""Landing, as a command asks for it: the parts picked, one landing at a time; and reviews on the local forge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from switchyard_git import CommitSha, RefName, Repository

from switchyard.errors import UsageError, did_you_mean
from switchyard.ledger import Event, fold, read_events
from switchyard.stacks import factory_stack, find_stack, opened_stacking
from switchyard.wiring import factory_of, open_driver, open_others, open_stack, remote_for_boxes
from switchyard.workflow.clearing import Clearing
from switchyard.workflow.factory import Factory
from switchyard.workflow.landing import LandingJournal, Say, TreeChecker, suite_of
from switchyard.workflow.lock import landing_lock
from switchyard.workflow.operating import is_rejected
from switchyard.workflow.reaping import watched
from switchyard.workflow.recording import ensure_record
from switchyard.workflow.stacking import Stacking
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    from switchyard_merge import Keeper, LandedStack, Lander, StackedPull, Verdict
    from switchyard_merge.land import Foreseen

_UNCHECKED = "unchecked"


@dataclass(frozen=True)
class LandRequest:
    """What `stack land` was asked for; what is not here is in the configuration."""

    stack: str = ""
    """A name that `stack publish` was given; empty: what the factory published."""
    checks: Mapping[str, str] = field(default_factory=dict)
    """In place of the configured ones, where there are any."""
    unchecked: bool = False
    recheck: bool = False
    """Whether trees that were red are checked again."""
    accept_no_isolation: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where tokens are looked up."""
    unasked: bool = False
    """Whether nobody asked for it: then what is not cleared must be approved, whatever `[landing]` says."""


@dataclass(frozen=True)
class Landing:
    """What came of it, with the pull requests that it was about."""

    stack: str
    base: str
    pulls: Mapping[str, StackedPull]
    """By branch."""
    done: LandedStack | None = None
    foreseen: Foreseen | None = None
    """Of a dry run."""


def land_stack(workspace: Workspace, request: LandRequest, say: Say) -> Landing:
    """Land what is approved and green, parents first.

    Raises:
        UsageError: There is no such stack, or nothing to check it with.
        LandingRunning: Another process is landing here.
        MergeError: The forge or the remote keeps it from being done; called again, it goes on.
        SandboxError: A check could not be made.
    """
    checks = _checks(workspace, request)
    with landing_lock(workspace.places.state), _parts(workspace, request) as parts:
        name, base = parts.stack, parts.base
        pulls = _pulls(parts.keeper)
        if not base:
            return Landing(name, workspace.config.repository.base, pulls)
        factory = _factory(workspace, request, parts)
        journal = LandingJournal(parts.stacking, name, factory.artifacts, say)
        lander = _lander(workspace, parts, checks, _checker(factory, parts, checks, say))
        lander = replace(lander, keeper=parts.stacking.announcing, witness=journal)
        if request.unasked:
            lander = replace(lander, rules=replace(lander.rules, needs_approval=True))
        if request.recheck:
            lander.forget_verdicts(name)
        with watched([factory.driver, *factory.others], None):
            journal.settle()
            return Landing(name, base, pulls, done=lander.land(name))


def land_unasked(workspace: Workspace, request: LandRequest, say: Say) -> Landing | None:
    """What `switchyard run` lands at its end where `review.auto_merge` is set; None where nothing can be.

    Raises:
        LandingRunning, MergeError, SandboxError: As `land_stack` does.
    """
    config, view = workspace.config, workspace.view()
    open_ones = [task for task in view.latest.values() if task.state in ("published", "approved")]
    if not (config.review.auto_merge and config.checks and open_ones):
        return None
    return land_stack(workspace, replace(request, unasked=True), say)


def foresee_landing(workspace: Workspace, request: LandRequest) -> Landing:
    """What `land_stack` would do, were every check green; nothing is checked and nothing changed.

    Raises:
        UsageError, MergeError: As `land_stack` does.
    """
    checks = _checks(workspace, request)
    with _parts(workspace, request) as parts:
        pulls = _pulls(parts.keeper)
        if not parts.base:
            return Landing(parts.stack, workspace.config.repository.base, pulls)
        lander = _lander(workspace, parts, checks, _refuse_to_check)
        return Landing(parts.stack, parts.base, pulls, foreseen=lander.foresee(parts.stack))


Opinion = Literal["approved", "changes_requested"]


def review_pulls(
    workspace: Workspace, names: Sequence[str], opinion: Opinion, *, by: str, note: str, environ: Mapping[str, str]
) -> list[StackedPull]:
    """Note what a person says of pull requests on the local forge.

    Args:
        names: Numbers, tasks or branches.

    Raises:
        UsageError: There is no such pull request, it is not open, or the forge has reviews of its own.
    """
    from switchyard_merge import stack_status
    from switchyard_merge.forge import LocalForge

    forge = open_stack(workspace, environ)
    if not isinstance(forge, LocalForge):
        raise UsageError(
            f"reviews are made on {forge.kind}", hint="open the pull request there: `switchyard stack status`"
        )
    known = stack_status(forge)
    chosen = [_find(known, name) for name in names]
    for pull in chosen:
        if opinion == "approved":
            forge.approve(pull.number, by=by)
        else:
            forge.request_changes(pull.number, by=by)
        if note:
            forge.comment(pull.number, f"review:{by}", note)
    return chosen


def _find(known: Sequence[StackedPull], name: str) -> StackedPull:
    number = name.removeprefix("#")
    found = [pull for pull in known if name in (pull.task, pull.head) or number == str(pull.number)]
    unsettled = [pull for pull in found if pull.state == "open"]
    if len(unsettled) > 1:
        meant = " or ".join(f"#{pull.number} from {pull.head}" for pull in unsettled)
        raise UsageError(f"{name!r} may mean {meant}", hint="give the number as `#N`, or the branch")
    if not found:
        near = did_you_mean(name, [pull.task for pull in known])
        raise UsageError(f"no pull request {name!r}{near}", hint="`switchyard stack status` lists them")
    if unsettled:
        return unsettled[0]
    raise UsageError(
        f"pull request #{found[-1].number} {found[-1].task} is {found[-1].state}", hint="only open ones are reviewed"
    )


@dataclass(frozen=True)
class _Parts:
    keeper: Keeper
    stacking: Stacking
    stack: str
    base: str
    """Empty: nothing was ever published."""


@contextmanager
def _parts(workspace: Workspace, request: LandRequest) -> Iterator[_Parts]:
    from switchyard_merge import StackRecord

    with opened_stacking(workspace, request.environ) as opened:
        # Each pull request is asked for its reviews when its turn comes.
        stacking = replace(opened, asks_approval=False)
        repository = stacking.keeper.repository
        if request.stack:
            name = find_stack(stacking.keeper, request.stack)
        else:
            name = factory_stack(workspace)
            ensure_record(repository, workspace.view(), workspace.config.repository.base)
        found = StackRecord.load(repository, name)
        yield _Parts(stacking.keeper, stacking, name, found[0].base if found else "")


def _checks(workspace: Workspace, request: LandRequest) -> Mapping[str, str]:
    if request.unchecked:
        if request.checks:
            raise UsageError("--check and --unchecked exclude one another", hint="drop one of them")
        return {}
    checks = request.checks or workspace.config.checks
    if not checks:
        raise UsageError(
            "there is nothing to check with: no [checks] in switchyard.toml and no --check",
            hint='give a command, such as --check "make test"; --unchecked lands without',
        )
    return checks


def _factory(workspace: Workspace, request: LandRequest, parts: _Parts) -> Factory:
    driver = open_driver(workspace, request.environ, accept_no_isolation=request.accept_no_isolation)
    return replace(
        factory_of(workspace, parts.keeper.repository, parts.keeper.forge, driver),
        remote=remote_for_boxes(workspace),
        others=tuple(open_others(workspace, request.environ, driver)),
    )


def _checker(factory: Factory, parts: _Parts, checks: Mapping[str, str], say: Say) -> Callable[[CommitSha], Verdict]:
    base = _base_tip(parts)
    return TreeChecker(factory, parts.stack, checks, base, parts.stacking.write, say)


def _base_tip(parts: _Parts) -> CommitSha:
    """Where the base is now, its commit brought here."""
    repository, ref = parts.keeper.repository, RefName(f"refs/heads/{parts.base}")
    target = parts.keeper.target
    place = target.git_dir if isinstance(target, Repository) else target
    found = repository.ls_remote(place, [ref]).get(ref)
    if found is None:
        raise UsageError(f"there is no branch {parts.base!r} to land on", hint="push it, or publish onto another")
    if not repository.has_commit(found):
        repository.fetch(place, [found])
    return found


def _refuse_to_check(commit: CommitSha) -> Verdict:
    raise AssertionError(f"a dry run was about to check {commit}")


def _lander(
    workspace: Workspace, parts: _Parts, checks: Mapping[str, str], checker: Callable[[CommitSha], Verdict]
) -> Lander:
    from switchyard_merge import Lander, LandingRules
    from switchyard_merge.forge import LocalForge

    landing = workspace.config.landing
    rules = LandingRules(**landing.model_dump())
    forge = parts.keeper.forge
    suite = suite_of(workspace.config, checks) if checks else _UNCHECKED
    return Lander(
        parts.keeper,
        checker,
        rules,
        suite=suite,
        # Other forges move their base by their own merges alone.
        batches=forge if isinstance(forge, LocalForge) else None,
        refused=_rejected(workspace),
        is_cleared=_clearing(parts.stacking, parts.keeper) if workspace.config.review.auto_merge else _never,
    )


def _clearing(stacking: Stacking, keeper: Keeper) -> Clearing:
    events: list[Event] = []
    stacking.write(lambda connection: events.extend(read_events(connection)))
    return Clearing(keeper.repository, fold(events), events)


def _never(branch: str, tip: CommitSha, floor: CommitSha) -> bool:
    return False


def _rejected(workspace: Workspace) -> dict[str, str]:
    """The branches of tasks that a person gave up, and how they come back."""
    view = workspace.view()
    return {
        task.branch: f"a person rejected it; `switchyard escalation retry {task.id}` takes it up again"
        for task in view.latest.values()
        if task.branch and is_rejected(view, task)
    }


def _pulls(keeper: Keeper) -> dict[str, StackedPull]:
    from switchyard_merge import stack_status

    return {pull.head: pull for pull in stack_status(keeper.forge)}
