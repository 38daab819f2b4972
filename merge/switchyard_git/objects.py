"""Blobs, trees and commits, read and written in the object database without a worktree."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from switchyard_git.errors import GitError, InvalidName, UnknownRevision
from switchyard_git.plumbing import Plumbing, decode, encode, fields
from switchyard_git.values import SUBMODULE_MODE, CommitSha, ObjectSha, Signature, TreeEntry, TreeSha

_BATCH = 500


@dataclass(frozen=True)
class Objects(Plumbing):
    """Verbs over objects."""

    def list_tree(self, revision: str, *, sizes: bool = False) -> list[TreeEntry]:
        """Every file, link and submodule of a commit or tree, by path; submodules are not entered."""
        flags = ("-r", "-z", "--full-tree", *(("--long",) if sizes else ()))
        listing = self._ask("ls-tree", *flags, self.tree_of(revision))
        return [_parse_entry(entry) for entry in fields(listing)]

    def list_entries(self, commit: CommitSha) -> list[tuple[str, str, str]]:
        """(path, mode, object id) of all that `list_tree` lists, several times as fast: for trees of 100,000 files."""
        listing = decode(self._ask("ls-tree", "-r", "-z", "--full-tree", commit))
        # `<mode> <kind> <id>` TAB `<path>`; the mode has six digits.
        heads = [entry.partition("\t") for entry in listing.split("\0")[:-1]]
        return [(path, head[:6], head[head.rindex(" ") + 1 :]) for head, _, path in heads]

    def stream_blobs(self, blobs: Sequence[ObjectSha]) -> AbstractContextManager[IO[bytes]]:
        """The contents of blobs as `git cat-file --batch` writes them, for another process to read."""
        return self._stream("cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in blobs).encode())

    def read_blob(self, revision: str, path: str) -> bytes | None:
        """The content of a file at a commit; None where there is no file of that path."""
        tree = self.tree_of(revision)
        if not _is_plain(path):
            return None
        result = self._run("cat-file", "blob", encode(f"{tree}:{path}"))
        return None if result.code else result.stdout

    def read_blobs(self, blobs: Sequence[ObjectSha]) -> Iterator[tuple[ObjectSha, bytes]]:
        """The contents of many blobs in the order asked for, some hundreds at a time.

        Raises:
            UnknownRevision: One of them is not here.
        """
        rest = iter(blobs)
        while batch := list(islice(rest, _BATCH)):
            yield from read_objects(self._ask, batch, self.git_dir)

    def blob_sizes(self, blobs: Sequence[ObjectSha]) -> dict[ObjectSha, int]:
        """The sizes of blobs in bytes, without reading them.

        Raises:
            UnknownRevision: One of them is not here.
        """
        script = "".join(f"{sha}\n" for sha in blobs).encode()
        lines = self._ask("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=script).decode().splitlines()
        sizes = {}
        for blob, line in zip(blobs, lines, strict=True):
            _, _, size = line.partition(" ")
            if not size.isdigit():
                raise UnknownRevision(blob, self.git_dir)
            sizes[blob] = int(size)
        return sizes

    def write_blob(self, content: bytes) -> ObjectSha:
        """Store a content as it is; no line ending or filter is applied."""
        written = self._ask("hash-object", "-w", "-t", "blob", "--no-filters", "--stdin", stdin=content)
        return ObjectSha(written.decode().strip())

    def write_tree_from(self, base: TreeSha | None, updates: Mapping[str, tuple[str, ObjectSha] | None]) -> TreeSha:
        """The tree that has `updates` applied to `base`, through an index of its own.

        Args:
            base: None starts from nothing.
            updates: Mode and object of each path; None removes it. A file replaces a directory of its name, and the
                other way round.
        """
        if base is None and not updates:
            return TreeSha(self._ask("mktree").decode().strip())
        # update-index ends a removal with the id of nothing, whose length is that of the repository's ids.
        nothing = "0" * (len(base) if base else 40)
        _refuse_unstorable(updates)
        script = b"".join(
            (f"0 {nothing}\t" if change is None else f"{change[0]} {change[1]}\t").encode() + encode(path) + b"\0"
            for path, change in sorted(updates.items(), key=lambda item: item[0])
        )
        with tempfile.TemporaryDirectory(prefix="switchyard-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._ask("read-tree", *((base,) if base else ("--empty",)), env=env)
            flags = ("-z", "--add", "--replace", "--index-info")
            result = self._run("update-index", *flags, stdin=script, env=env)
            # git goes on without a path that it does not accept, and says so only here.
            if result.code or result.stderr:
                raise self._failed(("update-index",), result)
            return TreeSha(self._ask("write-tree", env=env).decode().strip())

    def commit_tree(
        self,
        tree: TreeSha,
        parents: Sequence[CommitSha],
        message: str,
        *,
        author: Signature,
        committer: Signature,
    ) -> CommitSha:
        """Write a commit; the same arguments give the same id."""
        flags = [part for parent in parents for part in ("-p", parent)]
        env = _identity("AUTHOR", author) | _identity("COMMITTER", committer)
        written = self._ask(
            "commit-tree", "--no-gpg-sign", *flags, "-F", "-", tree, stdin=message.encode("utf-8", "replace"), env=env
        )
        return CommitSha(written.decode().strip())

    def bundle(self, path: Path, revisions: Sequence[str]) -> None:
        """Write refs (and exclusions such as `^main`) with their history into one file."""
        self._ask("bundle", "create", "--quiet", str(path.absolute()), "--end-of-options", *revisions)


def read_objects(
    ask: Callable[..., bytes], shas: Sequence[ObjectSha], where: Path
) -> Iterator[tuple[ObjectSha, bytes]]:
    """Read objects in one `cat-file --batch`."""
    answer = ask("cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in shas).encode())
    position = 0
    for sha in shas:
        end = answer.index(b"\n", position)
        header = answer[position:end].split()
        if len(header) != 3:
            raise UnknownRevision(sha, where)
        size = int(header[2])
        yield sha, answer[end + 1 : end + 1 + size]
        position = end + 1 + size + 1


def _parse_entry(entry: bytes) -> TreeEntry:
    head, _, path = entry.partition(b"\t")
    mode, kind, sha, *size = head.decode("ascii").split()
    if kind not in ("blob", "commit"):
        raise GitError(f"a tree holds a {kind} at {decode(path)!r}", hint="run `git fsck`")
    known = size and mode != SUBMODULE_MODE
    return TreeEntry(decode(path), mode, ObjectSha(sha), int(size[0]) if known else None)


def _is_plain(path: str) -> bool:
    """Whether the path names one place below the root, so that git reads it as it stands."""
    return not {"", ".", ".."} & set(path.split("/"))


def _refuse_unstorable(paths: Iterable[str]) -> None:
    for path in paths:
        if not _is_plain(path) or "\0" in path:
            raise InvalidName(f"{path!r} is no path of a tree", hint="use a relative path without `.` and `..`")


def _identity(role: str, who: Signature) -> dict[str, str]:
    return {
        f"GIT_{role}_NAME": who.name,
        f"GIT_{role}_EMAIL": who.email,
        f"GIT_{role}_DATE": f"@{who.timestamp} +0000",
    }
