"""`run`, `plan`, `status`, `show`, `cancel`: the main job, and where it stands."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from switchyard.cli.box_options import Image, Kind, NoIsolation, open_for_boxes
from switchyard.cli.evidence import (
    Asked,
    ClaimName,
    Envelope,
    Evidence,
    Key,
    OutcomeName,
    PrintStatement,
    Verify,
    show_evidence,
)
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose, complete_task
from switchyard.cli.render import Output

if TYPE_CHECKING:
    from switchyard.packets import TaskId
    from switchyard.tasks import Task
    from switchyard.workspace import Workspace

Tasks = Annotated[
    list[str] | None,
    typer.Argument(metavar="TASK", help="Task ids. Default: every ready task.", autocompletion=complete_task),
]
TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A task id.", autocompletion=complete_task)]
PlanFile = Annotated[
    Path | None, typer.Option("--file", "-f", metavar="PLAN", help="A YAML file of tasks, besides the task files.")
]
Concurrency = Annotated[int | None, typer.Option("--concurrency", "-j", metavar="N", min=1, help="Tasks at a time.")]
AgentName = Annotated[
    str | None, typer.Option("--agent", metavar="NAME", help="The [agent.NAME] for tasks that name none.")
]
Watch = Annotated[bool, typer.Option("--watch", help="Keep running: pick up tasks as they become ready.")]
Force = Annotated[bool, typer.Option("--force", help="End the running attempt at once.")]
WATCH_S = 2.0
KEEP_S = 30.0
"""How often a watching run looks after what it published while there is nothing to pick up."""


def register(app: typer.Typer) -> None:
    """Hang the commands on the root."""
    for command in (run, plan, status, show, cancel):
        app.command()(command)


def run(
    tasks: Tasks = None,
    file: PlanFile = None,
    watch: Watch = False,
    concurrency: Concurrency = None,
    agent: AgentName = None,
    sandbox: Kind = None,
    image: Image = None,
    i_accept_no_isolation: NoIsolation = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run tasks to stacked branches and pull requests.

    What was interrupted goes on where it was. Exits 1 when a task failed or needs a person.
    """
    from switchyard.cli.running import run_once
    from switchyard.wiring import RunRequest

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace = _open(repo, concurrency=concurrency, agent=agent, sandbox=sandbox, image=image)
    request = RunRequest(_ids(tasks), file, i_accept_no_isolation, os.environ)
    succeeded, kept = run_once(workspace, request, output), time.monotonic()
    while watch:
        time.sleep(WATCH_S)
        is_due = time.monotonic() - kept > KEEP_S
        kept = time.monotonic() if is_due else kept
        succeeded = run_once(workspace, replace(request, keeps_stacks=is_due), output, only_if_new=True)
    raise typer.Exit(0 if succeeded else 1)


def plan(
    tasks: Tasks = None,
    file: PlanFile = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what `run` would do, and change nothing.

    The order, the stacks and joins, the context of each task, and which tasks overlap.
    """
    from switchyard.cli.planning import describe_draft, plan_document
    from switchyard.wiring import preview

    shown = preview(_open(repo), _ids(tasks), file, os.environ)
    document = plan_document(shown)
    Output(as_json=as_json, quiet=quiet, verbose=verbose).document(document, describe_draft(document))


def status(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Show where every task and run stands."""
    from switchyard.cli.standing import COLUMNS, rows_of
    from switchyard.workflow.status import status_document

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace = _open(repo, needs_config=False)
    document = status_document(workspace.view(), _readable(workspace, output))
    empty = "no tasks yet: `switchyard task add` makes one"
    output.table(document, COLUMNS, rows_of(document["tasks"]), empty=empty)


def show(
    task: Annotated[
        str | None,
        typer.Argument(metavar="TASK", help="A task id; --evidence can do without.", autocompletion=complete_task),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Print an attempt's diff, and nothing else.")] = False,
    logs: Annotated[bool, typer.Option("--logs", help="Print what its agent and checks printed.")] = False,
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="N", help="The attempt of --diff and --logs. Default: the last.")
    ] = None,
    evidence: Evidence = False,
    claim: ClaimName = "",
    outcome: OutcomeName = None,
    statement: PrintStatement = False,
    verify: Verify = False,
    key: Key = None,
    envelope: Envelope = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show one task: attempts, checks, gates, diff, logs.

    With --evidence what is claimed and what backs it; with --verify whether its signed statement holds.
    """
    from switchyard.cli.standing import attempt_diff, attempt_logs, describe_task
    from switchyard.workflow.showing import task_document

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace = _open(repo, needs_config=False)
    asked = Asked(task or "", evidence, statement, verify, claim, outcome, key, envelope)
    if asked.is_for_evidence:
        raise typer.Exit(show_evidence(workspace, asked, output))
    document = task_document(workspace.places, workspace.view(), _readable(workspace, output), asked.task)
    if diff:
        text = attempt_diff(workspace.places, document, attempt)
    else:
        text = attempt_logs(workspace.places, document, attempt) if logs else describe_task(document)
    output.document(document, text)


def cancel(
    task: TaskName,
    force: Force = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Stop a task that is under way.

    Before its next step, or at once with --force.
    """
    from switchyard.boxes import end_boxes
    from switchyard.workflow.operating import cancel_task

    workspace = _open(repo, needs_config=False)
    stopped = cancel_task(workspace.places, workspace.view(), task, workspace.now())
    ended = end_boxes(workspace, os.environ, stopped) if force else []
    document = {"schema": "switchyard.cancel/1", "task": task, "boxes": ended}
    Output(as_json=as_json, quiet=quiet, verbose=verbose).document(document, f"{task} will stop")


def _readable(workspace: Workspace, output: Output) -> list[Task]:
    """The tasks that can be read: a faulty file must not hide where the others stand."""
    tasks, fault = workspace.readable_tasks()
    if fault is not None:
        output.warning(str(fault).replace(f"{Path.cwd()}/", ""))
    return tasks


def _ids(names: list[str] | None) -> tuple[TaskId, ...]:
    from switchyard.packets import TaskId

    return tuple(TaskId(name) for name in names or ())


def _open(
    repo: Path | None,
    *,
    concurrency: int | None = None,
    agent: str | None = None,
    sandbox: str | None = None,
    image: str | None = None,
    needs_config: bool = True,
) -> Workspace:
    others = {"limits.concurrency": concurrency}
    workspace = open_for_boxes(repo, sandbox, image=image, needs_config=needs_config, others=others)
    return workspace.with_default_agent(agent) if agent else workspace
