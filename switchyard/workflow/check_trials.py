"""The checks of a task on an attempt, on its base, and under the base's own tests; none fails by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switchyard_git import CommitSha

from switchyard.gates.baseline import how_on_base, judge_base_tests, judge_baseline, judge_flakiness
from switchyard.gates.covering_tests import judge_covering
from switchyard.packets import CheckResult, Covering, GateResult, Restored
from switchyard.packets.attempt import On
from switchyard.workflow.bench import Bench, Check
from switchyard.workflow.covering_tests import fill_tests, find_covering
from switchyard.workflow.restoring import restore_tests

_BASE_AGAIN = 2
"""Runs of the base beside the first, where a check wavers on the change."""


@dataclass(frozen=True)
class Tried:
    """What came of an attempt's checks."""

    checks: tuple[CheckResult, ...]
    """Each on the attempt's commit."""
    gates: tuple[GateResult, ...]


class CheckTrials:
    """Runs the checks of one task; made anew on every replay, so it holds nothing that is not recorded."""

    def __init__(self, bench: Bench, base: CommitSha) -> None:
        self._bench, self._base = bench, base
        self._on_base: dict[tuple[str, str], CheckResult] = {}
        self._base_again: dict[tuple[str, str], tuple[bool, ...]] = {}

    def run(self, attempt: int, commit: CommitSha) -> Tried:
        """Run all of them on a commit."""
        covering = self._find_covering(attempt, commit)
        checks = self._filled(covering)
        results = [self._settled(attempt, commit, check, covering, "change") for check in checks]
        restored = self._restore(attempt, commit)
        passed = [check for check, result in zip(checks, results, strict=True) if result.passed]
        under_base = self._under_base_tests(attempt, restored, passed, covering)
        bases = {check.name: base for check in checks if (base := self._known_on_base(check, covering))}
        ran = {check.name for check in checks}
        gates = [
            *judge_covering(covering, [name for name in self._bench.task.checks if name not in ran]),
            judge_baseline(results, bases, same_tests=restored.commit is None),
            judge_flakiness(results),
            judge_base_tests(restored, under_base, bases, self._bench.task.allow),
        ]
        return Tried(tuple(results), tuple(gates))

    def _find_covering(self, attempt: int, commit: CommitSha) -> Covering:
        def work() -> Covering:
            return find_covering(self._bench.factory, self._base, commit)

        return Covering.model_validate(self._bench.journal.step(f"covering {attempt}", work))

    def _filled(self, covering: Covering) -> list[Check]:
        """The checks as they run on the change; one that asks for tests where there are none is left out."""
        task = self._bench.task
        # Tests that a change deletes without leave are asked for, and missed.
        tests = covering.tests or (() if "tests" in task.allow else covering.tests_on_base)
        filled = [
            (name, fill_tests(command, tests), task.environments.get(name, "")) for name, command in task.checks.items()
        ]
        return [Check(name, command, environment) for name, command, environment in filled if command is not None]

    def _settled(self, attempt: int, commit: CommitSha, check: Check, covering: Covering, on: On) -> CheckResult:
        """What is to be believed of a check: one that fails, and passed on the base, is run again."""
        result = self._bench.run(attempt, commit, check, on=on)
        base = self._result_on_base(attempt, check, covering)
        if base is None:
            return result
        result = result.model_copy(update={"base": how_on_base(result, base)})
        if result.passed or not base.passed:
            return result
        again = self._bench.run(attempt, commit, check, on=on, again=1)
        if not again.passed:
            return result.model_copy(update={"runs": (False, False)})
        base_runs = (True, *self._run_base_again(attempt, check, covering))
        wavered_before = not all(base_runs)
        told = again if wavered_before else result
        runs = {"runs": (False, True), "base_runs": base_runs, "is_flaky": True, "base": "passed"}
        return told.model_copy(update={**runs, "passed": wavered_before})

    def _result_on_base(self, attempt: int, check: Check, covering: Covering) -> CheckResult | None:
        """Once for all attempts; None where none of the tests that it names is there."""
        there = self._as_on_base(check, covering)
        if there is None:
            return None
        key = (there.name, there.command)
        if key not in self._on_base:
            self._on_base[key] = self._bench.on_base(attempt, self._base, there)
        return self._on_base[key]

    def _known_on_base(self, check: Check, covering: Covering) -> CheckResult | None:
        there = self._as_on_base(check, covering)
        return None if there is None else self._on_base.get((there.name, there.command))

    def _run_base_again(self, attempt: int, check: Check, covering: Covering) -> tuple[bool, ...]:
        there = self._as_on_base(check, covering)
        if there is None:
            return ()
        key = (there.name, there.command)
        if key not in self._base_again:
            runs = (self._bench.run(attempt, self._base, there, on="base", again=n + 1) for n in range(_BASE_AGAIN))
            self._base_again[key] = tuple(run.passed for run in runs)
        return self._base_again[key]

    def _as_on_base(self, check: Check, covering: Covering) -> Check | None:
        command = fill_tests(self._bench.task.checks[check.name], covering.tests_on_base)
        return None if command is None else Check(check.name, command, check.environment)

    def _restore(self, attempt: int, commit: CommitSha) -> Restored:
        bench = self._bench

        def work() -> Restored:
            return restore_tests(bench.factory, bench.task, self._base, commit, bench.plan.timestamp)

        return Restored.model_validate(bench.journal.step(f"restore {attempt}", work))

    def _under_base_tests(
        self, attempt: int, restored: Restored, checks: Sequence[Check], covering: Covering
    ) -> list[CheckResult]:
        """The checks that passed, with the tests of the base put back; of listed tests those that it has."""
        if restored.commit is None:
            return []
        there = [one for check in checks if (one := self._as_on_base(check, covering))]
        return [self._settled(attempt, restored.commit, check, covering, "base tests") for check in there]
