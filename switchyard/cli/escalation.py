"""`switchyard escalation`: what waits for a person, and a person's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from switchyard.cli.options import AsJson, Quiet, Repo, Verbose, complete_task
from switchyard.cli.render import Output

app = typer.Typer(help="Tasks that wait for a person, and the answers.", no_args_is_help=True)

SCHEMA = "switchyard.escalations/1"
COLUMNS = ("task", "since", "answer", "reason")
TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="The id of a task that needs a person.", autocompletion=complete_task)
]
Note = Annotated[str, typer.Option("--note", "-m", metavar="TEXT", help="Why; an agent that tries again reads it.")]


@app.command("list")
def list_(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """List the tasks that need a person, with the reason.

    One that was answered stays until the next run acts on the answer.
    """
    from switchyard.cli.workspace import open_workspace
    from switchyard.workflow.operating import is_rejected, pending_answer

    view = open_workspace(repo, must_be_configured=False).view()
    found = [task for task in view.latest.values() if task.state == "needs_person" and not is_rejected(view, task)]
    document = {
        "schema": SCHEMA,
        "escalations": [
            {
                "task": task.id,
                "run": task.run_id,
                "reason": person.reason,
                "since": person.since,
                "head": task.head or None,
                "answer": pending_answer(view, task) or None,
            }
            for task in found
            if (person := task.needs_person)
        ],
    }
    rows = [(task.id, task.since[:19], pending_answer(view, task), task.reason.splitlines()[0]) for task in found]
    Output(as_json=as_json, quiet=quiet, verbose=verbose).table(
        document, COLUMNS, rows, empty="nothing waits for a person"
    )


@app.command()
def show(
    task: TaskName, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Print what a person needs to decide about a task.

    The request, every diff, every output, what the gates said, a timeline, and what may help.
    """
    from switchyard.cli.workspace import open_workspace
    from switchyard.workflow.packs import escalation_document

    workspace = open_workspace(repo, must_be_configured=False)
    document = escalation_document(workspace.places, workspace.view(), task)
    Output(as_json=as_json, quiet=quiet, verbose=verbose).document(document, document["markdown"])


@app.command()
def accept(
    task: TaskName,
    note: Note = "",
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Publish the last attempt as it is, with the next run."""
    _answer(task, "accept", note, repo, Output(as_json=as_json, quiet=quiet, verbose=verbose))


@app.command()
def reject(
    task: TaskName,
    note: Note = "",
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Give the task up; it is not picked up again until `retry`."""
    _answer(task, "reject", note, repo, Output(as_json=as_json, quiet=quiet, verbose=verbose))


@app.command()
def retry(
    task: TaskName,
    note: Note = "",
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Let an agent try again from the start, with the next run."""
    _answer(task, "retry", note, repo, Output(as_json=as_json, quiet=quiet, verbose=verbose))


def _answer(
    task: str, action: Literal["accept", "reject", "retry"], note: str, repo: Path | None, output: Output
) -> None:
    from switchyard.cli.workspace import open_workspace
    from switchyard.workflow.operating import answer_escalation

    workspace = open_workspace(repo, must_be_configured=False)
    tasks, _ = workspace.readable_tasks()
    answer_escalation(workspace.places, workspace.view(), tasks, task, action, note, workspace.now())
    output.document(
        {"schema": "switchyard.answer/1", "task": task, "action": action, "note": note}, f"{task}: {action}"
    )
    if action != "reject":
        output.note(f"`switchyard run {task}` acts on it")
