"""`switchyard mcp`: `context` and `discovered` as tools for agents."""

from __future__ import annotations

import typer

from switchyard.cli.options import AsJson, Quiet, Repo, Verbose


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(mcp)


def mcp(repo: Repo = None, as_json: AsJson = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Serve `context` and `discovered` to an agent over MCP.

    On standard input and output. Needs the extra `mcp`. A finding becomes a draft of the tracker.
    """
    from switchyard.cli.serving import file_draft, serve
    from switchyard.cli.workspace import open_workspace

    serve(repo, lambda finding: file_draft(finding, open_workspace(repo, must_be_configured=False).store().folder))
