"""The composition root: from a repository and its configuration to concrete parts, picked from literal dicts."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from switchyard.attestation import HostKey
from switchyard.config import secret_variables
from switchyard.errors import UsageError
from switchyard.forges import connect
from switchyard.ledger import ArtifactStore, FactoryView, RunView
from switchyard.packets import RunId, TaskId
from switchyard.staffing import npm_packages, open_agents
from switchyard.tasks import Task
from switchyard.workflow.channels import Channel
from switchyard.workflow.factory import Factory
from switchyard.workflow.lock import orchestrator_lock
from switchyard.workflow.outside import Gateway
from switchyard.workflow.plan import Draft, Standing, draft_run, refuse_unready
from switchyard.workflow.stores import Base, clear_stale_locks, fetch_base, open_stores, public_url_of
from switchyard.workflow.waiting import Waits
from switchyard.workspace import Workspace

if TYPE_CHECKING:
    from switchyard_git import Repository
    from switchyard_merge.forge.contract import Forge
    from switchyard_sandbox import Driver
    from switchyard_sandbox.gateway import GatewayHandle

    from switchyard.workflow.examining import Parts
    from switchyard.workflow.orchestrator import Audience, Report


DAYTONA_KEY = "DAYTONA_API_KEY"
OWNER = "switchyard"
"""Who makes the boxes, as their journal names it."""


def open_driver(
    workspace: Workspace, environ: Mapping[str, str] = MappingProxyType({}), *, accept_no_isolation: bool = False
) -> Driver:
    """The sandbox driver of the configuration; no engine and no service is asked yet.

    Args:
        environ: Where Docker's socket and Daytona's key are looked up.

    Raises:
        UsageError: `none` was asked for without accepting what that means, or Daytona without a key.
    """
    kind = workspace.config.sandbox.kind
    if kind == "none" and not accept_no_isolation:
        raise UsageError(
            "sandbox kind 'none' isolates nothing: commands run as you, on this machine",
            hint="add --i-accept-no-isolation if that is what you want",
        )
    if kind == "daytona" and not environ.get(DAYTONA_KEY):
        raise UsageError(
            f"sandbox kind 'daytona' needs a key, and the environment has no {DAYTONA_KEY}",
            hint=f"export {DAYTONA_KEY}, or use another kind",
        )
    return _DRIVERS[kind](workspace, environ)


def open_others(workspace: Workspace, environ: Mapping[str, str], driver: Driver) -> list[Driver]:
    """The drivers of the other kinds that this state folder has boxes of, left behind perhaps."""
    from switchyard_sandbox.journal import kinds_used

    others = sorted(kinds_used(workspace.places.state) - {driver.kind})
    return [_DRIVERS[kind](workspace, environ) for kind in others if kind in _DRIVERS]


def remote_for_boxes(workspace: Workspace) -> str:
    """Where boxes fetch code from by themselves; "" where the host brings it.

    Raises:
        UsageError: They shall, and the remote is not a public one.
    """
    if workspace.config.sandbox.code == "host":
        return ""
    return public_url_of(workspace.repository, workspace.config)


def open_gateway(workspace: Workspace, environ: Mapping[str, str]) -> Gateway | None:
    """The gateway of the configuration, not yet running; None: it names no endpoint.

    Raises:
        UsageError: The variable of an endpoint's key is not set.
    """
    tables = workspace.config.gateway
    if not tables:
        return None
    for name, table in tables.items():
        if not environ.get(table.key_env):
            raise UsageError(
                f"[gateway] {name}: the environment has no {table.key_env}",
                hint=f"export {table.key_env}, or take the endpoint out of switchyard.toml",
            )
    keys = {name: environ[table.key_env] for name, table in tables.items()}

    def start() -> GatewayHandle:
        from switchyard_sandbox.gateway import Endpoint, ensure_running, kind_of

        endpoints = [Endpoint(name, table.kind or kind_of(name), table.url) for name, table in tables.items()]
        return ensure_running(workspace.places.state, endpoints, keys)

    return Gateway(tuple(tables), start, workspace.places.state)


def open_channels(workspace: Workspace, environ: Mapping[str, str]) -> list[Channel]:
    """The ways to tell people outside; one that can't work is there all the same and says why when it is used."""
    from switchyard.workflow.channels import HostCommand, Webhook

    config = workspace.config
    channels: list[Channel] = []
    if config.notify.webhook_env:
        url = environ.get(config.notify.webhook_env, "")
        channels.append(Webhook(url.strip(), config.notify.webhook_env))
    if config.notify.command:
        # The person's own program, in the person's own surroundings: but for keys, which it does not need.
        keys = {*secret_variables(config), DAYTONA_KEY}
        env = {name: value for name, value in environ.items() if name not in keys}
        channels.append(HostCommand(config.notify.command, cwd=workspace.root, env=env))
    return channels


def parts_of(workspace: Workspace, environ: Mapping[str, str]) -> Parts:
    """How `doctor` tries the parts that the configuration names; nothing is opened yet."""
    from switchyard.workflow.examining import Parts

    connected = cache(lambda: connect(workspace, environ))
    return Parts(
        probe=lambda: open_driver(workspace, environ, accept_no_isolation=True).probe(),
        agents=lambda: open_agents(workspace.config, environ),
        upstream=lambda: connected().upstream,
        forge=lambda: connected().examine(),
    )


@dataclass(frozen=True)
class RunRequest:
    """What `switchyard run` was asked for."""

    selection: tuple[TaskId, ...] = ()
    plan: Path | None = None
    accept_no_isolation: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where the keys of model endpoints are looked up."""
    keeps_stacks: bool = True
    """Whether the pull requests of earlier runs are looked after even if there is nothing to pick up."""


def open_stack(workspace: Workspace, environ: Mapping[str, str]) -> Forge:
    """The forge by itself, for looking; nothing is fetched."""
    connection = connect(workspace, environ)
    _, quarantine = open_stores(workspace.places)
    return connection.open(connection.upstream.let_in(quarantine))


def factory_of(workspace: Workspace, quarantine: Repository, forge: Forge, driver: Driver) -> Factory:
    """The parts that all work needs; agents, keys and channels are for whoever has a use for them to add."""
    return Factory(
        config=workspace.config,
        places=workspace.places,
        origin=workspace.repository,
        quarantine=quarantine,
        artifacts=ArtifactStore(workspace.places.artifacts),
        driver=driver,
        agents={},
        forge=forge,
        clock=lambda: datetime.now(UTC),
        publishing=Lock(),
    )


def run_tasks(workspace: Workspace, request: RunRequest, audience: Audience) -> Report:
    """Run tasks to stacked branches and pull requests; what an earlier process left unfinished goes on first.

    Raises:
        UsageError, ConfigError, TaskFileError: The request, the configuration or a task is wrong; nothing was changed.
        OrchestratorRunning: Another process runs this repository's factory.
        IsolationUnavailable, LimitUnenforceable: This machine can't isolate as configured; nothing was run.
    """
    from switchyard.workflow.orchestrator import Orchestrator

    tasks = workspace.tasks(request.plan)
    refuse_unready({task.id: task for task in tasks}, request.selection)
    agents = open_agents(workspace.config, request.environ)
    driver = open_driver(workspace, request.environ, accept_no_isolation=request.accept_no_isolation)
    gateway = open_gateway(workspace, request.environ)
    remote = remote_for_boxes(workspace)
    waits = Waits()
    forge = connect(workspace, request.environ, waits.note)
    with waits.heard_by(lambda waiting: audience.wait(waiting.reason, waiting.seconds)):
        forge.check()
    with orchestrator_lock(workspace.places.state):
        clear_stale_locks(workspace.places)
        mirror, quarantine = open_stores(workspace.places)
        quarantine = forge.upstream.let_in(quarantine)
        base = fetch_base(workspace.repository, mirror, workspace.config, forge.upstream)
        factory = replace(
            factory_of(workspace, quarantine, forge.open(quarantine), driver),
            agents=agents,
            key=HostKey.of(request.environ, workspace.config.evidence.signing_key_env),
            gateway=gateway,
            remote=remote,
            waits=waits,
            channels=open_channels(workspace, request.environ),
            others=tuple(open_others(workspace, request.environ, driver)),
        )

        def plan(view: FactoryView) -> Draft:
            drafted = draft(workspace, tasks, view, base, request.selection)
            if not any(one.landed for one in drafted.plan.settled.values()):
                return drafted
            # What landed may have landed since the base was fetched, and is built upon through the base alone.
            fresh = fetch_base(workspace.repository, mirror, workspace.config, forge.upstream)
            return draft(workspace, tasks, view, fresh, request.selection)

        return Orchestrator(factory, audience).run(plan, base, keeps_stacks=request.keeps_stacks)


@dataclass(frozen=True)
class Preview:
    """What `run` would do."""

    draft: Draft
    contexts: Mapping[TaskId, dict[str, Any]]
    """Each planned task's selection as `switchyard.context/1`, read from the run's base."""
    unfinished: tuple[RunView, ...]
    """Runs that were interrupted and would go on first."""


def preview(
    workspace: Workspace, selection: Collection[TaskId], plan: Path | None, environ: Mapping[str, str]
) -> Preview:
    """Plan a run and the context of each of its tasks; only the mirror is brought up to date.

    Raises:
        UsageError, ConfigError, TaskFileError: The request, the configuration or a task is wrong.
    """
    from switchyard.workflow.selecting import choose_context

    tasks = workspace.tasks(plan)
    refuse_unready({task.id: task for task in tasks}, selection)
    mirror, _ = open_stores(workspace.places)
    base = fetch_base(workspace.repository, mirror, workspace.config, connect(workspace, environ).upstream)
    view = workspace.view()
    drafted = draft(workspace, tasks, view, base, selection)
    budget = workspace.config.context.budget_tokens
    contexts = {
        task.id: choose_context(workspace.places, base.commit, task, budget).as_json() for task in drafted.plan.tasks
    }
    return Preview(drafted, contexts, tuple(view.unfinished))


def draft(
    workspace: Workspace, tasks: Sequence[Task], view: FactoryView, base: Base, selection: Collection[TaskId]
) -> Draft:
    """Plan a run; changes nothing."""
    now = time.time()

    def overlaps(chosen: Sequence[Task]) -> Mapping[TaskId, Collection[TaskId]]:
        from switchyard.workflow.graphs import read_commit
        from switchyard.workflow.selecting import overlaps_of

        graph = read_commit(workspace.places, base.commit).graph
        return overlaps_of(graph, {task.id: task.targets for task in chosen})

    standing = Standing(tasks, view, workspace.config, base, int(now), overlaps)
    return draft_run(standing, new_run_id(now), selection)


def new_run_id(now: float) -> RunId:
    """A sortable id, unique enough to be a branch name's part: date, time and six random characters."""
    return RunId(f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(3)}")


def _open_embedded(workspace: Workspace, environ: Mapping[str, str]) -> Driver:
    from switchyard_sandbox.embedded.driver import EmbeddedDriver

    return EmbeddedDriver(workspace.places.state, owner=OWNER)


def _open_docker(workspace: Workspace, environ: Mapping[str, str]) -> Driver:
    from switchyard_sandbox.docker.driver import DockerDriver

    config = workspace.config
    return DockerDriver(
        workspace.places.state,
        owner=OWNER,
        image=config.sandbox.image,
        packages=npm_packages(config),
        base_url=environ.get("DOCKER_HOST", ""),
    )


def _open_daytona(workspace: Workspace, environ: Mapping[str, str]) -> Driver:
    from switchyard_sandbox.daytona.driver import DaytonaDriver

    return DaytonaDriver(
        workspace.places.state,
        owner=OWNER,
        image=workspace.config.sandbox.image,
        api_key=environ.get(DAYTONA_KEY, ""),
        api_url=environ.get("DAYTONA_API_URL", ""),
        target=environ.get("DAYTONA_TARGET", ""),
    )


def _open_none(workspace: Workspace, environ: Mapping[str, str]) -> Driver:
    from switchyard_sandbox import NoneDriver

    return NoneDriver(workspace.places.state, owner=OWNER)


_DRIVERS: dict[str, Callable[[Workspace, Mapping[str, str]], Driver]] = {
    "embedded": _open_embedded,
    "docker": _open_docker,
    "daytona": _open_daytona,
    "none": _open_none,
}
