"""What switchyard_git raises: one root, each error with the values it is about and a hint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from switchyard_git.values import RefName


class GitError(Exception):
    """Root of what switchyard_git raises.

    NotARepository, UntrustedRepository, UnknownRevision, InvalidName, UnrelatedHistories, RefMoved,
    PushRejected, RemoteUnavailable, GitTimeout.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NotARepository(GitError):
    """No git repository at the path or above it."""

    def __init__(self, path: Path, *, hint: str = "run this inside a git repository, or run `git init` first") -> None:
        super().__init__(f"{path} is not in a git repository", hint=hint)
        self.path = path


class UntrustedRepository(GitError):
    """The repository belongs to somebody else, or its configuration would run programs."""

    def __init__(self, path: Path, reason: str, *, hint: str) -> None:
        super().__init__(f"{path} is not to be trusted: {reason}", hint=hint)
        self.path = path
        self.reason = reason


class UnknownRevision(GitError):
    """A name that leads to no object in this repository."""

    def __init__(self, revision: str, where: Path | str, *, hint: str = "") -> None:
        super().__init__(
            f"{revision!r} is no revision of {where}",
            hint=hint or "check the spelling, or fetch it first; a shallow clone may lack it (`git fetch --unshallow`)",
        )
        self.revision = revision


class InvalidName(GitError):
    """A name that git does not accept for a ref, a remote or a URL."""


class UnrelatedHistories(GitError):
    """Two commits have no common ancestor here, so there is nothing to merge on."""


class RefMoved(GitError):
    """A ref was not where the caller expected it; nothing was changed."""

    def __init__(
        self, message: str, *, refs: tuple[RefName, ...], hint: str = "read the refs again, then retry"
    ) -> None:
        super().__init__(message, hint=hint)
        self.refs = refs


class PushRejected(GitError):
    """The other side refused refs; with `atomic` no ref moved.

    `refs` are those that caused it, `reasons` what was said of each ref, the innocent ones of an atomic push included.
    """

    def __init__(self, target: str, refs: tuple[RefName, ...], reasons: Mapping[RefName, str], said: str = "") -> None:
        told = ", ".join(f"{ref} ({reasons[ref]})" for ref in refs)
        super().__init__(
            f"{target} refused {told}{': ' if said else ''}{said}",
            hint="somebody moved the branch (fetch and look), or a rule of the remote protects it",
        )
        self.refs = refs
        self.reasons = dict(reasons)


class RemoteUnavailable(GitError):
    """The remote could not be reached, or did not let us in."""


class GitTimeout(GitError):
    """git took longer than it was given; its process group was killed."""
