"""What speaks for an attempt: the gates on the host, and checks in fresh sandboxes that the agent could not touch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from switchyard_git import CommitSha
from switchyard_sandbox import Decision as Asked

from switchyard.packets import CheckResult, GateResult, Ground, PlannedTask, Proof, RunPlan
from switchyard.workflow.bench import Bench
from switchyard.workflow.check_trials import CheckTrials
from switchyard.workflow.covering import cover
from switchyard.workflow.factory import Factory
from switchyard.workflow.inspecting import compare_attempts, inspect_commit, read_change
from switchyard.workflow.journal import Journal
from switchyard.workflow.mutating import mutate
from switchyard.workflow.outside import note_egress


class Prover:
    """Proves the attempts of one task; made anew on every replay, so it holds nothing that is not recorded."""

    def __init__(self, factory: Factory, plan: RunPlan, task: PlannedTask, ground: Ground, journal: Journal) -> None:
        self._factory, self._plan, self._task = factory, plan, task
        self._ground, self._journal = ground, journal
        self._attempts: list[tuple[CommitSha, tuple[CheckResult, ...]]] = []
        self._trials = CheckTrials(Bench(factory, plan, task, journal, self.note_setup), ground.commit)

    def prove(self, attempt: int, commit: CommitSha) -> Proof:
        """Look at a commit from all sides; where it equals the base there is nothing to look at.

        Args:
            attempt: 0 for a commit that no attempt of this run made.
        """
        if commit == self._ground.commit:
            return Proof()
        gates = list(self._inspect(attempt, commit))
        tried = self._trials.run(attempt, commit)
        for gate in tried.gates:
            self._record(attempt, commit, gate)
        measured = self._measure(attempt, commit, is_green=all(check.passed for check in tried.checks))
        compared = self._compare(attempt, commit, tried.checks)
        return Proof(checks=tried.checks, gates=(*gates, *tried.gates, *measured, compared))

    def note_setup(self, attempt: int) -> Callable[[Sequence[Asked]], None]:
        """Writes down what set-up asks of its proxy, at once: it runs but once, and the step may yet be killed."""

        def note(decisions: Sequence[Asked]) -> None:
            first = min(decision.time for decision in decisions)
            for number, each in enumerate(note_egress(decisions), 1):
                data = {"attempt": attempt, "role": "setup", **each.model_dump()}
                self._journal.note(f"setup egress {first} {number}", "egress_decided", data)

        return note

    def _inspect(self, attempt: int, commit: CommitSha) -> tuple[GateResult, ...]:
        def work() -> Proof:
            return inspect_commit(self._factory, self._task, self._ground.commit, commit)

        found = Proof.model_validate(self._journal.step(f"inspect {attempt}", work))
        for gate in found.gates:
            self._record(attempt, commit, gate)
        return found.gates

    def _measure(self, attempt: int, commit: CommitSha, *, is_green: bool) -> list[GateResult]:
        """How good the tests are that the checks ran: which lines they run, and whether they would notice a fault."""
        factory, plan, task, base = self._factory, self._plan, self._task, self._ground.commit
        told = self.note_setup(attempt)

        def measure_coverage() -> GateResult:
            change = read_change(factory.quarantine, base, commit)
            return cover(factory, plan, task, attempt, commit, change, told)

        def measure_mutation() -> GateResult:
            change = read_change(factory.quarantine, base, commit)
            return mutate(factory, plan, task, attempt, base, commit, change, told)

        first = "" if is_green else "a check failed; what its tests are worth is measured once all pass"
        coverage = self._gauge(attempt, commit, "coverage", measure_coverage, first)
        if coverage.outcome == "failed":
            first = "lines that no test runs come first: nothing would notice a fault in them"
        return [coverage, self._gauge(attempt, commit, "mutation", measure_mutation, first)]

    def _gauge(
        self, attempt: int, commit: CommitSha, name: str, measure: Callable[[], GateResult], first: str
    ) -> GateResult:
        """Measure, unless something else must be mended first."""

        def work() -> GateResult:
            return GateResult.skipped(name, first) if first else measure()

        gate = GateResult.model_validate(self._journal.step(f"{name} {attempt}", work))
        self._record(attempt, commit, gate)
        return gate

    def _compare(self, attempt: int, commit: CommitSha, checks: tuple[CheckResult, ...]) -> GateResult:
        attempts = [*self._attempts, (commit, checks)]
        if attempt:
            # What an earlier run left is none of this run's attempts.
            self._attempts = attempts

        def work() -> GateResult:
            commits, checked = zip(*attempts, strict=True)
            return compare_attempts(self._factory, self._ground.commit, commits, checked)

        gate = GateResult.model_validate(self._journal.step(f"compare {attempt}", work))
        self._record(attempt, commit, gate)
        return gate

    def _record(self, attempt: int, commit: CommitSha, gate: GateResult) -> None:
        data = {"attempt": attempt, "commit": commit, **gate.model_dump(mode="json", exclude={"artifact"})}
        self._journal.record(f"gate {attempt} {gate.gate}", "gate_decided", data, artifact=gate.artifact or "")
