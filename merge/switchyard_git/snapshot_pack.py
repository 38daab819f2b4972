"""A commit for a repository that has none of its history: one pack with the commit, its trees and its files."""

from __future__ import annotations

import os
from pathlib import Path

from switchyard_git.errors import GitError
from switchyard_git.plumbing import LOCAL_TIMEOUT_S
from switchyard_git.process import Settings, clean_environment, git_argv, run
from switchyard_git.repository import Repository
from switchyard_git.values import CommitSha


def pack_snapshot(source: Repository, commit: CommitSha, pack: Path, *, beside: CommitSha | None = None) -> None:
    """Write what a repository lacks to check `commit` out; nothing of what led to it.

    Args:
        beside: A commit whose own snapshot the repository has already.

    Raises:
        GitError: A commit is missing.
    """
    wanted = _objects(source, commit)
    if beside is not None:
        known = set(_objects(source, beside))
        wanted = [sha for sha in wanted if sha not in known]
    pack.write_bytes(_git(source, ("pack-objects", "--stdout", "-q"), b"".join(sha + b"\n" for sha in wanted)))


def _objects(source: Repository, commit: CommitSha) -> list[bytes]:
    """The commit, its trees and its files."""
    lines = _git(source, ("rev-list", "--objects", "--no-walk", "--end-of-options", commit)).splitlines()
    return [line.split(b" ", 1)[0] for line in lines]


def _git(source: Repository, words: tuple[str, ...], stdin: bytes = b"") -> bytes:
    result = run(
        git_argv((f"--git-dir={source.git_dir}", *words), Settings.NONE),
        cwd=source.git_dir,
        env=clean_environment(os.environ, Settings.NONE),
        timeout_s=LOCAL_TIMEOUT_S,
        stdin=stdin,
    )
    if result.code:
        said = result.stderr.strip() or f"exit {result.code}"
        raise GitError(f"git {words[0]} failed in {source.git_dir}: {said}", hint="run `git fsck` in the repository")
    return result.stdout
