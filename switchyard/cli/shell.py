"""`switchyard sandbox shell`: a person's look inside a box, on a terminal."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from switchyard.cli import box_options
from switchyard.cli.box_options import open_for_boxes
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output
from switchyard.cli.signals import TERMINATED, Terminated
from switchyard.errors import UsageError

BoxName = Annotated[
    str, typer.Argument(metavar="[BOX]", help="A box of `sandbox list`. Default: a fresh one.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Hang the command on its group."""
    app.command()(shell)


def shell(
    box: BoxName = "",
    sandbox: box_options.Kind = None,
    image: box_options.Image = None,
    keep: box_options.Keep = False,
    at: box_options.At = "HEAD",
    sparse: box_options.Sparse = None,
    workspace: box_options.WorkspaceKind = None,
    network: box_options.Network = None,
    memory: box_options.Memory = None,
    i_accept_no_isolation: box_options.NoIsolation = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Look inside: a shell in a fresh box, or in BOX.

    Nothing is brought out; a fresh box is gone afterwards unless --keep. Exits with the shell's own code.
    """
    from switchyard.boxes import SHELL, BoxOptions, shell_in_box
    from switchyard.cli.terminal import converse, size_of

    if as_json:
        raise UsageError("a shell is for people and has no document", hint="`switchyard sandbox run --json -- CMD` has")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("a shell needs a terminal", hint="`switchyard sandbox run -- CMD` works without one")
    output = Output(quiet=quiet, verbose=verbose)
    options = BoxOptions(
        argv=SHELL,
        at=at,
        sparse=tuple(sparse or ()),
        memory_mb=memory,
        keep=keep,
        accept_no_isolation=i_accept_no_isolation,
        environ=os.environ,
    )
    opened = open_for_boxes(repo, sandbox, image=image, workspace=workspace, network=network)
    try:
        with shell_in_box(opened, options, box, size_of(sys.stdout.fileno())) as (name, terminal):
            output.note(f"in {name}; leave with `exit` or Ctrl-D")
            code = converse(terminal, sys.stdin.fileno(), sys.stdout.fileno())
    except Terminated as err:
        raise typer.Exit(TERMINATED) from err
    if keep and not box:
        output.note(f"kept {name}; what it changed is in it and nowhere else")
    raise typer.Exit(code)
