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
