"""`switchyard task`: what is to be done, and whether it may be."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from switchyard.cli import task_flags as flags
from switchyard.cli.editor import edit_text, is_terminal
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose, complete_task
from switchyard.cli.render import Output
from switchyard.cli.workspace import open_workspace
from switchyard.errors import UsageError

if TYPE_CHECKING:
    from switchyard.tasks import Task
    from switchyard.tasks.store import Verb
    from switchyard.workspace import Workspace

SCHEMA = "switchyard.tasks/1"

app = typer.Typer(help="The tracker: what is to be done, and whether it may be.", no_args_is_help=True)

Ids = Annotated[list[str], typer.Argument(metavar="TASK", help="Tasks by id.", autocompletion=complete_task)]
Id = Annotated[str, typer.Argument(metavar="TASK", help="The task's id.", autocompletion=complete_task)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def add(
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="Its id. Default: made of the title.")] = None,
    title: flags.Title = None,
    body: flags.Body = None,
    body_file: flags.BodyFile = None,
    acceptance: flags.Acceptance = None,
    state: flags.State = None,
    depends_on: flags.DependsOn = None,
    target: flags.Target = None,
    priority: flags.Priority = None,
    label: flags.Label = None,
    agent: flags.AgentName = None,
    review_agent: flags.ReviewAgent = None,
    context_file: flags.ContextFile = None,
    test_requirements: flags.TestRequirements = None,
    check: flags.Check = None,
    allow: flags.Allow = None,
    minutes: flags.Minutes = None,
    repairs: flags.Repairs = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a new task, a draft unless --state says otherwise.

    On a terminal, what is missing is asked for.
    """
    given = flags.changes_from(locals())
    workspace = open_workspace(repo, must_be_configured=False)
    new = _new_task(task, given)
    workspace.store().add([new])
    _show(workspace, Output(as_json, quiet, verbose), [workspace.store().get(new.id)], "added")


@app.command("list")
def list_tasks(
    state: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help="Only these states; repeat for more.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="NAME", help="Only tasks with all these labels.")
    ] = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List tasks as people set them.

    How far the work is, `switchyard status` tells.
    """
    workspace = open_workspace(repo, must_be_configured=False)
    found = _matching(workspace.store().list(), state or [], set(label or []))
    rows = [
        (task.id, task.state, str(task.priority), ", ".join(task.depends_on), ", ".join(task.labels), task.title)
        for task in found
    ]
    empty = f"no tasks in {workspace.shown(workspace.store().folder)}; write one with 'switchyard task add'"
    columns = ("TASK", "STATE", "PRIORITY", "DEPENDS ON", "LABELS", "TITLE")
    Output(as_json, quiet, verbose).table(_document(workspace, found), columns, rows, empty=empty)


@app.command()
def view(task: Id, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Show one task."""
    workspace = open_workspace(repo, must_be_configured=False)
    found = workspace.store().get(task)
    Output(as_json, quiet, verbose).document(_document(workspace, [found]), _page(found))


@app.command()
def edit(
    task: Id,
    title: flags.Title = None,
    body: flags.Body = None,
    body_file: flags.BodyFile = None,
    acceptance: flags.Acceptance = None,
    state: flags.State = None,
    depends_on: flags.DependsOn = None,
    target: flags.Target = None,
    priority: flags.Priority = None,
    label: flags.Label = None,
    agent: flags.AgentName = None,
    review_agent: flags.ReviewAgent = None,
    context_file: flags.ContextFile = None,
    test_requirements: flags.TestRequirements = None,
    check: flags.Check = None,
    allow: flags.Allow = None,
    minutes: flags.Minutes = None,
    repairs: flags.Repairs = None,
    unset: Annotated[list[str] | None, typer.Option("--unset", metavar="KEY", help="Put a key's default back.")] = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Change a task's keys and keep the rest of its file.

    Without flags, $EDITOR opens on a terminal.
    """
    given = locals()
    workspace = open_workspace(repo, must_be_configured=False)
    store = workspace.store()
    changes = flags.changes_from(given, lambda: store.get(task)) | flags.defaults_of(unset or [])
    if changes:
        edited = store.edit(task, changes)
    else:
        edited = _edited(store.text(task), task, lambda text: store.replace_text(task, text))
    _show(workspace, Output(as_json, quiet, verbose), [edited], "edited")


@app.command()
def approve(
    tasks: Ids, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Let drafts be worked on: draft → ready.

    A ready task that was edited after a run had read it is approved as it stands now.
    """
    from switchyard.workspace import record_approvals

    _move("approve", tasks, repo, Output(as_json, quiet, verbose))
    record_approvals(repo, tasks, os.environ)


@app.command()
def hold(
    tasks: Ids, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Keep tasks from being picked up: ready → held."""
    _move("hold", tasks, repo, Output(as_json, quiet, verbose))


@app.command()
def release(
    tasks: Ids, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Let held tasks be picked up again: held → ready."""
    _move("release", tasks, repo, Output(as_json, quiet, verbose))


@app.command()
def cancel(
    tasks: Ids,
    yes: Yes = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Give tasks up; their files stay.

    `task edit --state draft` takes it back.
    """
    if is_terminal() and not yes:
        typer.confirm(f"Cancel {', '.join(tasks)}?", abort=True, err=True)
    _move("cancel", tasks, repo, Output(as_json, quiet, verbose))


@app.command("import")
def import_tasks(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A plan in YAML, a task file, or a folder of them.")],
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the tasks of a plan, a task file or a folder.

    All of them, or none where one is refused.
    """
    workspace = open_workspace(repo, must_be_configured=False)
    store = workspace.store()
    found = store.read_import(source)
    store.add(found)
    _show(workspace, Output(as_json, quiet, verbose), [store.get(task.id) for task in found], "imported")


def _new_task(task: str | None, given: dict[str, Any]) -> Task:
    from switchyard.packets import TaskId
    from switchyard.tasks import Task, check_task_id, parse_task, render_task

    if has_title := "title" in given:
        title = given.pop("title")
    elif is_terminal():
        title = typer.prompt("Title", err=True)
    else:
        raise UsageError("a task needs a title", hint="give --title")
    name = task or flags.slug(title)
    if problem := check_task_id(name):
        raise UsageError(problem)
    new = Task(id=TaskId(name), title=title, **given)
    if has_title or "body" in given:
        return new
    return _edited(render_task(new), name, lambda text: parse_task(text, Path(f"{name}.md")))


def _edited(text: str, task: str, accept: Callable[[str], Task]) -> Task:
    if not is_terminal():
        raise UsageError("nothing to change, and no terminal for an editor", hint="give flags; see --help")
    return edit_text(text, f"{task}.md", accept)


def _move(verb: Verb, ids: Sequence[str], repo: Path | None, output: Output) -> None:
    workspace = open_workspace(repo, must_be_configured=False)
    _show(workspace, output, workspace.store().move(verb, ids), "")


def _show(workspace: Workspace, output: Output, tasks: Sequence[Task], verb: str) -> None:
    lines = [f"{verb or task.state} {task.id}: {workspace.shown(workspace.store().file(task.id))}" for task in tasks]
    output.document(_document(workspace, tasks), "\n".join(lines))


def _matching(tasks: Sequence[Task], states: Sequence[str], labels: set[str]) -> list[Task]:
    return [task for task in tasks if (not states or task.state in states) and labels <= set(task.labels)]


def _document(workspace: Workspace, tasks: Sequence[Task]) -> dict[str, Any]:
    return {"schema": SCHEMA, "tasks": [_entry(workspace, task) for task in tasks]}


def _entry(workspace: Workspace, task: Task) -> dict[str, Any]:
    from switchyard.tasks import content_hash
    from switchyard.tasks.render import KEYS, front_value

    return {
        **{key: front_value(task, key) for key in KEYS},
        "budget": asdict(task.budget),
        "acceptance": list(task.acceptance),
        "body": task.body,
        "path": workspace.shown(workspace.store().file(task.id)),
        "content_hash": content_hash(task),
    }


def _page(task: Task) -> str:
    from switchyard.tasks.render import KEYS, front_value, render_value

    shown = {key: front_value(task, key) for key in KEYS if key not in {"id", "title"}}
    facts = [f"{key + ':':<19}{render_value(value)}" for key, value in shown.items() if value not in ("", [], {})]
    return "\n".join([f"{task.id}: {task.title}", *facts, "", task.body.strip()]).rstrip()
