"""How often a check is run before it is believed to fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from gates.samples import a_check, a_failed_check
from pydantic import BaseModel
from switchyard_git import CommitSha

from switchyard.packets import CheckResult, GateResult
from switchyard.packets.attempt import On
from switchyard.workflow.bench import Bench, Check
from switchyard.workflow.check_trials import CheckTrials, Tried
from workflow.conftest import Yard


class PlainJournal:
    """Acts at once; what a step returns has been JSON, as after a replay."""

    def step(self, name: str, function: Callable[[], BaseModel]) -> Any:
        return function().model_dump(mode="json")


@dataclass(frozen=True)
class ScriptedBench(Bench):
    """Runs nothing: how each run ends is laid down, by where it runs; what is not laid down passes."""

    script: dict[On, list[bool]] = field(default_factory=dict)
    ran: list[tuple[On, str, int]] = field(default_factory=list)

    def run(self, attempt: int, commit: CommitSha, check: Check, *, on: On = "change", again: int = 0) -> CheckResult:
        self.ran.append((on, check.command, again))
        left = self.script.get(on, [])
        passes = left.pop(0) if left else True
        return (a_check if passes else a_failed_check)(name=check.name, command=check.command, on=on)

    def on_base(self, attempt: int, base: CommitSha, check: Check) -> CheckResult:
        return self.run(attempt, base, check, on="base")


@dataclass
class Ground:
    """A base with a test, and changes of it."""

    yard: Yard
    base: CommitSha
    checks: dict[str, str]

    def bench(self, **script: list[bool]) -> ScriptedBench:
        task = self.yard.task("t", checks=self.checks)
        laid_down: dict[On, list[bool]] = {on: list(script.get(on.replace(" ", "_"), ())) for on in PLACES}
        journal: Any = PlainJournal()
        return ScriptedBench(self.yard.factory, self.yard.plan, task, journal, lambda _: lambda _: None, laid_down)

    def tried(self, bench: ScriptedBench, edits: dict[str, str | None] | None = None) -> Tried:
        commit = self.yard.commit(self.base, edits or {"a.py": "A = 2\n"})
        return CheckTrials(bench, self.base).run(1, commit)


PLACES: tuple[On, ...] = ("change", "base", "base tests")


@pytest.fixture
def ground(yard: Yard) -> Ground:
    files = {"a.py": "A = 1\n", "tests/test_a.py": "from a import A\n", "b.py": "B = 1\n"}
    return Ground(yard, yard.commit(yard.base, files), {"unit": "make test"})


def gate(tried: Tried, name: str) -> GateResult:
    return next(gate for gate in tried.gates if gate.gate == name)


def runs(bench: ScriptedBench) -> list[tuple[str, int]]:
    return [(on, again) for on, _, again in bench.ran]


def test_a_check_that_passes_is_believed_at_once(ground: Ground) -> None:
    bench = ground.bench()
    tried = ground.tried(bench)
    assert runs(bench) == [("change", 0), ("base", 0)]
    assert (tried.checks[0].passed, tried.checks[0].base, tried.checks[0].runs) == (True, "passed", ())
    assert gate(tried, "flakiness").outcome == gate(tried, "base-tests").outcome == "not_applicable"


def test_one_that_fails_where_the_base_passed_is_run_once_more(ground: Ground) -> None:
    bench = ground.bench(change=[False, False])
    check = ground.tried(bench).checks[0]
    assert runs(bench) == [("change", 0), ("base", 0), ("change", 1)]
    assert (check.passed, check.runs, check.is_flaky) == (False, (False, False), False)


def test_one_that_failed_on_the_base_is_not_run_again(ground: Ground) -> None:
    bench = ground.bench(change=[False], base=[False])
    check = ground.tried(bench).checks[0]
    assert runs(bench) == [("change", 0), ("base", 0)]
    assert (check.passed, check.base) == (False, "failed_alike")


def test_one_that_wavers_on_the_change_alone_counts_as_failed(ground: Ground) -> None:
    bench = ground.bench(change=[False, True])
    tried = ground.tried(bench)
    check = tried.checks[0]
    assert runs(bench) == [("change", 0), ("base", 0), ("change", 1), ("base", 1), ("base", 2)]
    assert (check.passed, check.is_flaky, check.runs) == (False, True, (False, True))
    assert check.base_runs == (True, True, True)
    assert gate(tried, "flakiness").findings[0].asks == "repair"


@pytest.mark.parametrize("base", [[True, False, True], [True, True, False], [True, False, False]])
def test_one_that_wavers_on_the_base_too_passes_and_says_so(ground: Ground, base: list[bool]) -> None:
    tried = ground.tried(ground.bench(change=[False, True], base=base))
    check = tried.checks[0]
    assert (check.passed, check.is_flaky, check.tail) == (True, True, "")
    assert check.base_runs == tuple(base)
    assert [finding.asks for finding in gate(tried, "flakiness").findings] == ["note"]


def test_the_base_is_run_once_for_all_attempts(ground: Ground) -> None:
    bench = ground.bench(change=[False, True, False, True])
    trials = CheckTrials(bench, ground.base)
    for attempt in (1, 2):
        trials.run(attempt, ground.yard.commit(ground.base, {"a.py": f"A = {attempt + 1}\n"}))
    assert sum(on == "base" for on, _ in runs(bench)) == 3


def test_touched_tests_are_put_back_for_one_run_more(ground: Ground) -> None:
    bench = ground.bench(base_tests=[False, False])
    tried = ground.tried(bench, {"a.py": "A = 2\n", "tests/test_a.py": "pass\n"})
    assert runs(bench) == [("change", 0), ("base", 0), ("base tests", 0), ("base tests", 1)]
    assert tried.checks[0].passed and gate(tried, "base-tests").outcome == "failed"


def test_a_check_that_fails_anyway_is_not_run_with_the_bases_tests(ground: Ground) -> None:
    bench = ground.bench(change=[False, False])
    tried = ground.tried(bench, {"tests/test_a.py": "pass\n"})
    assert "base tests" not in {on for on, _ in runs(bench)}
    assert gate(tried, "base-tests").outcome == "not_applicable"


def test_a_check_gets_the_tests_that_cover_the_change(ground: Ground) -> None:
    ground.checks["covering"] = "pytest {tests}"
    bench = ground.bench()
    edits: dict[str, str | None] = {"a.py": "A = 2\n", "tests/test_more of a.py": "from a import A\n"}
    tried = ground.tried(bench, edits)
    commands = {(on, command) for on, command, _ in bench.ran if command.startswith("pytest")}
    assert commands == {
        ("change", "pytest 'tests/test_more of a.py' tests/test_a.py"),
        ("base", "pytest tests/test_a.py"),
        ("base tests", "pytest tests/test_a.py"),
    }
    assert gate(tried, "covering-tests").findings == ()


def test_where_no_test_covers_the_change_the_check_does_not_apply(ground: Ground) -> None:
    ground.checks["covering"] = "pytest {tests}"
    bench = ground.bench()
    tried = ground.tried(bench, {"b.py": "B = 2\n"})
    assert [check.name for check in tried.checks] == ["unit"]
    assert gate(tried, "check:covering").outcome == "not_applicable"
    assert [finding.path for finding in gate(tried, "covering-tests").findings] == ["b.py"]


def test_deleting_what_covers_the_change_does_not_silence_the_check(ground: Ground) -> None:
    ground.checks["covering"] = "pytest {tests}"
    bench = ground.bench()
    tried = ground.tried(bench, {"a.py": "A = 2\n", "tests/test_a.py": None})
    assert [check.name for check in tried.checks] == ["unit", "covering"]
    assert ("change", "pytest tests/test_a.py", 0) in bench.ran
    assert ("base tests", "pytest tests/test_a.py", 0) in bench.ran
