"""`switchyard sandbox`: a command in a box, what this machine enforces, what is running, and clearing up."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output

if TYPE_CHECKING:
    from switchyard_sandbox import Chunk, Driver

    from switchyard.workspace import Workspace

app = typer.Typer(help="Sandboxes: run a command in one, probe, list, reap.", no_args_is_help=True)

Kind = Annotated[
    str | None, typer.Option("--sandbox", metavar="KIND", help="embedded, or none, which isolates nothing.")
]
NoIsolation = Annotated[
    bool, typer.Option("--i-accept-no-isolation", help="Needed with `--sandbox none`: commands run as you, unboxed.")
]


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="CMD", help="The command and its arguments.")],
    sandbox: Kind = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the box; `sandbox list` shows it.")] = False,
    at: Annotated[str, typer.Option("--at", metavar="REV", help="The commit whose files are in the box.")] = "HEAD",
    network: Annotated[
        str | None, typer.Option("--network", metavar="none|HOST,…", help="Host names that are open; none closes all.")
    ] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="Total time.")] = None,
    stall: Annotated[float | None, typer.Option("--stall", min=0.1, metavar="SECONDS", help="Longest silence.")] = None,
    memory: Annotated[int | None, typer.Option("--memory", min=16, metavar="MB", help="Memory in MiB.")] = None,
    interactive: Annotated[bool, typer.Option("--interactive", "-i", help="Hand stdin to the command.")] = False,
    i_accept_no_isolation: NoIsolation = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a command in a sandbox exactly as a task would.

    Exits with the command's own code, 128 + signal, or 124 at a limit.
    """
    from switchyard.wiring import BoxOptions, run_in_box

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    stdin = sys.stdin.buffer.read() if interactive else b""
    options = BoxOptions(
        tuple(command), at, network, timeout, stall, memory, keep, i_accept_no_isolation, stdin, os.environ
    )
    boxed = run_in_box(_open(repo, sandbox), options, None if as_json else _pass_through)
    if as_json:
        output.document(boxed.as_json(keep))
    else:
        _tell_rest(output, boxed.box if keep else "", boxed.findings, boxed.finished.limit)
    raise typer.Exit(boxed.exit_code)


@app.command()
def probe(
    sandbox: Kind = None, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Show what this machine enforces, and what would help."""
    lines = _driver(repo, sandbox).probe()
    document = {
        "schema": "switchyard.probe/1",
        "enforced": [
            {"name": line.name, "enforced": line.enforced, "how": line.how, "hint": line.hint} for line in lines
        ],
    }
    rows = [(line.name, "yes" if line.enforced else "NO", line.how, line.hint) for line in lines]
    columns = ("what", "enforced", "how", "what would help")
    Output(as_json=as_json, quiet=quiet, verbose=verbose).table(document, columns, rows)


@app.command("list")
def list_boxes(
    sandbox: Kind = None, repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """List live boxes and orphans."""
    from switchyard.workflow.boxing import describe_boxes

    document = describe_boxes(_driver(repo, sandbox))
    found = document["sandboxes"]
    assert isinstance(found, list)
    rows = [(box["id"], box["kind"], box["task"] or "", box["state"], box["since"]) for box in found]
    columns = ("id", "kind", "task", "state", "since")
    Output(as_json=as_json, quiet=quiet, verbose=verbose).table(document, columns, rows, empty="no sandboxes")


@app.command()
def reap(
    sandbox: Kind = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove kept and running boxes too.")] = False,
    repo: Repo = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Remove orphans and boxes past their time."""
    driver = _driver(repo, sandbox)
    removed = list(driver.reap())
    for box in driver.list() if everything else ():
        driver.destroy(box.id)
        removed.append(box.id)
    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    output.document({"schema": "switchyard.reap/1", "removed": removed}, "\n".join(removed))
    if not removed:
        output.note("nothing to remove")


def _open(repo: Path | None, kind: str | None) -> Workspace:
    from switchyard.cli.workspace import open_workspace

    return open_workspace(repo, overrides={"sandbox.kind": kind}, must_be_configured=False)


def _driver(repo: Path | None, kind: str | None) -> Driver:
    from switchyard.wiring import open_driver

    return open_driver(_open(repo, kind), accept_no_isolation=True)


def _pass_through(chunk: Chunk) -> None:
    """The command's bytes as they are: this is its output, not ours."""
    stream = sys.stdout.buffer if chunk.stream == "stdout" else sys.stderr.buffer
    stream.write(chunk.data)
    stream.flush()


def _tell_rest(output: Output, kept: str, findings: object, limit: str | None) -> None:
    from switchyard_sandbox import Finding

    assert isinstance(findings, tuple)
    for finding in findings:
        assert isinstance(finding, Finding)
        output.note(f"finding: {finding.path!r}: {finding.kind}: {finding.detail}")
    if limit:
        output.note(f"ended by the {limit} limit")
    if kept:
        output.note(f"kept {kept} (`switchyard sandbox list`)")
