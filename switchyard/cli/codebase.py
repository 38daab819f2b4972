"""The tree that a `context` command looks at, and what its user should know about how it was read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from switchyard.cli.render import Output
from switchyard.cli.workspace import open_workspace

if TYPE_CHECKING:
    from switchyard_context import Codebase

At = Annotated[str | None, typer.Option("--at", metavar="REV", help="Read this revision. Default: the work tree.")]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="GLOB", help="Look only at such source files. Default: context.include."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="Leave such files out. Default: context.exclude."),
]


def read_codebase(
    repo: Path | None, at: str | None, include: Sequence[str] | None, exclude: Sequence[str] | None, output: Output
) -> Codebase:
    """Read a tree as the options and the configuration say; what could not be read is counted on stderr."""
    from switchyard_context import open_codebase, open_source

    workspace = open_workspace(repo, must_be_configured=False)
    config = workspace.config.context
    codebase = open_codebase(
        open_source(repo if repo is not None else Path.cwd(), at, workspace.repository),
        workspace.places.cache,
        include=config.include if include is None else include,
        exclude=config.exclude if exclude is None else exclude,
    )
    for text in codebase.warnings:
        output.warning(text)
    if codebase.problems:
        output.note(f"files of which little or nothing is known: {len(codebase.problems)} (--verbose lists them)")
    for path, problem in codebase.problems.items():
        output.detail(f"{path}: {problem}")
    return codebase
