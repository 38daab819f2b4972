"""What checks said of trees, remembered so that no tree is checked twice and no verdict is used for another tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from pydantic import TypeAdapter
from switchyard_git import CommitSha, Repository, TreeSha

from switchyard_merge.notes import load_note, save_note

_REFS = "refs/switchyard/landings/"
_LONGEST_EVIDENCE = 4000
"""In characters; the end is kept, where most programs say what failed."""
_NEWEST = 500
"""How many verdicts, and moves of the base, are remembered."""


@dataclass(frozen=True)
class Verdict:
    """How a check of one tree ended. A check that could not be made raises instead."""

    passed: bool
    evidence: str = ""
    """What a person has to see of a red one."""


Checker = Callable[[CommitSha], Verdict]
"""Checks the tree of a commit that no ref names yet."""


@dataclass(frozen=True)
class Remembered:
    """What is known of a tree."""

    passed: bool
    reds: int = 0
    """How often it was red; one that passed in the end was flaky."""
    evidence: str = ""


@dataclass(frozen=True)
class Leftover:
    """A branch to delete once its pull request is merged."""

    number: int
    tip: CommitSha


@dataclass(frozen=True)
class Move:
    """The base was about to be moved from a commit to one with a tree that was green."""

    before: CommitSha
    tree: TreeSha


@dataclass(frozen=True)
class LandingRecord:
    """The journal of landing one stack."""

    name: str
    suite: str = ""
    """What the checks are; verdicts of another suite say nothing."""
    verdicts: Mapping[TreeSha, Remembered] = field(default_factory=dict)
    leftovers: Mapping[str, Leftover] = field(default_factory=dict)
    """By branch."""
    moves: tuple[Move, ...] = ()
    """Oldest first; one that was refused is among them."""

    @classmethod
    def load(cls, repository: Repository, name: str) -> tuple[Self, CommitSha] | None:
        """The journal, with the version that `save` compares; None where there is none."""
        found = load_note(repository, _REFS + name)
        return (TypeAdapter(cls).validate_json(found[0]), found[1]) if found else None

    def save(self, repository: Repository, expected: CommitSha | None) -> CommitSha:
        """Put it in place of the version that was loaded; None: of none.

        Raises:
            RefMoved: Somebody else is landing the same stack.
        """
        document = TypeAdapter(LandingRecord).dump_json(self, indent=1).decode()
        return save_note(repository, _REFS + self.name, document, expected)


@dataclass
class Journal:
    """The journal while it is written, and the checks whose verdicts it holds."""

    repository: Repository
    checker: Checker
    record: LandingRecord
    version: CommitSha | None
    runs: int = 0
    """How many checks were made since it was opened."""

    @classmethod
    def open(cls, repository: Repository, name: str, checker: Checker, *, suite: str = "") -> Self:
        """Go on with the journal of a stack, or begin one."""
        record, version = LandingRecord.load(repository, name) or (LandingRecord(name, suite), None)
        if record.suite != suite:
            record = replace(record, suite=suite, verdicts={})
        return cls(repository, checker, record, version)

    def note(self, record: LandingRecord) -> None:
        """Save what changed."""
        if record != self.record or self.version is None:
            self.version = record.save(self.repository, self.version)
            self.record = record

    def forget(self) -> None:
        """Have every tree checked again."""
        self.note(replace(self.record, verdicts={}))

    def known(self, commit: CommitSha) -> Remembered | None:
        """What is known of a commit's tree."""
        return self.record.verdicts.get(self.repository.tree_of(commit))

    def passes(self, commit: CommitSha) -> bool:
        """Whether a commit's tree is green; it is checked only if that is not known."""
        known = self.known(commit)
        return known.passed if known else self.check(commit)

    def check(self, commit: CommitSha) -> bool:
        """Check a commit's tree, known or not."""
        tree = self.repository.tree_of(commit)
        verdict = self.checker(commit)
        self.runs += 1
        verdicts = dict(self.record.verdicts)
        before = verdicts.pop(tree, None)
        reds = (before.reds if before else 0) + (not verdict.passed)
        verdicts[tree] = Remembered(verdict.passed, reds, verdict.evidence[-_LONGEST_EVIDENCE:])
        self.note(replace(self.record, verdicts=dict(list(verdicts.items())[-_NEWEST:])))
        return verdict.passed

    def note_landing(self, move: Move, leftovers: Mapping[str, Leftover]) -> None:
        """Save what is about to happen to the base, and the branches to delete after it."""
        # Said again by whoever goes on after a stop, it is no other move.
        known = self.record.moves
        moves = known if known[-1:] == (move,) else (*known, move)[-_NEWEST:]
        self.note(replace(self.record, moves=moves, leftovers={**self.record.leftovers, **leftovers}))

    def note_deleted(self, branches: Mapping[str, Leftover]) -> None:
        """Save that nothing is left to do about branches."""
        kept = {branch: it for branch, it in self.record.leftovers.items() if branch not in branches}
        self.note(replace(self.record, leftovers=kept))
