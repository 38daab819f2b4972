"""What the factory remembers of a stack: where each branch stood, and on what, kept as one ref that holds it all.

A restack needs the old tip of a parent that was amended, squashed or deleted since. The record is the message of a
commit whose parents are the commits it names: as long as the ref is there, git keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from pydantic import TypeAdapter
from switchyard_git import CommitSha, Repository

from switchyard_merge.notes import load_note, save_note

_REFS = "refs/switchyard/stacks/"


@dataclass(frozen=True)
class Stand:
    """One branch at one time."""

    tip: CommitSha
    floor: CommitSha
    """What its own commits begin on: the base, a parent's tip, or the join of several."""
    grounds: tuple[CommitSha, ...]
    """The commits that the floor is, or joins."""
    parents: tuple[str, ...] = ()
    """The branches among the grounds; the rest is the base."""


@dataclass(frozen=True)
class RecordedBranch:
    """One branch of the stack. Where the remote's branch is tells which stand holds."""

    stands: tuple[Stand, ...]
    """Oldest first; the last is the one that was aimed at, and the only one while nothing is on its way."""
    join: str = ""
    """The branch that its join is pushed to, when it stands on several."""
    reopening: bool = False
    """Its pull request was closed with its base's branch, and is about to be opened again."""
    closing: bool = False
    """Nothing of it was left, so its pull request is about to be closed: that is no person's no."""
    given_up: bool = False
    """Its pull request was seen closed while its base was there: a person did that, whatever becomes of the base."""
    source: str = ""
    """The commit of a person's own branch that was published last; empty: it is none of theirs."""
    source_floor: str = ""
    """What that commit stood on in the person's repository."""
    is_shared: bool = False
    """Whether somebody pushed to it since it was last taken from the person's own branch."""

    @property
    def aim(self) -> Stand:
        """Where it is, or is about to be."""
        return self.stands[-1]


@dataclass(frozen=True)
class StackRecord:
    """One stack."""

    name: str
    base: str
    """The branch that it stands on."""
    branches: Mapping[str, RecordedBranch] = field(default_factory=dict)
    """Parents before children."""

    @classmethod
    def load(cls, repository: Repository, name: str) -> tuple[Self, CommitSha] | None:
        """The record, with the version that `save` compares; None where there is none."""
        found = load_note(repository, _REFS + name)
        return (TypeAdapter(cls).validate_json(found[0]), found[1]) if found else None

    def save(self, repository: Repository, expected: CommitSha | None) -> CommitSha:
        """Put it in place of the version that was loaded; None: of none.

        Raises:
            RefMoved: Somebody else saved in between.
        """
        stands = [stand for branch in self.branches.values() for stand in branch.stands]
        commits = [sha for stand in stands for sha in (stand.tip, stand.floor, *stand.grounds)]
        sources = [sha for branch in self.branches.values() for sha in (branch.source, branch.source_floor)]
        commits += [CommitSha(sha) for sha in sources if sha]
        document = TypeAdapter(StackRecord).dump_json(self, indent=1).decode()
        return save_note(repository, _REFS + self.name, document, expected, keeps=commits)

    def with_branches(self, changed: Mapping[str, RecordedBranch]) -> StackRecord:
        """The record with branches changed or added at its end."""
        return replace(self, branches={**self.branches, **changed})


def recorded_stacks(repository: Repository) -> dict[str, StackRecord]:
    """Every stack that is remembered, by name."""
    names = sorted(ref.removeprefix(_REFS) for ref in repository.refs(_REFS.rstrip("/")))
    loaded = {name: StackRecord.load(repository, name) for name in names}
    return {name: found[0] for name, found in loaded.items() if found}
