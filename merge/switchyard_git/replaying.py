"""Commits put elsewhere on objects alone: what a commit changed, merged into another tree, under its own author.

git 2.39 has neither `merge-tree --merge-base` nor `git replay`; a commit that exists only for the merge gives it the
right ancestor.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_git.errors import UnrelatedHistories
from switchyard_git.merging import Merging
from switchyard_git.objects import read_objects
from switchyard_git.values import CommitSha, Conflicted, Merged, ObjectSha, TreeSha

_NOBODY = b"author switchyard <switchyard@localhost> 0 +0000\ncommitter switchyard <switchyard@localhost> 0 +0000\n\n"
_SIGNATURES = (b"gpgsig", b"gpgsig-sha256", b"mergetag")


@dataclass(frozen=True)
class WrittenCommit:
    """A commit as its bytes stand in the object database."""

    sha: CommitSha
    tree: TreeSha
    parents: tuple[CommitSha, ...]
    rest: bytes
    """Author, committer, encoding and message to the byte; signatures, which no copy can keep, are left out."""

    def placed(self, tree: TreeSha, parent: CommitSha) -> bytes:
        """The same commit with another tree on another parent."""
        return _place(tree, (parent,)) + self.rest


@dataclass(frozen=True)
class Pick:
    """One commit to replay onto a tree; its first parent's tree is what it started from."""

    commit: WrittenCommit
    before: TreeSha
    onto: TreeSha

    @property
    def is_trivial(self) -> bool:
        """Whether it starts where it started: the outcome is its own tree, as any merge with one side unchanged."""
        return self.before == self.onto


@dataclass(frozen=True)
class Replaying(Merging):
    """Verbs that put commits elsewhere."""

    def read_written(self, commits: Sequence[CommitSha]) -> dict[CommitSha, WrittenCommit]:
        """Commits with everything that a copy keeps."""
        wanted = [ObjectSha(sha) for sha in dict.fromkeys(commits)]
        return {
            CommitSha(sha): _parse(CommitSha(sha), content)
            for sha, content in (read_objects(self._ask, wanted, self.git_dir) if wanted else ())
        }

    def write_commits(self, contents: Sequence[bytes]) -> list[CommitSha]:
        """Store many commits in one process, in the order given."""
        if not contents:
            return []
        with tempfile.TemporaryDirectory(prefix="switchyard-commits-") as folder:
            paths = [Path(folder) / str(number) for number in range(len(contents))]
            for path, content in zip(paths, contents, strict=True):
                path.write_bytes(content)
            request = "".join(f"{path}\n" for path in paths).encode()
            # Literally: a copy of what somebody wrote, which newer gits than 2.39 would want to be flawless.
            flags = ("-t", "commit", "-w", "--no-filters", "--literally", "--stdin-paths")
            written = self._ask("hash-object", *flags, stdin=request)
        return [CommitSha(sha) for sha in written.decode().split()]

    def replay(self, picks: Sequence[Pick]) -> list[Merged | Conflicted]:
        """Merge what each commit changed into the tree it is to stand on, in the order given.

        Raises:
            UnrelatedHistories: A commit has no parent, so what it changed is not known.
        """
        hard = [pick for pick in picks if not pick.is_trivial]
        for pick in hard:
            if not pick.commit.parents:
                raise UnrelatedHistories(
                    f"{pick.commit.sha} has no parent in {self.git_dir}", hint="fetch more history, or restack by hand"
                )
        sides = self.stand_ins([(pick.onto, pick.commit.parents[0]) for pick in hard])
        merged = iter(self.merge_trees([(side, pick.commit.sha) for side, pick in zip(sides, hard, strict=True)]))
        return [Merged(pick.commit.tree) if pick.is_trivial else next(merged) for pick in picks]

    def stand_ins(self, places: Sequence[tuple[TreeSha, CommitSha]]) -> list[CommitSha]:
        """Commits with a tree on a parent, which only merges see: they tell git what the tree came from."""
        return self.write_commits([_place(tree, (parent,)) + _NOBODY for tree, parent in places])


def commit_id(content: bytes, like: CommitSha) -> CommitSha:
    """The id that a commit gets when it is written, in the object format of another id."""
    digest = hashlib.sha256() if len(like) == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"commit %d\0" % len(content) + content)
    return CommitSha(digest.hexdigest())


def _place(tree: TreeSha, parents: Sequence[CommitSha]) -> bytes:
    return "".join([f"tree {tree}\n", *(f"parent {parent}\n" for parent in parents)]).encode("ascii")


def _parse(sha: CommitSha, content: bytes) -> WrittenCommit:
    head, _, message = content.partition(b"\n\n")
    kept: list[bytes] = []
    tree, parents, dropping = TreeSha(""), list[CommitSha](), False
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        # A header goes on for as long as its lines begin with a space.
        dropping = dropping if line.startswith(b" ") else name in _SIGNATURES
        if name == b"tree":
            tree = TreeSha(value.decode("ascii"))
        elif name == b"parent":
            parents.append(CommitSha(value.decode("ascii")))
        elif not dropping:
            kept.append(line)
    return WrittenCommit(sha, tree, tuple(parents), b"\n".join(kept) + b"\n\n" + message)
