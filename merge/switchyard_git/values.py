"""The values that the git wrapper takes and returns: names, updates, changes and the outcome of a merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

CommitSha = NewType("CommitSha", str)
TreeSha = NewType("TreeSha", str)
ObjectSha = NewType("ObjectSha", str)
"""Any object: a blob, or the commit of a submodule."""
RefName = NewType("RefName", str)
"""A full name such as `refs/heads/main`."""

SUBMODULE_MODE = "160000"
SYMLINK_MODE = "120000"
FILE_MODE = "100644"
EXECUTABLE_MODE = "100755"


@dataclass(frozen=True)
class Signature:
    """Who made a commit, and when; always written in UTC, so that the same values give the same commit id."""

    name: str
    email: str
    timestamp: int
    """Seconds since the epoch."""


@dataclass(frozen=True)
class RefUpdate:
    """Move one ref from `expected` to `new`."""

    ref: RefName
    new: CommitSha | None
    """None deletes the ref."""
    expected: CommitSha | None
    """None means that the ref must not exist yet."""


@dataclass(frozen=True)
class Change:
    """One path that differs between two trees. Paths that are not UTF-8 carry surrogate escapes."""

    status: str
    """git's letter: A, D, M, T (type changed), R (renamed), C (copied)."""
    path: str
    old_path: str
    """Differs from `path` for a rename or a copy only."""
    old_mode: str
    """`000000` where the path did not exist."""
    new_mode: str
    old_sha: ObjectSha
    new_sha: ObjectSha


@dataclass(frozen=True)
class TreeEntry:
    """One file, symbolic link or submodule of a tree."""

    path: str
    mode: str
    sha: ObjectSha
    size_bytes: int | None = None
    """None for a submodule, and where sizes were not asked for."""


@dataclass(frozen=True)
class Commit:
    """A commit as it was written."""

    sha: CommitSha
    tree: TreeSha
    parents: tuple[CommitSha, ...]
    author: Signature
    committer: Signature
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True)
class MergeMessage:
    """One thing that git says about a merge; `kind` is stable across versions, such as `CONFLICT (modify/delete)`."""

    paths: tuple[str, ...]
    kind: str
    text: str

    @property
    def is_conflict(self) -> bool:
        """Whether this is a conflict; the rest is information, such as `Auto-merging`."""
        return self.kind.startswith("CONFLICT")


@dataclass(frozen=True)
class Merged:
    """A merge without conflicts, as the tree it gives."""

    tree: TreeSha


@dataclass(frozen=True)
class Conflicted:
    """A merge that needs a person."""

    paths: tuple[str, ...]
    messages: tuple[MergeMessage, ...]


@dataclass(frozen=True)
class RemoteBranch:
    """The branch that a remote's HEAD names, with its commit."""

    name: str
    sha: CommitSha
