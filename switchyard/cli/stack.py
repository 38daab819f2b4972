"""`switchyard stack`: the pull requests as people see them."""

from __future__ import annotations

import os

import typer

from switchyard.cli import landing
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output

app = typer.Typer(help="The stacked pull requests.", no_args_is_help=True)
landing.register(app)


@app.callback()
def stack() -> None:
    """The stacked pull requests."""


@app.command()
def status(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Draw the pull requests and what each stands on."""
    from switchyard_merge import draw_stack, stack_document, stack_status

    from switchyard.cli.workspace import open_workspace
    from switchyard.wiring import open_stack

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    pulls = stack_status(open_stack(open_workspace(repo, must_be_configured=False), os.environ))
    output.document(stack_document(pulls), draw_stack(pulls).rstrip("\n"))
    if not pulls:
        output.note("no pull requests yet")
