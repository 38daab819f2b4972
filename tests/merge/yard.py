"""A factory repository and an origin, with commits made of plain edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from switchyard_git import FILE_MODE, CommitSha, Repository, Signature

ADA = Signature("Ada", "ada@example.org", 1_700_000_000)
WHO = Signature("Switchyard", "switchyard@localhost", 0)
LONG = "".join(f"line {number}\n" for number in range(20))


@dataclass(frozen=True)
class Yard:
    """The factory repository with a first commit on `main`, and an origin that has it too."""

    factory: Repository
    origin: Repository
    base: CommitSha

    def commit(self, parent: CommitSha | None, edits: Mapping[str, str | None], *, at: int = 0) -> CommitSha:
        """A commit with edits on top of a parent; None removes a file."""
        updates = {
            path: None if text is None else (FILE_MODE, self.factory.write_blob(text.encode()))
            for path, text in edits.items()
        }
        tree = self.factory.write_tree_from(self.factory.tree_of(parent) if parent else None, updates)
        who = Signature(ADA.name, ADA.email, ADA.timestamp + at)
        return self.factory.commit_tree(tree, [parent] if parent else [], "edit\n", author=who, committer=who)

    def files(self, commit: CommitSha) -> dict[str, str]:
        """Every file of a commit."""
        entries = self.factory.list_tree(commit)
        contents = dict(self.factory.read_blobs([entry.sha for entry in entries]))
        return {entry.path: contents[entry.sha].decode() for entry in entries}

    def heads(self) -> dict[str, CommitSha]:
        """The factory's branches in the origin."""
        return {ref.removeprefix("refs/heads/"): sha for ref, sha in self.origin.refs("refs/heads/factory").items()}
