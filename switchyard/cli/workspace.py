"""Where a command works: the repository around it, its configuration and its task files, opened once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchyard_git import Repository

    from switchyard.config import Config
    from switchyard.tasks import TaskStore


@dataclass(frozen=True)
class Workspace:
    """An opened repository and what people set for it."""

    repository: Repository
    config: Config

    @property
    def root(self) -> Path:
        """The top of the work tree; of a bare repository, its own folder."""
        return self.repository.worktree or self.repository.git_dir

    def shown(self, path: Path) -> str:
        """A path as people should see it: from the top of the work tree where it lies in there."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def tasks(self) -> TaskStore:
        """The task files.

        Raises:
            UsageError: There can be none here: the repository is bare, or its tasks are the forge's issues.
        """
        from switchyard.errors import UsageError
        from switchyard.tasks import TaskStore

        if self.config.tasks.source != "files":
            raise UsageError(
                f"tasks come from '{self.config.tasks.source}' here, not from files",
                hint='change them there, or set source = "files" under [tasks]',
            )
        if self.repository.worktree is None:
            raise UsageError(f"{self.root} is bare and task files lie in a work tree", hint="run this in a clone of it")
        return TaskStore(self.root / self.config.tasks.path)


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
    from switchyard_git import Repository

    from switchyard.config import CONFIG_NAME, load_config

    repository = Repository.open(repo if repo is not None else Path.cwd())
    root = repository.worktree or repository.git_dir
    config = load_config(root / CONFIG_NAME, environ=os.environ, overrides=overrides, must_exist=must_be_configured)
    return Workspace(repository, config)
