"""`switchyard stack`: the pull requests as people see them, put right, and published from branches of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from switchyard.cli import landing
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output

app = typer.Typer(help="The stacked pull requests.", no_args_is_help=True)
Name = Annotated[
    str, typer.Argument(metavar="[NAME]", help="A stack that people published. Default: the factory's own.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="A YAML file of branches and their parents. Default: the factory's stack."),
]


@app.callback()
def stack() -> None:
    """The stacked pull requests."""


@app.command()
def status(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Draw the pull requests and what each waits for."""
    from switchyard_merge import draw_standing, stack_document

    from switchyard.cli.workspace import open_workspace, telling_waits
    from switchyard.stacks import look_at_stacks

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    found = look_at_stacks(telling_waits(open_workspace(repo, must_be_configured=False), output), os.environ)
    output.document(stack_document(found), draw_standing(found).rstrip("\n"))
    for fault in found.faults:
        output.warning(fault)
    if not found.pulls:
        output.note("no pull requests yet")


@app.command()
def restack(
    name: Name = "",
    dry_run: DryRun = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Put branches back onto what they stand on.

    That is due once a parent was amended, merged, closed or deleted. `run` does this by itself when it starts. Ends
    with 1 where a branch waits for a person.
    """
    from switchyard.cli.stacking import show_change
    from switchyard.cli.workspace import open_workspace, telling_waits
    from switchyard.stacks import restack_stack

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace = telling_waits(open_workspace(repo, must_be_configured=False), output)
    change = restack_stack(workspace, os.environ, name, dry_run=dry_run)
    raise typer.Exit(show_change("switchyard.restack/1", change, output))


@app.command()
def publish(
    file: File = None, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Publish branches of yours as stacked pull requests.

    Done again, it brings them up to date. Only branches below `factory/` are pushed; yours stay where they are.
    """
    from switchyard.cli.stacking import show_change
    from switchyard.cli.workspace import open_workspace, telling_waits
    from switchyard.stack_files import read_stack_file
    from switchyard.stacks import publish_people_stack, restack_stack

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace = telling_waits(open_workspace(repo, must_be_configured=False), output)
    if file is None:
        change = restack_stack(workspace, os.environ)
    else:
        change = publish_people_stack(workspace, os.environ, read_stack_file(workspace, file))
    raise typer.Exit(show_change("switchyard.publish/1", change, output))


landing.register(app)
