"""A tree to read: a working tree as it lies on disk, or any revision straight from the object database."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from switchyard_git import SYMLINK_MODE, GitError, NotARepository, ObjectSha, Repository
from switchyard_git import InvalidName as InvalidGitName
from switchyard_git import UnknownRevision as UnknownGitRevision

from switchyard_context.errors import NoRepository, SourceUnreadable, UnknownRevision
from switchyard_context.languages.contract import parents_of
from switchyard_context.parser import blob_id, read_file

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

    @property
    def root(self) -> Path | None:
        """The folder where the files lie; None where they have to be streamed."""

    def stream(self, paths: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        """Contents as `git cat-file --batch` writes them, for a process that reads them in this order."""

    def read(self, path: str) -> bytes:
        """A file's content; empty for a file that has vanished or can't be read."""

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(path, content) in the order given."""


def open_source(repo_path: Path, revision: str | None = None, repository: Repository | None = None) -> Source:
    """Open a tree for reading; nothing in the repository is written, and nothing of it runs.

    For a working tree, git applies the filters that the repository's own configuration names, as `git status` does.

    Args:
        repo_path: A repository, a folder inside one, or a bare repository.
        revision: Anything that names a commit; None reads the working tree (HEAD in a bare repository).
        repository: The same repository, where it is open already.

    Raises:
        NoRepository: There is no git repository.
        UnknownRevision: The revision names no commit here.
        SourceUnreadable: git refuses the repository.
    """
    try:
        repository = repository or Repository.open(repo_path)
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
    root: None = None

    def stream(self, paths: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        return self.repository.stream_blobs([ObjectSha(self.blobs[path]) for path in paths])

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
    blobs, links = _split(repository.list_entries(commit))
    contents = repository.read_blobs([ObjectSha(sha) for sha in links.values()]) if links else ()
    aims = {path: os.fsdecode(content) for path, (_, content) in zip(links, contents, strict=True)}
    return RevisionSource(repository, str(commit), blobs, _inner_links(aims, blobs), frozenset(blobs))


@dataclass(frozen=True)
class WorktreeSource:
    """The working tree: tracked files, and untracked ones that are not ignored."""

    repository: Repository
    revision: str
    blobs: dict[str, str]
    links: dict[str, str]
    paths: frozenset[str] = field(repr=False)
    root: Path

    def stream(self, paths: Sequence[str]) -> AbstractContextManager[IO[bytes]]:
        raise NotImplementedError("the files of a work tree are read where they lie")

    def read(self, path: str) -> bytes:
        return read_file(self.root, path) or b"" if path in self.blobs else b""

    def read_many(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            if path in self.blobs:
                yield path, self.read(path)


def _open_worktree(repository: Repository, root: Path) -> WorktreeSource:
    blobs, links = _split(repository.list_index())
    head, changed = repository.survey()
    commit = head or ""
    digits = len(commit) or 40
    for path in changed:
        if changed[path]:
            blobs.pop(path, None)
            links.pop(path, None)
            place = root / path
            if _is_behind_link(root, path):
                continue
            if place.is_symlink():
                links[path] = ""
            elif (content := read_file(root, path)) is not None or place.is_file():
                blobs[path] = blob_id(content or b"", digits)
    revision = f"{commit}+dirty" if changed and commit else commit
    aims = {path: _aim_of(root / path) for path in links}
    sorted_blobs = dict(sorted(blobs.items()))
    return WorktreeSource(repository, revision, sorted_blobs, _inner_links(aims, blobs), frozenset(blobs), root)


def _split(entries: Iterable[tuple[str, str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """(files, symbolic links), each path → object id, sorted by path."""
    ordered = sorted(entries)
    blobs = {path: sha for path, mode, sha in ordered if mode in _FILE_MODES}
    return blobs, {path: sha for path, mode, sha in ordered if mode == SYMLINK_MODE}


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


def _is_behind_link(root: Path, path: str) -> bool:
    """Whether a folder above the file has become a link: git calls such a file deleted, wherever the link leads."""
    return any((root / folder).is_symlink() for folder in parents_of(path) if folder)


def _aim_of(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    return ""
