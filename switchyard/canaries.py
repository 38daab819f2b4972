"""Canaries, as a command asks for them: reviewers tried now, and how each stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from switchyard.errors import UsageError, did_you_mean
from switchyard.forges import connect
from switchyard.ledger import Event, NewEvent, append, create_tables, read_events
from switchyard.ledger import connect as connect_ledger
from switchyard.packets import REVIEWERS, Judge, Reviewer
from switchyard.staffing import open_agents
from switchyard.wiring import factory_of, open_driver, open_gateway
from switchyard.workflow.lock import orchestrator_lock
from switchyard.workflow.reaping import watched
from switchyard.workflow.stores import fetch_base, open_stores
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from switchyard.gates.canaries import Canary, Standing
    from switchyard.workflow.canaries import Tried
    from switchyard.workflow.examining import Line

SCHEMA = "switchyard.canaries/1"


@dataclass(frozen=True)
class CanaryRequest:
    """What `canary run` was asked for."""

    reviewers: tuple[str, ...] = ()
    """Empty: all that are configured."""
    due_only: bool = False
    """Whether what was passed lately is left out."""
    accept_no_isolation: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where keys are looked up."""


def run_canaries(workspace: Workspace, request: CanaryRequest, tell: Callable[[Tried], None]) -> list[Tried]:
    """Put canaries before the configured reviewers, one after the other, and write down what comes of each.

    Raises:
        UsageError: There is no such reviewer, or none is configured.
        OrchestratorRunning: A run is under way, which tries its reviewers itself.
        SandboxError: A sandbox could not be had.
    """
    from switchyard.workflow.canaries import CanaryBook, try_canary

    judges = _judges(workspace, request.reviewers)
    agents = open_agents(workspace.config, request.environ)
    driver = open_driver(workspace, request.environ, accept_no_isolation=request.accept_no_isolation)
    gateway, forge = open_gateway(workspace, request.environ), connect(workspace, request.environ)
    tried: list[Tried] = []
    with orchestrator_lock(workspace.places.state), watched([driver], gateway):
        mirror, quarantine = open_stores(workspace.places)
        quarantine = forge.upstream.let_in(quarantine)
        base = fetch_base(workspace.repository, mirror, workspace.config, forge.upstream)
        factory = replace(
            factory_of(workspace, quarantine, forge.open(quarantine), driver), agents=agents, gateway=gateway
        )
        ledger = connect_ledger(workspace.places.database)
        create_tables(ledger)
        book = CanaryBook(partial(_read, ledger), partial(_write, ledger))
        for judge in judges:
            for canary in _wanted(workspace, judge, book.standing(judge), due_only=request.due_only):
                tried.append(
                    try_canary(factory, book, judge, base.commit, canary, {"run": "canary", "task": "", "attempt": "0"})
                )
                tell(tried[-1])
        ledger.dispose()
    return tried


def standing_document(workspace: Workspace) -> dict[str, Any]:
    """`switchyard.canaries/1`: each configured reviewer, whether it counts, and its last result of each canary."""
    from switchyard.gates.canaries import load_canaries, standing_of

    events, now = _events(workspace), datetime.now(UTC)
    verify, shown = workspace.config.verify, []
    for judge in _configured(workspace):
        standing = standing_of(events, judge)
        asks_fresh = verify.canaries_per_run > 0
        fresh = {trial.canary for trial in standing.fresh(now, verify.canary_days)}
        why = standing.why_absent(now, verify.canary_days, asks_fresh=asks_fresh)
        mine = [one for one in load_canaries() if judge.reviewer in one.reviewers]
        shown.append(
            {
                **judge.model_dump(),
                "counts": not why,
                "reason": why,
                "is_tried": bool(standing.trials),
                "canaries": [_describe(one, standing, one.name in fresh) for one in mine],
            }
        )
    return {"schema": SCHEMA, "reviewers": shown}


def doctor_lines(workspace: Workspace) -> list[Line]:
    """A line for each configured reviewer; one that does not count is told with the reason."""
    from switchyard.workflow.examining import Line

    hint = "`switchyard canary run` tries it, `switchyard canary list` shows how it did"
    lines = []
    for one in standing_document(workspace)["reviewers"]:
        # One that was never tried is no fault: the next run does it first.
        ok = bool(one["counts"] or not one["is_tried"])
        told = "counts" if one["counts"] else f"does not count: {one['reason']}" if one["is_tried"] else "not tried yet"
        lines.append(
            Line(f"verifier {one['reviewer']}", ok, f"{one['agent']}: {told}", "" if ok else hint, required=False)
        )
    return lines


def tried_document(tried: Sequence[Tried]) -> dict[str, Any]:
    """`switchyard.canary_run/1`: what came of each."""
    return {
        "schema": "switchyard.canary_run/1",
        "ok": not any(one.told for one in tried),
        "tried": [
            {
                "reviewer": one.judge.reviewer,
                "agent": one.judge.agent,
                "canary": one.canary.name,
                "sound": one.canary.is_sound,
                "verdict": one.verdict,
                "right": not one.told,
                "told": one.told,
            }
            for one in tried
        ],
    }


def _describe(canary: Canary, standing: Standing, is_fresh: bool) -> dict[str, Any]:
    trial = standing.trials.get(canary.name)
    return {
        "name": canary.name,
        "language": canary.language,
        "fault": canary.fault,
        "result": "never" if trial is None else "right" if trial.passed else "wrong",
        "at": trial.at.isoformat() if trial else None,
        "is_fresh": is_fresh,
        "told": trial.reason if trial else "",
    }


def _wanted(workspace: Workspace, judge: Judge, standing: Standing, *, due_only: bool) -> list[Canary]:
    from switchyard.gates.canaries import due_canaries, load_canaries

    if due_only:
        days = workspace.config.verify.canary_days
        return due_canaries(load_canaries(), judge, standing, datetime.now(UTC), days)
    return [one for one in load_canaries() if judge.reviewer in one.reviewers]


def _judges(workspace: Workspace, wanted: Sequence[str]) -> list[Judge]:
    """The configured reviewers that are wanted; all without.

    Raises:
        UsageError: There is no such reviewer, or it is not configured.
    """
    for name in wanted:
        if name not in REVIEWERS:
            raise UsageError(
                f"no reviewer '{name}'{did_you_mean(name, REVIEWERS)}", hint=f"one of {', '.join(REVIEWERS)}"
            )
    judges = _configured(workspace)
    if missing := sorted(set(wanted) - {judge.reviewer for judge in judges}):
        raise UsageError(
            f"the {missing[0]} reviewer is not configured", hint=f'set {missing[0]} = "AGENT" under [verify]'
        )
    if not judges:
        raise UsageError("no verifier is configured", hint='name an agent under [verify], as quality = "AGENT"')
    return [judge for judge in judges if not wanted or judge.reviewer in cast("Sequence[Reviewer]", wanted)]


def _configured(workspace: Workspace) -> list[Judge]:
    from switchyard.workflow.verifying import judges_for

    return judges_for(workspace.config)


def _events(workspace: Workspace) -> list[Event]:
    if not workspace.places.database.is_file():
        return []
    ledger = connect_ledger(workspace.places.database, read_only=True)
    events = _read(ledger)
    ledger.dispose()
    return events


def _read(ledger: Engine) -> list[Event]:
    with ledger.connect() as connection:
        return list(read_events(connection))


def _write(ledger: Engine, event: NewEvent) -> None:
    with ledger.begin() as connection:
        append(connection, event)
