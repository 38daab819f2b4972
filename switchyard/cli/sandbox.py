"""`switchyard sandbox`: a command in a box, what this machine enforces, what is running, and clearing up."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from switchyard.cli import box_options, shell
from switchyard.cli.box_options import open_for_boxes
from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.passing import Passing
from switchyard.cli.render import Output
from switchyard.cli.signals import TERMINATED, Terminated

if TYPE_CHECKING:
    from switchyard.workflow.boxing import Boxed

app = typer.Typer(help="Sandboxes: run in one, look inside, probe, list, reap.", no_args_is_help=True)
shell.register(app)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="CMD", help="The command and its arguments.")],
    sandbox: box_options.Kind = None,
    image: box_options.Image = None,
    keep: box_options.Keep = False,
    at: box_options.At = "HEAD",
    sparse: box_options.Sparse = None,
    workspace: box_options.WorkspaceKind = None,
    network: box_options.Network = None,
    timeout: box_options.Timeout = None,
    stall: box_options.Stall = None,
    memory: box_options.Memory = None,
    interactive: box_options.Interactive = False,
    i_accept_no_isolation: box_options.NoIsolation = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a command in a sandbox exactly as a task would.

    Exits with the command's own code, 128 + signal, or 124 at a limit; 130 and 143 when SIGINT or SIGTERM ended it.
    """
    from switchyard.boxes import BoxOptions, run_in_box

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    options = BoxOptions(
        argv=tuple(command),
        at=at,
        sparse=tuple(sparse or ()),
        timeout_s=timeout,
        stall_s=stall,
        memory_mb=memory,
        keep=keep,
        accept_no_isolation=i_accept_no_isolation,
        stdin=sys.stdin.buffer.read() if interactive else b"",
        environ=os.environ,
        tell=output.note,
    )
    opened = open_for_boxes(repo, sandbox, image=image, workspace=workspace, network=network)
    try:
        boxed = run_in_box(opened, options, None if as_json else Passing())
    except Terminated as err:
        raise typer.Exit(TERMINATED) from err
    _conclude(output, boxed, keep)


@app.command()
def probe(
    sandbox: box_options.Kind = None,
    image: box_options.Image = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what a kind of sandbox enforces here, and what would help.

    Exits 1 when a box of this configuration would be refused.
    """
    from switchyard.boxes import find_missing
    from switchyard.wiring import open_driver

    workspace = open_for_boxes(repo, sandbox, image=image)
    lines = open_driver(workspace, os.environ, accept_no_isolation=True).probe()
    document = {
        "schema": "switchyard.probe/1",
        "enforced": [
            {"name": line.name, "enforced": line.enforced, "how": line.how, "hint": line.hint} for line in lines
        ],
    }
    rows = [(line.name, "yes" if line.enforced else "NO", line.how, line.hint) for line in lines]
    columns = ("what", "enforced", "how", "what would help")
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    output.table(document, columns, rows)
    if missing := find_missing(workspace, lines):
        output.note(f"a box of this configuration would be refused for want of: {', '.join(missing)}")
        raise typer.Exit(1)


@app.command("list")
def list_(
    sandbox: box_options.Kind = None,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List live boxes and orphans.

    Those of one kind, or of the configured one and every other that this repository has boxes of.
    """
    from switchyard.boxes import list_boxes
    from switchyard.workflow.boxing import describe_boxes

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    inventory = list_boxes(open_for_boxes(repo, sandbox), os.environ, alone=sandbox is not None)
    document = describe_boxes(inventory.boxes)
    found = document["sandboxes"]
    assert isinstance(found, list)
    rows = [(box["id"], box["kind"], box["task"] or "", box["state"], box["since"]) for box in found]
    output.table(document, ("id", "kind", "task", "state", "since"), rows, empty="no sandboxes")
    for fault in inventory.faults:
        output.warning(fault)


@app.command()
def reap(
    sandbox: box_options.Kind = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove kept and running boxes too.")] = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Remove orphans and boxes past their time.

    Those of one kind, or of all that `list` shows.
    """
    from switchyard.boxes import reap_boxes

    workspace = open_for_boxes(repo, sandbox)
    removed, faults = reap_boxes(workspace, os.environ, alone=sandbox is not None, everything=everything)
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    output.document({"schema": "switchyard.reap/1", "removed": removed}, "\n".join(removed))
    if not removed:
        output.note("nothing to remove")
    for fault in faults:
        output.warning(fault)


def _conclude(output: Output, boxed: Boxed, keep: bool) -> None:
    """The document, or what there is to say beside the command's own output; then its exit code."""
    from switchyard.workflow.boxing import PASSED_OUTPUT_MB

    if output.as_json:
        output.document(boxed.as_json(keep))
        raise typer.Exit(boxed.exit_code)
    for finding in boxed.findings:
        output.note(f"finding: {finding.path!r}: {finding.kind}: {finding.detail}")
    if boxed.finished.truncated:
        output.warning(f"output is missing: of each stream only the first {PASSED_OUTPUT_MB} MiB came through")
    if boxed.finished.limit:
        output.note(f"ended by the {boxed.finished.limit} limit: {boxed.bound}")
    if keep:
        output.note(f"kept {boxed.box} (`switchyard sandbox list`, `switchyard sandbox shell {boxed.box}`)")
    raise typer.Exit(boxed.exit_code)
