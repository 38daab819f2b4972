"""The one git wrapper: git in a clean room, typed, with nothing of a repository able to run on the host."""

from switchyard_git.access import Access
from switchyard_git.errors import (
    GitError,
    GitTimeout,
    InvalidName,
    NotARepository,
    PushRejected,
    RefMoved,
    RemoteUnavailable,
    UnknownRevision,
    UnrelatedHistories,
    UntrustedRepository,
)
from switchyard_git.refs import checked_ref, is_valid_ref
from switchyard_git.repository import Repository
from switchyard_git.transport import without_password
from switchyard_git.values import (
    EXECUTABLE_MODE,
    FILE_MODE,
    SUBMODULE_MODE,
    SYMLINK_MODE,
    Change,
    Commit,
    CommitSha,
    Conflicted,
    Merged,
    MergeMessage,
    ObjectSha,
    RefName,
    RefUpdate,
    RemoteBranch,
    Signature,
    TreeEntry,
    TreeSha,
)

__all__ = [
    "EXECUTABLE_MODE", "FILE_MODE", "SUBMODULE_MODE", "SYMLINK_MODE", "Access", "Change", "Commit", "CommitSha",
    "Conflicted", "GitError", "GitTimeout", "InvalidName", "MergeMessage", "Merged", "NotARepository",
    "ObjectSha", "PushRejected", "RefMoved", "RefName", "RefUpdate", "RemoteBranch", "RemoteUnavailable",
    "Repository", "Signature", "TreeEntry", "TreeSha", "UnknownRevision", "UnrelatedHistories",
    "UntrustedRepository", "checked_ref", "is_valid_ref", "without_password",
]  # fmt: skip
