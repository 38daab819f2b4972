"""Where a command works: the repository around it, opened with this process's environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchyard.cli.render import Output
    from switchyard.workspace import Workspace


def open_workspace(
    repo: Path | None, *, overrides: Mapping[str, object] | None = None, must_be_configured: bool = True
) -> Workspace:
    """Open the repository at `repo`, else the one around the current folder, and resolve its configuration.

    Args:
        repo: The `--repo` option.
        overrides: Flags that beat switchyard.toml, by dotted key; None values were not given.
        must_be_configured: Whether a missing switchyard.toml is an error.

    Raises:
        GitError: There is no repository, or it is not to be trusted.
        ConfigError: The configuration is wrong or missing.
    """
    from switchyard import workspace

    return workspace.open_workspace(repo, environ=os.environ, overrides=overrides, needs_config=must_be_configured)


def telling_waits(workspace: Workspace, output: Output) -> Workspace:
    """The same workspace, whose forge says on stderr when it is waited for."""
    from switchyard.cli.narration import describe_wait

    return replace(workspace, on_wait=lambda waiting: output.note(describe_wait(waiting.reason, waiting.seconds)))
