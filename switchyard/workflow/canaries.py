"""Reviewers tried by canaries: the same sandbox, prompt and timers as for a change, and the result in the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from switchyard_git import FILE_MODE, CommitSha, ObjectSha
from switchyard_sandbox import CodeIn

from switchyard.agents.reviewing import Matter
from switchyard.gates.canaries import Canary, Standing, due_canaries, load_canaries, standing_of
from switchyard.gates.canaries.standing import tell_failure
from switchyard.gates.verdicts import document_of
from switchyard.ledger import Event, NewEvent
from switchyard.packets import ArtifactRef, CheckResult, Judge
from switchyard.workflow.factory import Factory, signature
from switchyard.workflow.reviewing import Review, agent_table, diff_of, owned_by, run_review


@dataclass(frozen=True)
class CanaryBook:
    """Where canaries are written down and looked up."""

    read: Callable[[], Iterable[Event]]
    """The ledger's rows, in order."""
    write: Callable[[NewEvent], None]
    run_id: str = ""
    """The run that tries them; empty: a person does."""

    def standing(self, judge: Judge) -> Standing:
        """How a judge stands now."""
        return standing_of(self.read(), judge, run_id=self.run_id)


@dataclass(frozen=True)
class Tried:
    """What came of one canary."""

    canary: Canary
    judge: Judge
    verdict: str
    told: str
    """What the judge got wrong; empty: nothing."""


def try_due(
    factory: Factory, book: CanaryBook, judge: Judge, base: CommitSha, labels: Mapping[str, str]
) -> list[Tried]:
    """Put before a judge what is due, as far as one run may; what is fresh is not tried again."""
    verify, standing = factory.config.verify, book.standing(judge)
    left = max(0, verify.canaries_per_run - standing.in_run)
    due = due_canaries(load_canaries(), judge, standing, factory.clock(), verify.canary_days)
    return [try_canary(factory, book, judge, base, canary, labels) for canary in due[:left]]


def try_canary(
    factory: Factory, book: CanaryBook, judge: Judge, base: CommitSha, canary: Canary, labels: Mapping[str, str]
) -> Tried:
    """Put one canary before a judge and write down what came of it.

    Args:
        base: A commit of the repository: where an agent's own scripts are taken from.
        labels: How the sandbox is found again.

    Raises:
        SandboxError: The sandbox could not be had; that says nothing about the judge.
    """
    review = _review(factory, judge, base, canary, labels)
    verdict, models = run_review(factory, review, lambda box: None)
    told = tell_failure(canary, verdict.verdict, verdict.reason)
    now = factory.now()
    book.write(
        NewEvent(
            key=f"canary/{judge.identity[:16]}/{canary.name}/{now}/{secrets.token_hex(4)}",
            event_type="canary_failed" if told else "canary_passed",
            timestamp=now,
            run_id=book.run_id,
            agent=judge.agent,
            artifact_reference=factory.artifacts.put(document_of(verdict)),
            data={
                **judge.model_dump(),
                "program": verdict.program,
                "canary": canary.name,
                "sound": canary.is_sound,
                "verdict": verdict.verdict,
                "told": told,
                "models": [use.model_dump() for use in models],
            },
        )
    )
    return Tried(canary, judge, verdict.verdict, told)


def _review(factory: Factory, judge: Judge, base: CommitSha, canary: Canary, labels: Mapping[str, str]) -> Review:
    own = _own_files(factory, judge, base)
    before = _commit(factory, None, canary.before, own)
    after = _commit(factory, before, canary.tree, own)
    diff, changed = diff_of(factory, before, after)
    return Review(
        judge=judge,
        labels={**labels, "role": f"canary:{judge.reviewer}:{canary.name}"},
        task_id=canary.task.id,
        commit=after,
        code=CodeIn(repository=factory.places.factory, commit=after, anchor=before),
        matter=Matter(canary.task.title, canary.task.body, canary.task.acceptance, canary.task.test_requirements),
        diff=diff,
        changed=changed,
        checks=[_passed(name, command) for name, command in canary.checks.items()],
        seed=before,
    )


def _own_files(factory: Factory, judge: Judge, base: CommitSha) -> dict[str, tuple[str, ObjectSha]]:
    """The files of the repository that the reviewer's own command starts from."""
    is_own = owned_by(agent_table(factory.config, judge.agent).command)
    return {path: (mode, ObjectSha(sha)) for path, mode, sha in factory.quarantine.list_entries(base) if is_own(path)}


def _commit(
    factory: Factory, parent: CommitSha | None, tree: Mapping[str, str], own: Mapping[str, tuple[str, ObjectSha]]
) -> CommitSha:
    repository = factory.quarantine
    files = {path: (FILE_MODE, repository.write_blob(text.encode())) for path, text in tree.items()}
    written = repository.write_tree_from(None, {**own, **files})
    who = signature(0)
    return repository.commit_tree(written, [parent] if parent else [], "The change\n", author=who, committer=who)


def _passed(name: str, command: str) -> CheckResult:
    return CheckResult(
        name=name,
        command=command,
        passed=True,
        exit_code=0,
        signal=None,
        limit=None,
        duration_s=0,
        output=ArtifactRef(""),
    )


def judges_of(seats: Sequence[Judge], wanted: Sequence[str]) -> list[Judge]:
    """Those of the reviewers that are wanted; all without."""
    return [judge for judge in seats if not wanted or judge.reviewer in wanted]
