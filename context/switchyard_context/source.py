"""A tree to read: a working tree as it lies on disk, or any revision straight from the object database."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from switchyard_git import SYMLINK_MODE, GitError, NotARepository, ObjectSha, Repository
from switchyard_git import InvalidName as InvalidGitName
from switchyard_git import UnknownRevision as UnknownGitRevision

from switchyard_context.errors import NoRepository, SourceUnreadable, UnknownRevision

_FILE_MODES = ("100644", "100755", "100664")
_MAX_LINK_STEPS = 8


class Source(Protocol):
    """The files of one state of a repository; symbolic links and submodules are not among them."""

    @property
    def repository(self) -> Repository: ...

    @property
    def revision(self) -> str:
        """The commit id, with `+dirty` where the working tree differs from it; empty before the first commit."""

    @property
    def blobs(self) -> dict[str, str]:
        """Path → id of its content, sorted by path; the same content has the same id in every revision."""

    @property
    def links(self) -> dict[str, str]:
        """Symbolic link → the file of this tree that it leads to; links that lead elsewhere are left out."""

    @property
    def paths(self) -> frozenset[str]: ...

    def read(self, path: str) -> bytes:
        """A file's content; empty for a file that has vanished or can't be read."""

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(path, content) in the order given."""


def open_source(repo_path: Path, revision: str | None = None) -> Source:
    """Open a tree for reading; nothing in the repository is written, and nothing of it runs.

    Args:
        repo_path: A repository, a folder inside one, or a bare repository.
        revision: Anything that names a commit; None reads the working tree (HEAD in a bare repository).

    Raises:
        NoRepository: There is no git repository.
        UnknownRevision: The revision names no commit here.
        SourceUnreadable: git refuses the repository.
    """
    try:
        repository = Repository.open(repo_path)
        if revision is None and repository.worktree is not None:
            return _open_worktree(repository, repository.worktree)
        return _open_revision(repository, revision or "HEAD")
    except NotARepository as error:
        raise NoRepository(str(error), hint=error.hint) from error
    except (UnknownGitRevision, InvalidGitName) as error:
        raise UnknownRevision(str(error), hint=error.hint) from error
    except GitError as error:
        raise SourceUnreadable(str(error), hint=error.hint) from error


@dataclass(frozen=True)
class RevisionSource:
    """A commit, read from the object database."""

    repository: Repository
    revision: str
    blobs: dict[str, str]
    links: dict[str, str]
    paths: frozenset[str] = field(repr=False)

    def read(self, path: str) -> bytes:
        return next((content for _, content in self.read_many([path])), b"")

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        known = [path for path in paths if path in self.blobs]
        try:
            contents = self.repository.read_blobs([ObjectSha(self.blobs[path]) for path in known])
            for path, (_, content) in zip(known, contents, strict=True):
                yield path, content
        except GitError as error:
            hint = error.hint or "the clone lacks objects of this commit; fetch it whole, then retry"
            raise SourceUnreadable(f"an object of {self.revision} can't be read: {error}", hint=hint) from error


def _open_revision(repository: Repository, revision: str) -> RevisionSource:
    commit = repository.resolve(revision)
    entries = repository.list_tree(commit)
    blobs = {entry.path: str(entry.sha) for entry in entries if entry.mode in _FILE_MODES}
    links = [entry for entry in entries if entry.mode == SYMLINK_MODE]
    aims = dict(
        zip((entry.path for entry in links), repository.read_blobs([entry.sha for entry in links]), strict=True)
    )
    found = _inner_links({path: os.fsdecode(content) for path, (_, content) in aims.items()}, blobs)
    return RevisionSource(repository, str(commit), dict(sorted(blobs.items())), found, frozenset(blobs))


@dataclass(frozen=True)
class WorktreeSource:
    """The working tree: tracked files, and untracked ones that are not ignored."""

    repository: Repository
    root: Path
    revision: str
    blobs: dict[str, str]
    links: dict[str, str]
    paths: frozenset[str] = field(repr=False)

    def read(self, path: str) -> bytes:
        return _read_file(self.root / path) if path in self.blobs else b""

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            if path in self.blobs:
                yield path, _read_file(self.root / path)


def _open_worktree(repository: Repository, root: Path) -> WorktreeSource:
    try:
        commit = str(repository.resolve("HEAD"))
        committed = {entry.path: entry for entry in repository.list_tree(commit)}
    except UnknownGitRevision:
        commit, committed = "", {}
    dirty = frozenset(repository.dirty_paths())
    blobs: dict[str, str] = {}
    aims: dict[str, str] = {}
    for path in repository.worktree_files():
        entry = committed.get(path) if path not in dirty else None
        if entry is not None and entry.mode in _FILE_MODES:
            blobs[path] = str(entry.sha)
        elif (root / path).is_symlink():
            aims[path] = _aim_of(root / path)
        elif entry is None:
            blobs[path] = _blob_id(_read_file(root / path))
    revision = f"{commit}+dirty" if dirty and commit else commit
    return WorktreeSource(repository, root, revision, blobs, _inner_links(aims, blobs), frozenset(blobs))


def _inner_links(aims: Mapping[str, str], files: Collection[str]) -> dict[str, str]:
    """Links to files of the tree, followed by name alone: the file system is never asked where a link leads."""
    found: dict[str, str] = {}
    for link in aims:
        path = link
        for _ in range(_MAX_LINK_STEPS):
            if path not in aims:
                break
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), aims[path]))
        if path in files:
            found[link] = path
    return found


def _read_file(path: Path) -> bytes:
    """Without following a link: what a link points at may lie outside of the repository."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()
    return b""


def _aim_of(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    return ""


def _blob_id(content: bytes) -> str:
    """git's own id, so that facts of a file are still known once it is committed."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
