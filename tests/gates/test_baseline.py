"""What the gates say of a change beside its base, and of checks that waver."""

from __future__ import annotations

from typing import Any

import pytest

from gates.samples import a_check, a_failed_check
from switchyard.gates.baseline import how_on_base, judge_base_tests, judge_baseline, judge_flakiness
from switchyard.packets import CheckResult, GateResult, Restored

PUT_BACK = Restored.model_validate({"commit": "c", "put_back": ("tests/test_a.py",)})
LEFT_OUT = Restored.model_validate({"commit": "c", "left_out": ("tests/test_b.py",)})


def told(gate: GateResult) -> list[tuple[str, str]]:
    return [(finding.asks, finding.title) for finding in gate.findings]


@pytest.mark.parametrize(
    ("check", "base", "how"),
    [
        (a_check(), a_check(), "passed"),
        (a_failed_check(), a_check(), "passed"),
        (a_failed_check(tail="took 0.3 s"), a_failed_check(tail="took 0.9 s"), "failed_alike"),
        (a_failed_check(tail="other"), a_failed_check(), "failed_otherwise"),
        (a_failed_check(exit_code=2), a_failed_check(), "failed_otherwise"),
        (a_check(), a_failed_check(), "failed_otherwise"),
        (a_failed_check(failures=("x",), tail="1"), a_failed_check(failures=("x", "y"), tail="2"), "failed_alike"),
        (a_failed_check(failures=("x", "z")), a_failed_check(failures=("x", "y")), "failed_otherwise"),
    ],
)
def test_a_failure_is_told_apart_from_one_that_was_there_before(
    check: CheckResult, base: CheckResult, how: str
) -> None:
    assert how_on_base(check, base) == how


def test_checks_that_pass_on_both_sides_are_counted() -> None:
    checks = [a_check(name="a"), a_check(name="b"), a_failed_check(name="c")]
    bases = {check.name: a_check(name=check.name) for check in checks}
    assert judge_baseline(checks[:2], bases).reason == "2 checks passed on the base and on the change"
    assert judge_baseline(checks, bases).reason == "2 of 3 checks passed on the base and on the change"
    assert judge_baseline([], {}).outcome == "not_applicable"
    assert judge_baseline(checks, {}).outcome == "not_applicable"


def test_what_failed_before_is_told_and_stops_nothing_here() -> None:
    checks = [
        a_check(name="mended"),
        a_failed_check(name="alike"),
        a_failed_check(name="worse", failures=("x", "z")),
    ]
    bases = {
        "mended": a_failed_check(),
        "alike": a_failed_check(),
        "worse": a_failed_check(failures=("x", "y")),
    }
    assert told(judge_baseline(checks, bases)) == [
        ("note", "`mended` failed on the base and passes on the change"),
        ("note", "`alike` failed the same way on the base, before the change"),
        ("note", "`worse` failed on the base too, otherwise; new on the change: `z`"),
    ]
    late = judge_baseline([a_check()], {"unit": a_failed_check(limit="timeout", exit_code=None)})
    assert "could not be run to its end on the base" in late.findings[0].title


@pytest.mark.parametrize(
    ("now", "same_tests", "asked"), [(3, True, True), (None, True, True), (4, True, False), (3, False, False)]
)
def test_the_same_tests_do_not_become_fewer(now: int | None, same_tests: bool, asked: bool) -> None:
    gate = judge_baseline([a_check(tests=now)], {"unit": a_check(tests=4)}, same_tests=same_tests)
    assert (gate.outcome == "failed") == asked
    assert judge_baseline([a_check(tests=now)], {"unit": a_check()}, same_tests=True).outcome == "passed"


def test_a_check_that_the_change_makes_waver_is_sent_back_and_one_that_wavered_before_is_told() -> None:
    runs: dict[str, Any] = {"runs": (False, True), "is_flaky": True}
    made = a_failed_check(**runs, base_runs=(True, True, True))
    before = a_check(**runs, base_runs=(True, False, True))
    failed = a_failed_check(runs=(False, False))
    assert told(judge_flakiness([made, before, failed, a_check()])) == [
        ("repair", "`unit` passes 1 of 2 times on the change and 3 of 3 times on the base: the change makes it waver"),
        ("note", "`unit` passes 1 of 2 times on the change and 2 of 3 times on the base: it wavered before"),
    ]
    assert judge_flakiness([failed]).outcome == "passed"
    assert judge_flakiness([a_check()]).outcome == "not_applicable"


def test_the_bases_own_tests_speak_before_the_changes() -> None:
    passes, fails = a_check(on="base tests"), a_failed_check(on="base tests")
    bases = {"unit": a_check()}
    assert judge_base_tests(Restored(), [], bases, ()).outcome == "not_applicable"
    assert judge_base_tests(PUT_BACK, [], bases, ()).outcome == "not_applicable"
    assert judge_base_tests(PUT_BACK, [passes], bases, ()).outcome == "passed"
    words = "`unit` passes with the change's tests, and fails with the base's own"
    assert told(judge_base_tests(PUT_BACK, [fails], bases, ())) == [("repair", words)]
    assert told(judge_base_tests(PUT_BACK, [fails], bases, ("tests",))) == [("person", words)]
    assert "boom" in judge_base_tests(PUT_BACK, [fails], bases, ()).findings[0].detail


def test_a_check_of_new_tests_cannot_pass_without_them() -> None:
    fails, bases = a_failed_check(on="base tests"), {"unit": a_failed_check()}
    assert told(judge_base_tests(LEFT_OUT, [fails], bases, ())) == [
        ("note", "`unit` needs tests that the base does not have")
    ]
    assert judge_base_tests(PUT_BACK, [fails], bases, ()).outcome == "failed"
    assert judge_base_tests(LEFT_OUT, [fails], {"unit": a_check()}, ()).outcome == "failed"


@pytest.mark.parametrize(
    ("now", "allow", "asks"),
    [(1, (), "repair"), (None, (), "repair"), (1, ("tests",), "note"), (None, ("tests",), "person")],
)
def test_tests_of_the_base_that_are_not_run_are_missed(now: int | None, allow: tuple[str, ...], asks: str) -> None:
    gate = judge_base_tests(PUT_BACK, [a_check(on="base tests", tests=now)], {"unit": a_check(tests=4)}, allow)
    assert [finding.asks for finding in gate.findings] == [asks]
