"""The four options that every command takes, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Repo = Annotated[
    Path | None,
    typer.Option(
        "--repo", metavar="PATH", help="The repository to work on. Default: the one around the current folder."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout; a long run streams one object a line.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints on stderr.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")]


def complete_task(incomplete: str) -> list[str]:
    """Ids of tasks for the shell's completion; none where they cannot be read: a prompt is no place for errors."""
    from switchyard_git import GitError

    from switchyard.cli.workspace import open_workspace
    from switchyard.errors import SwitchyardError
    from switchyard.tasks.load import task_files

    try:
        folder = open_workspace(None, must_be_configured=False).store().folder
        return [file.stem for file in task_files(folder) if file.stem.startswith(incomplete)]
    except (GitError, SwitchyardError):
        return []
