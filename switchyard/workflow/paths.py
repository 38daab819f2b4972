"""Paths as the factory writes them down: git stores any bytes, JSON and databases take text alone."""

from __future__ import annotations

from switchyard_git import CommitSha, Repository


def printable(path: str) -> str:
    """A path as valid UTF-8: bytes that are none stand as `\\xff`."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def paths_at(repository: Repository, commit: CommitSha) -> set[str]:
    """Every path of a commit, written as `AttemptResult.changed` writes them."""
    return {printable(entry.path) for entry in repository.list_tree(commit)}
