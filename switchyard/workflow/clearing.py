"""What lands without being asked for: a change that checks and reviewers passed, exactly as they saw it."""

from __future__ import annotations

from collections.abc import Iterable

from switchyard_git import CommitSha, Repository

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
        if tuple(commit.parents) != (floor,):
            return False
        identities = self._repository.patch_ids([proven, tip])
        return proven in identities and identities[proven] == identities.get(tip)


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
