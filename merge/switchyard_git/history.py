"""Questions about commits: ancestry, what changed, and what was written in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from switchyard_git.errors import UnknownRevision
from switchyard_git.objects import read_objects
from switchyard_git.plumbing import Plumbing, decode, fields
from switchyard_git.values import Change, Commit, CommitSha, ObjectSha, Signature, TreeSha

_IDENTITY = re.compile(r"^(.*?) ?<([^>]*)> (-?\d+) [+-]\d{4}$")
_STABLE_DIFF = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--no-color")
_RENAME_LIMIT = 200


@dataclass(frozen=True)
class History(Plumbing):
    """Verbs over commits."""

    def has_commit(self, sha: str) -> bool:
        """Whether the commit is in the object database here."""
        return not sha.startswith("-") and self._run("cat-file", "-e", f"{sha}^{{commit}}").code == 0

    def missing_commits(self, commits: Sequence[CommitSha]) -> list[CommitSha]:
        """Those of the commits that are not in the object database here, in one process."""
        wanted = list(dict.fromkeys(commits))
        if not wanted:
            return []
        request = "".join(f"{commit}^{{commit}}\n" for commit in wanted).encode()
        answers = self._ask("cat-file", "--batch-check=%(objecttype)", stdin=request).decode().splitlines()
        return [commit for commit, answer in zip(wanted, answers, strict=True) if answer != "commit"]

    def is_ancestor(self, ancestor: CommitSha, descendant: CommitSha) -> bool:
        """Whether `descendant` holds `ancestor`; a commit is its own ancestor."""
        result = self._run("merge-base", "--is-ancestor", ancestor, descendant)
        if result.code not in (0, 1):
            raise self._unknown((ancestor, descendant))
        return result.code == 0

    def merge_bases(self, one: CommitSha, other: CommitSha) -> list[CommitSha]:
        """The best common ancestors; several after a criss-cross, none for unrelated histories."""
        return self._bases("--all", (one, other))

    def common_base(self, commits: Sequence[CommitSha]) -> CommitSha | None:
        """A best commit that every one of them holds; None where there is none."""
        return next(iter(self._bases("--octopus", commits)), None)

    def ancestry(self, heads: Sequence[CommitSha], *exclude: CommitSha) -> dict[CommitSha, tuple[CommitSha, ...]]:
        """Every commit that a head holds and none of `exclude` does, with its parents."""
        request = "".join(f"{head}\n" for head in heads) + "".join(f"^{commit}\n" for commit in exclude)
        listing = self._ask("rev-list", "--parents", "--stdin", stdin=request.encode()).decode()
        rows = (line.split() for line in listing.splitlines())
        return {CommitSha(row[0]): tuple(CommitSha(parent) for parent in row[1:]) for row in rows}

    def changes(self, before: str, after: str, *, renames: bool = False) -> list[Change]:
        """What differs between two commits or trees, by path; submodules are never looked into."""
        found = "--find-renames" if renames else "--no-renames"
        trees = (self.tree_of(before), self.tree_of(after))
        return parse_changes(fields(self._ask("diff-tree", "-r", "-z", "--raw", *_STABLE_DIFF, found, *trees)))

    def touched(self, commits: Iterable[CommitSha], *, renames: bool = False) -> dict[CommitSha, list[Change]]:
        """What each commit changes against each parent, in one process.

        Args:
            renames: Pair what was removed with what was added alike, where few enough files moved at once; otherwise
                a rename is a removal and an addition.
        """
        request = "".join(f"{commit}\n" for commit in commits).encode()
        found = ("--find-renames", f"-l{_RENAME_LIMIT}") if renames else ("--no-renames",)
        flags = ("--stdin", "--root", "-m", "-r", "-z", "--raw", *found, *_STABLE_DIFF)
        changes: dict[CommitSha, list[Change]] = {}
        for commit, items in _by_commit(fields(self._ask("diff-tree", *flags, stdin=request))):
            changes.setdefault(commit, []).extend(parse_changes(items))
        return changes

    def patch(self, before: str, after: str, *, max_bytes: int) -> bytes:
        """The difference as a patch that `git apply` takes, binary files included; cut after `max_bytes`."""
        trees = (self.tree_of(before), self.tree_of(after))
        flags = ("-r", "-p", "--binary", "--full-index", "--no-renames", *_STABLE_DIFF)
        result = self._run("diff-tree", *flags, *trees, limit_bytes=max_bytes)
        if result.code and not result.truncated:
            raise self._failed(("diff-tree",), result)
        return result.stdout

    def patch_ids(self, commits: Iterable[CommitSha]) -> dict[CommitSha, str]:
        """What identifies each commit's change wherever it is applied; merges and empty commits have none."""
        request = "".join(f"{commit}\n" for commit in commits).encode()
        flags = ("--stdin", "-r", "-p", "--binary", "--full-index", "--no-renames", *_STABLE_DIFF)
        answer = self._ask("patch-id", "--stable", stdin=self._ask("diff-tree", *flags, stdin=request)).decode("ascii")
        rows = (line.split() for line in answer.splitlines())
        return {CommitSha(commit): identity for identity, commit in rows}

    def first_parent_log(self, revision: str, *, limit: int, exclude: CommitSha | None = None) -> list[Commit]:
        """The commits along first parents, newest first."""
        request = f"{self.resolve(revision)}\n" + (f"^{exclude}\n" if exclude else "")
        flags = ("--first-parent", f"--max-count={limit}", "--stdin")
        return self.read_commits(
            [CommitSha(sha) for sha in self._ask("rev-list", *flags, stdin=request.encode()).decode().split()]
        )

    def recent(self, revision: str, *, limit: int) -> list[CommitSha]:
        """The newest commits that the revision holds, merges left out, newest first."""
        flags = ("--no-merges", f"--max-count={limit}", "--stdin")
        listing = self._ask("rev-list", *flags, stdin=f"{self.resolve(revision)}\n".encode())
        return [CommitSha(sha) for sha in listing.decode().split()]

    def read_commits(self, commits: Sequence[CommitSha]) -> list[Commit]:
        """Commits as they were written, in the order asked for."""
        return [
            _parse_commit(CommitSha(sha), content.decode("utf-8", "replace"))
            for sha, content in read_objects(self._ask, [ObjectSha(sha) for sha in commits], self.git_dir)
        ]

    def _bases(self, kind: str, commits: Sequence[CommitSha]) -> list[CommitSha]:
        result = self._run("merge-base", kind, *commits)
        if result.code not in (0, 1):
            raise self._unknown(commits)
        return [CommitSha(sha) for sha in result.stdout.decode().split()]

    def _unknown(self, commits: Sequence[CommitSha]) -> UnknownRevision:
        missing = [sha for sha in commits if not self.has_commit(sha)]
        return UnknownRevision(missing[0] if missing else " ".join(commits), self.git_dir)


def parse_changes(items: Sequence[bytes]) -> list[Change]:
    """The changes in the raw, NUL-separated form of `git diff-tree`."""
    changes = []
    rest = iter(items)
    for header in rest:
        old_mode, new_mode, old_sha, new_sha, status = header.decode("ascii").lstrip(":").split()
        old_path = path = decode(next(rest))
        if status[0] in "RC":
            path = decode(next(rest))
        changes.append(Change(status[0], path, old_path, old_mode, new_mode, ObjectSha(old_sha), ObjectSha(new_sha)))
    return changes


def _by_commit(items: Sequence[bytes]) -> Iterable[tuple[CommitSha, list[bytes]]]:
    """Cut the answer to many commits where an id stands in place of a change."""
    commit, batch = CommitSha(""), list[bytes]()
    rest = iter(items)
    for item in rest:
        if item.startswith(b":"):
            batch += (item, next(rest))
            if item.split()[-1][:1] in (b"R", b"C"):
                batch.append(next(rest))
            continue
        if batch:
            yield commit, batch
        commit, batch = CommitSha(item.decode("ascii")), []
    if batch:
        yield commit, batch


def _parse_commit(sha: CommitSha, content: str) -> Commit:
    head, _, message = content.partition("\n\n")
    lines = [line.partition(" ") for line in head.split("\n") if not line.startswith(" ")]
    values = {name: value for name, _, value in lines}
    return Commit(
        sha=sha,
        tree=TreeSha(values["tree"]),
        parents=tuple(CommitSha(value) for name, _, value in lines if name == "parent"),
        author=_parse_identity(values["author"]),
        committer=_parse_identity(values["committer"]),
        message=message,
    )


def _parse_identity(line: str) -> Signature:
    match = _IDENTITY.match(line)
    return Signature(match[1], match[2], int(match[3])) if match else Signature(line, "", 0)
