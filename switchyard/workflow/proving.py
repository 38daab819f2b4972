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
from switchyard.workflow.journal import Fact, Journal
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
        inspected = self._inspect(attempt, commit)
        self._record("inspected", attempt, commit, inspected)
        tried = self._trials.run(attempt, commit)
        self._record("tried", attempt, commit, tried.gates)
        measured = self._measure(attempt, commit, is_green=all(check.passed for check in tried.checks))
        measured.append(self._compare(attempt, commit, tried.checks))
        self._record("measured", attempt, commit, measured)
        return Proof(checks=tried.checks, gates=(*inspected, *tried.gates, *measured))

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

        return Proof.model_validate(self._journal.step(f"inspect {attempt}", work)).gates

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
        coverage = self._gauge(attempt, "coverage", measure_coverage, first)
        if coverage.outcome == "failed":
            first = "lines that no test runs come first: nothing would notice a fault in them"
        return [coverage, self._gauge(attempt, "mutation", measure_mutation, first)]

    def _gauge(self, attempt: int, name: str, measure: Callable[[], GateResult], first: str) -> GateResult:
        """Measure, unless something else must be mended first."""

        def work() -> GateResult:
            return GateResult.skipped(name, first) if first else measure()

        return GateResult.model_validate(self._journal.step(f"{name} {attempt}", work))

    def _compare(self, attempt: int, commit: CommitSha, checks: tuple[CheckResult, ...]) -> GateResult:
        attempts = [*self._attempts, (commit, checks)]
        if attempt:
            # What an earlier run left is none of this run's attempts.
            self._attempts = attempts

        def work() -> GateResult:
            commits, checked = zip(*attempts, strict=True)
            return compare_attempts(self._factory, self._ground.commit, commits, checked)

        return GateResult.model_validate(self._journal.step(f"compare {attempt}", work))

    def _record(self, station: str, attempt: int, commit: CommitSha, gates: Sequence[GateResult]) -> None:
        told = {"attempt": attempt, "commit": commit}
        facts = [
            Fact(
                f"gate {attempt} {gate.gate}",
                {**told, **gate.model_dump(mode="json", exclude={"artifact"})},
                gate.artifact or "",
            )
            for gate in gates
        ]
        self._journal.record_all(f"{station} {attempt}", "gate_decided", facts)
