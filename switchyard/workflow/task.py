"""The durable line of one task: claim, ground, context, attempts with their checks, publication.

Every action on the outside is a recorded step that looks before it acts; every fact is a transaction that holds the
ledger row and the step's record together. What a step returns is small JSON; anything large is an artifact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from switchyard_git import CommitSha
from switchyard_sandbox import BoxId

from switchyard.gates import Policy, decide
from switchyard.packets import (
    ArtifactRef,
    AttemptResult,
    Conflict,
    Decision,
    Ground,
    PlannedTask,
    Preparation,
    Proof,
    Publication,
    Pushed,
    RunPlan,
    SelectedContext,
    Settled,
    TaskId,
    TaskResult,
    TaskState,
)
from switchyard.workflow.attempt import AttemptRunner
from switchyard.workflow.describing import describe_pull_request
from switchyard.workflow.engine import Engine
from switchyard.workflow.escalating import Commented, Pack, Trial, comment_on, write_escalation
from switchyard.workflow.factory import Factory
from switchyard.workflow.failures import CANCELLED, Stopped
from switchyard.workflow.filing import Filer
from switchyard.workflow.grounding import ground_below, ground_of
from switchyard.workflow.journal import Journal
from switchyard.workflow.operating import cancelled_since
from switchyard.workflow.paging import write_page
from switchyard.workflow.proving import Prover
from switchyard.workflow.publishing import open_pull_request, push_if_clean
from switchyard.workflow.selecting import select_context
from switchyard.workflow.selection_use import describe_use
from switchyard.workflow.signing import Published, sign_published
from switchyard.workflow.verifying import Verifier

UNFIT = "nobody was asked: what comes before the reviewers already spoke against the change"
TAKEN = "nobody was asked: a person took the commit as it is"
"""Why reviewers are not asked."""


class TaskLine:
    """Takes one task through the line; made anew on every replay, so it holds nothing that is not recorded."""

    def __init__(
        self,
        factory: Factory,
        engine: Engine,
        plan: RunPlan,
        task: PlannedTask,
        parents: Mapping[TaskId, Settled],
        preparation: Preparation | None = None,
    ) -> None:
        self._factory, self._plan, self._task, self._parents = factory, plan, task, parents
        self._journal = Journal(factory, engine, plan.run_id, task.id, agent=task.agent)
        self._preparation = preparation or Preparation()
        self._trials: list[Trial] = []
        self._proof = Proof()

    def run(self) -> TaskResult:
        """Go through the line; what stops it ends the task with the reason, never the run."""
        try:
            ground = self._claim()
            self._stop_if_unprepared()
            below = self._below(ground)
            prover = Prover(self._factory, self._plan, self._task, below, self._journal)
            judges = Verifier(self._factory, self._plan, self._task, below, self._journal, prover.note_setup)
            head = self._accepted(prover, judges) or self._proven_before(ground, prover, judges)
            head = head or self._build(ground, prover, judges)
            publication = self._publish(ground, below, head)
        except Stopped as stop:
            return self._finish(stop.state, stop.reason)
        return self._finish("published", "", publication)

    def _stop_if_unprepared(self) -> None:
        """A task that somebody has to answer for is not begun."""
        stopped, reason = self._preparation.stopped, self._preparation.reason
        if stopped == "needs_person":
            raise self._escalation([reason])
        if stopped:
            raise Stopped(stopped, reason)

    def _below(self, ground: Ground) -> Ground:
        """What the work is seen against; the base may have moved since an accepted commit was made."""
        accepted = self._task.accepted
        if not accepted:
            return ground
        found = self._journal.step("below", lambda: ground_below(self._factory.quarantine, ground, accepted))
        return Ground.model_validate(found)

    def _accepted(self, prover: Prover, judges: Verifier) -> CommitSha | None:
        """A commit that a person took as it is; what speaks for and against it is evidence and stops nothing."""
        if self._task.accepted:
            proof = prover.prove(0, self._task.accepted)
            self._proof = judges.add_verdicts(0, self._task.accepted, proof, lambda: TAKEN)
        return self._task.accepted

    def _proven_before(self, ground: Ground, prover: Prover, judges: Verifier) -> CommitSha | None:
        """A commit that an earlier run could not publish, if it still passes where it stands: no agent works twice."""
        proven = self._task.proven
        if not proven or self._task.proven_on != ground.commit:
            return None
        before = prover.prove(0, proven)
        proof = judges.add_verdicts(0, proven, before, lambda: "" if before.holds else UNFIT)
        if not proof.holds:
            return None
        self._proof = proof
        return proven

    def _claim(self) -> Ground:
        def work() -> Ground | Conflict:
            return ground_of(self._factory, self._plan, self._task, self._parents)

        found = self._journal.step("ground", work)
        ground = None if "between" in found else Ground.model_validate(found)
        data = {
            "branch": self._task.branch,
            "content_hash": self._task.content_hash,
            "base": ground.commit if ground else "",
            "base_branch": ground.branch if ground else "",
            "join": ground.join if ground else "",
        }
        self._journal.record("claim", "task_claimed", data)
        if ground is None:
            raise self._escalation([f"its parents {Conflict.model_validate(found).described}; nothing was pushed"])
        return ground

    def _build(self, ground: Ground, prover: Prover, judges: Verifier) -> CommitSha:
        context = self._select_context(ground)
        runner = AttemptRunner(self._factory, self._plan, self._task, ground, self._preparation)
        start, feedback = ground.commit, list[str]()
        for attempt in range(1, self._task.repairs + 2):
            self._stop_if_cancelled(f"before attempt {attempt}")
            result = self._attempt(runner, prover, attempt, start, context, feedback)
            self._stop_if_cancelled(f"after attempt {attempt}")
            proof = self._proof = self._judge(judges, result, prover.prove(attempt, result.commit))
            decision = self._decide(result, proof)
            self._trials.append(Trial(result, proof, decision))
            if decision.verdict == "publish":
                return result.commit
            if decision.verdict == "needs_person":
                raise self._escalation(decision.reasons)
            start, feedback = result.commit, list(decision.reasons)
        raise AssertionError("the policy never asks for more repairs than the task has")

    def _select_context(self, ground: Ground) -> SelectedContext:
        targets = tuple(dict.fromkeys([*self._task.targets, *self._preparation.targets]))
        aimed = self._task.model_copy(update={"targets": targets})
        found = self._journal.step("context", lambda: select_context(self._factory, self._plan, aimed, ground))
        context = SelectedContext.model_validate(found)
        data = {"files": context.files, "tokens": context.tokens, "markdown": context.markdown}
        self._journal.record("selected", "context_selected", data, artifact=context.listing)
        return context

    def _attempt(
        self,
        runner: AttemptRunner,
        prover: Prover,
        attempt: int,
        start: CommitSha,
        context: SelectedContext,
        feedback: Sequence[str],
    ) -> AttemptResult:
        journal = self._journal
        journal.intend("attempt", str(attempt), {"attempt": attempt, "start": start})
        setup = bool(self._factory.config.sandbox.setup)
        data = {"attempt": attempt, "role": "build", "agent": self._task.agent, "setup": setup}
        assignment = runner.keep_assignment(attempt, start, context, feedback)
        journal.record(f"dispatched {attempt}", "assignment_dispatched", data, artifact=assignment)

        def note_box(box: BoxId) -> None:
            journal.note(f"sandbox {box}", "sandbox_created", {"attempt": attempt, "box": box, "role": "agent"})

        def work() -> AttemptResult:
            told = prover.note_setup(attempt)
            return runner.found(attempt) or runner.run(attempt, start, context, feedback, note_box, told)

        result = AttemptResult.model_validate(journal.step(f"attempt {attempt}", work))
        journal.complete("attempt", str(attempt), "attempt_extracted", result.facts, artifact=result.diff)
        for number, note in enumerate(result.egress, 1):
            journal.record(
                f"egress {attempt} {number}",
                "egress_decided",
                {"attempt": attempt, "role": "agent", **note.model_dump()},
            )
        return result

    def _judge(self, judges: Verifier, result: AttemptResult, proof: Proof) -> Proof:
        """Reviewers see what would be published without them, and nothing else."""

        def why_not() -> str:
            return "" if self._weigh(result, proof).verdict == "publish" else UNFIT

        return judges.add_verdicts(result.attempt, result.commit, proof, why_not)

    def _weigh(self, result: AttemptResult, proof: Proof) -> Decision:
        return decide(self._task, result, proof, Policy(self._factory.config.review.protected))

    def _decide(self, result: AttemptResult, proof: Proof) -> Decision:
        attempt = result.attempt
        decision = Decision.model_validate(self._journal.step(f"decide {attempt}", lambda: self._weigh(result, proof)))
        data = {"attempt": attempt, **decision.model_dump()}
        self._journal.record(f"decided {attempt}", "policy_decided", data)
        if decision.verdict == "repair":
            self._journal.record(f"retry {attempt}", "retry_scheduled", {**data, "attempt": attempt + 1})
        return decision

    def _publish(self, ground: Ground, below: Ground, head: CommitSha) -> Publication:
        self._stop_if_cancelled("before publishing")
        journal, task = self._journal, self._task
        branch = {"branch": task.branch, "head": head, "base_branch": ground.branch, "join": ground.join}
        journal.intend("branch", head, branch)
        pushed = journal.step("push", lambda: push_if_clean(self._factory, self._plan, task, ground, head))
        if conflict := Pushed.model_validate(pushed).conflict:
            raise self._escalation([f"{conflict.described}; nothing was pushed"])
        journal.complete("branch", head, "branch_published", branch)

        journal.intend("pull_request", "", {"head": task.branch, "base": ground.branch})
        publication = Publication.model_validate(journal.step("open", lambda: self._open(ground, below, head)))
        data = {**publication.model_dump(exclude={"page"}), "head": task.branch}
        journal.complete("pull_request", "", "pull_request_opened", data, artifact=publication.page or "")
        sign_published(journal, self._factory, Published(self._plan, task, ground, self._parents, head))
        return publication

    def _open(self, ground: Ground, below: Ground, head: CommitSha) -> Publication:
        page = write_page(self._factory, below, head, self._proof, self._journal.task_rows())
        body = describe_pull_request(self._plan, self._task, self._parents, head, self._proof, page.text)
        opened = open_pull_request(self._factory, self._plan, self._task, ground, head, body)
        return opened.model_copy(update={"page": page.whole})

    def _stop_if_cancelled(self, when: str) -> None:
        if self._journal.ask(f"cancelled {when}", lambda c: cancelled_since(c, self._plan.run_id, self._task.id)):
            raise Stopped("cancelled", CANCELLED)

    def _escalation(self, reasons: Sequence[str]) -> Stopped:
        reason = "\n\n".join(reasons)
        pack = self._journal.step("pack", lambda: self._write_pack(reason))["reference"]
        self._journal.record("escalated", "escalated", {"reason": reason}, artifact=pack)
        if self._task.pushed:
            self._comment(reason, pack)
        return Stopped("needs_person", reason)

    def _write_pack(self, reason: str) -> Pack:
        rows = [row for row in self._journal.task_rows() if row.run_id == self._plan.run_id]
        factory, task = self._factory, self._task
        return Pack(reference=write_escalation(factory.artifacts, self._plan, task, self._trials, reason, rows))

    def _comment(self, reason: str, pack: ArtifactRef) -> None:
        """Tell those who review the task's pull request, which an earlier run opened."""
        journal = self._journal
        row = journal.ask("escalated row", lambda connection: journal.sequence_of(connection, "escalated"))
        journal.intend("comment", str(row), {"branch": self._task.branch, "row": row})

        def work() -> Commented:
            return comment_on(self._factory, self._plan, self._task, self._trials, reason, pack, row)

        said = Commented.model_validate(journal.step("comment", work))
        journal.complete("comment", str(row), "commented", {**said.model_dump(), "row": row})

    def _finish(self, state: TaskState, reason: str, publication: Publication | None = None) -> TaskResult:
        head = publication.head if publication else (self._trials[-1].attempt.commit if self._trials else None)
        number = publication.number if publication else None
        attempts = [trial.attempt for trial in self._trials]
        Filer(self._factory, self._plan, self._task, self._journal).file(attempts)
        use = describe_use(attempts)
        self._journal.record("finish", "task_finished", {"state": state, "reason": reason, "context": use})
        return TaskResult(
            id=self._task.id,
            state=state,
            reason=reason,
            head=head,
            branch=self._task.branch,
            number=number,
            checks=self._proof.checks if publication else (),
        )
