"""The gates that look at a change from the host: nothing of it is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from switchyard_git import SUBMODULE_MODE, CommitSha, ObjectSha, Repository
from switchyard_git import Change as GitChange

from switchyard.gates.change import MOST_BYTES, Change, ChangedFile
from switchyard.gates.convergence import judge_convergence
from switchyard.gates.weighing import states_of, weigh_change
from switchyard.packets import CheckResult, GateResult, PlannedTask, Proof
from switchyard.workflow.factory import Factory

_ABSENT = "000000"


def inspect_commit(factory: Factory, task: PlannedTask, base: CommitSha, commit: CommitSha) -> Proof:
    """What the gates on the host say of a commit against what the task's work started from."""
    change = read_change(factory.quarantine, base, commit)
    return Proof(gates=tuple(weigh_change(task, change, factory.config)))


def compare_attempts(
    factory: Factory, base: CommitSha, commits: Sequence[CommitSha], checks: Sequence[Sequence[CheckResult]]
) -> GateResult:
    """Whether the last attempt gets anywhere, by the commits of all and what the checks said of each."""
    changes = [read_change(factory.quarantine, base, commit) for commit in commits]
    return judge_convergence(states_of(changes), checks)


def read_change(repository: Repository, base: CommitSha, commit: CommitSha) -> Change:
    """Every path that differs between two commits, with its content on both sides."""
    changes = repository.changes(base, commit)
    blobs = sorted({sha for change in changes for sha in _blobs(change)})
    sizes = repository.blob_sizes(blobs) if blobs else {}
    contents = dict(repository.read_blobs([sha for sha in blobs if sizes[sha] <= MOST_BYTES]))
    return Change(tuple(_file(change, sizes, contents) for change in sorted(changes, key=lambda one: one.path)))


def _blobs(change: GitChange) -> list[ObjectSha]:
    sides = ((change.old_mode, change.old_sha), (change.new_mode, change.new_sha))
    return [sha for mode, sha in sides if mode not in (_ABSENT, SUBMODULE_MODE)]


def _file(change: GitChange, sizes: Mapping[ObjectSha, int], contents: Mapping[ObjectSha, bytes]) -> ChangedFile:
    return ChangedFile(
        path=change.path,
        before=contents.get(change.old_sha),
        after=contents.get(change.new_sha),
        mode_before="" if change.old_mode == _ABSENT else change.old_mode,
        mode_after="" if change.new_mode == _ABSENT else change.new_mode,
        size_before=sizes.get(change.old_sha, 0),
        size_after=sizes.get(change.new_sha, 0),
    )
