"""Makes a working clone of a repository that lies on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from switchyard_git.errors import GitError
from switchyard_git.plumbing import LOCAL_TIMEOUT_S
from switchyard_git.process import Settings, clean_environment, git_argv, run


def clone(source: Path, target: Path, *, branch: str, remote: str = "origin") -> None:
    """Clone `source` to `target`, an empty or absent folder, with `branch` checked out; nobody's settings apply.

    Raises:
        GitError: `source` is no repository or lacks the branch, or `target` holds something.
    """
    arguments = (
        "clone",
        "--quiet",
        f"--origin={remote}",
        f"--branch={branch}",
        "--",
        str(source.absolute()),
        str(target.absolute()),
    )
    result = run(
        git_argv(arguments, Settings.NONE),
        cwd=source,
        env=clean_environment(os.environ, Settings.NONE),
        timeout_s=LOCAL_TIMEOUT_S,
    )
    if result.code:
        raise GitError(
            f"{source} could not be cloned to {target}: {result.stderr.strip()}", hint="choose an empty folder"
        )
