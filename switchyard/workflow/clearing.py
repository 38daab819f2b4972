"""What lands without being asked for: a change that checks and reviewers passed, exactly as they saw it."""

from __future__ import annotations

from collections.abc import Iterable

from switchyard_git import CommitSha, Merged, Repository, TreeSha
from switchyard_git.replaying import Pick

from switchyard.ledger import Event, FactoryView

PASSED = ("verifiers", "passed")


class Clearing:
    """Says of a branch whether it may land by the policy alone; everything it needs stands in the ledger."""

    def __init__(self, repository: Repository, view: FactoryView, events: Iterable[Event]) -> None:
        self._repository = repository
        fit = _fit_commits(events)
        self._proven = {
            task.branch: CommitSha(task.proven)
            for task in view.latest.values()
            if task.branch and task.state in ("published", "approved") and (task.run_id, task.id, task.proven) in fit
        }

    def __call__(self, branch: str, tip: CommitSha, floor: CommitSha) -> bool:
        """Whether the branch holds one commit above its floor, and that is the proven change and nothing else."""
        proven = self._proven.get(branch)
        if proven is None or not (self._repository.has_commit(proven) and self._repository.has_commit(tip)):
            return False
        (commit,) = self._repository.read_commits([tip])
        return tuple(commit.parents) == (floor,) and self._holds_only(proven, floor, commit.tree)

    def _holds_only(self, proven: CommitSha, floor: CommitSha, tree: TreeSha) -> bool:
        """Whether a tree is what the proven change makes of its floor, to the byte: a patch id would forgive spaces."""
        repository = self._repository
        written = repository.read_written([proven])[proven]
        if not written.parents:
            return False
        pick = Pick(written, before=repository.tree_of(written.parents[0]), onto=repository.tree_of(floor))
        return repository.replay([pick]) == [Merged(tree)]


def _fit_commits(events: Iterable[Event]) -> set[tuple[str, str, str]]:
    """(run, task, commit) that a check passed, that all reviewers passed, and that no gate held against."""
    checked, reviewed, held = set(), set(), set()
    for event in events:
        commit = str(event.data.get("commit", ""))
        key = event.run_id, event.task_id, commit
        if event.event_type == "check_passed" and event.task_id:
            checked.add(key)
        elif event.event_type == "gate_decided" and event.data["outcome"] == "failed":
            held.add(key)
        elif event.event_type == "gate_decided" and (event.data["gate"], event.data["outcome"]) == PASSED:
            reviewed.add(key)
    return (checked & reviewed) - held
