"""`switchyard doctor`: whether this machine and this configuration can do the work."""

from __future__ import annotations

import os
from dataclasses import replace

import typer

from switchyard.cli.options import AsJson, Quiet, Repo, Verbose
from switchyard.cli.render import Output

COLUMNS = ("what", "", "found", "what would help")


def register(app: typer.Typer) -> None:
    """Hang the command on the root."""
    app.command()(doctor)


def doctor(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Say whether this machine and this configuration will do.

    Exits 1 when something required is missing.
    """
    from switchyard.canaries import doctor_lines
    from switchyard.cli.workspace import telling_waits
    from switchyard.config import CONFIG_NAME
    from switchyard.wiring import parts_of
    from switchyard.workflow.examining import configuration_line, doctor_document, examine
    from switchyard.workspace import inspect_workspace

    output = Output(as_json=as_json, quiet=quiet, verbose=verbose)
    workspace, fault = inspect_workspace(repo, environ=os.environ)
    workspace = telling_waits(workspace, output)
    parts = replace(parts_of(workspace, os.environ), verifiers=lambda: doctor_lines(workspace))
    looked = examine(workspace.repository, workspace.config, workspace.places, workspace.tasks, parts, os.environ)
    lines = [configuration_line(workspace.root / CONFIG_NAME, fault), *looked]
    rows = [
        (line.name, "ok" if line.ok else "MISSING" if line.required else "-", line.detail, line.hint.split("\n")[0])
        for line in lines
    ]
    output.table(doctor_document(lines), COLUMNS, rows)
    for line in lines:
        if "\n" in line.hint:
            output.text(f"\n{line.name}: {line.hint}")
    raise typer.Exit(0 if all(line.ok for line in lines if line.required) else 1)
