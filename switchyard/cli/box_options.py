"""The options of all commands that make sandboxes: which kind, from what image, with what in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from switchyard.errors import UsageError

if TYPE_CHECKING:
    from switchyard.workspace import Workspace

Kind = Annotated[
    str | None,
    typer.Option(
        "--sandbox",
        metavar="KIND",
        help="embedded (this machine, no server), docker, daytona (a cloud), or none, which isolates nothing.",
    ),
]
Image = Annotated[
    str | None, typer.Option("--image", metavar="IMAGE", help="docker and daytona: what sandboxes are made from.")
]
NoIsolation = Annotated[
    bool, typer.Option("--i-accept-no-isolation", help="Needed with `--sandbox none`: commands run as you, unboxed.")
]
WorkspaceKind = Annotated[
    str | None,
    typer.Option(
        "--workspace", metavar="disk|memory|copy", help="embedded, docker: where commands write. Default: disk."
    ),
]
At = Annotated[str, typer.Option("--at", metavar="REV", help="The commit whose files are in the box.")]
Sparse = Annotated[
    list[str] | None,
    typer.Option("--sparse", metavar="PATH", help="Only this file or folder is in the box; more than once for more."),
]
Network = Annotated[
    str | None, typer.Option("--network", metavar="none|HOST,…", help="Host names that are open; none closes all.")
]
Memory = Annotated[int | None, typer.Option("--memory", min=16, metavar="MB", help="Memory in MiB.")]
_YEAR_S = 31_536_000
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0.1,
        max=_YEAR_S,
        metavar="SECONDS",
        help="Total time of the command; set-up has its own limit.",
    ),
]
Stall = Annotated[
    float | None, typer.Option("--stall", min=0.1, max=_YEAR_S, metavar="SECONDS", help="Longest silence.")
]
Interactive = Annotated[
    bool, typer.Option("--interactive", "-i", help="Hand stdin to the command; all of it is read first.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the box; `sandbox list` shows it.")]


def open_for_boxes(
    repo: Path | None,
    kind: str | None,
    *,
    image: str | None = None,
    workspace: str | None = None,
    network: str | None = None,
    needs_config: bool = False,
    others: Mapping[str, object] | None = None,
) -> Workspace:
    """Open the repository with these flags over its configuration.

    Args:
        others: Flags of other keys, by dotted key.

    Raises:
        ConfigError: The flags and the configuration don't fit together.
        UsageError: An image is named for a kind that has none, or `none` stands among hosts.
    """
    from switchyard.cli.workspace import open_workspace
    from switchyard.config.model import WITH_IMAGE

    flags = {
        "sandbox.kind": kind,
        "sandbox.image": image,
        "sandbox.workspace": workspace,
        "sandbox.network": _parse_network(network),
        **(others or {}),
    }
    opened = open_workspace(repo, overrides=flags, must_be_configured=needs_config)
    configured = opened.config.sandbox.kind
    if image and configured not in WITH_IMAGE:
        raise UsageError(
            f"--image: sandboxes of kind {configured!r} are made from no image",
            hint=f"add --sandbox {' or --sandbox '.join(WITH_IMAGE)}",
        )
    return opened


def _parse_network(text: str | None) -> list[str] | None:
    """`none` is no network; a list of host names opens them; None leaves it to the configuration."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if "none" in names and names != ["none"]:
        raise UsageError(f"--network {text}: 'none' stands alone", hint="name hosts, or `--network none`")
    return [name for name in names if name != "none"]
