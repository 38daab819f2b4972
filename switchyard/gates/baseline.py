"""What was so before the change: how the checks went on its base, and how the change fares under the base's tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from switchyard.gates.checks import how_it_ended
from switchyard.gates.undoing import normalise_output
from switchyard.packets import Asks, CheckResult, GateFinding, GateResult, Restored
from switchyard.quoting import block, code

_MOST_PATHS = 10


def how_on_base(check: CheckResult, base: CheckResult) -> Literal["passed", "failed_alike", "failed_otherwise"]:
    """How a check went on the base, beside how it went on the change."""
    if base.passed:
        return "passed"
    return "failed_alike" if not check.passed and _are_alike(check, base) else "failed_otherwise"


def judge_baseline(
    checks: Sequence[CheckResult], bases: Mapping[str, CheckResult], *, same_tests: bool = False
) -> GateResult:
    """The gate `baseline`: each check on the task's base beside the same on the change.

    Args:
        bases: The results on the base by the check's name; one that was not run there is missing.
        same_tests: Whether the change touches no test, so that it must not run fewer of them.
    """
    if not checks:
        return GateResult.skipped("baseline", "no check was run")
    pairs = [(check, bases[check.name]) for check in checks if check.name in bases]
    if not pairs:
        return GateResult.skipped("baseline", "no check could be run on the base")
    findings = [finding for check, base in pairs for finding in _compared(check, base, same_tests)]
    both = sum(check.passed and base.passed for check, base in pairs)
    whole = f"{both} checks" if both != 1 else "1 check"
    counted = whole if both == len(checks) else f"{both} of {len(checks)} checks"
    return GateResult.of("baseline", findings, f"{counted} passed on the base and on the change")


def judge_flakiness(checks: Sequence[CheckResult]) -> GateResult:
    """The gate `flakiness`: of checks that were run again, whether the change made them waver."""
    again = [check for check in checks if check.runs]
    if not again:
        return GateResult.skipped("flakiness", "no check failed that passes on the base")
    findings = [_wavering(check) for check in again if check.is_flaky]
    steady = len(again) - len(findings)
    names = ", ".join(code(check.name) for check in again)
    told = "failed again" if steady == len(again) else f"{steady} failed again" if steady else "wavered"
    return GateResult.of("flakiness", findings, f"run again: {names}; {told}")


def judge_base_tests(
    restored: Restored,
    results: Sequence[CheckResult],
    bases: Mapping[str, CheckResult],
    allow: Collection[str],
) -> GateResult:
    """The gate `base-tests`: the change under the tests and the test configuration that its base has.

    Args:
        results: The checks that passed on the change, run with the base's tests put back.
        bases: How each went on the base.
        allow: With `tests`, only the configuration was put back, and what fails is for a person.
    """
    if restored.commit is None:
        return GateResult.skipped("base-tests", "no test or test configuration was touched")
    if not results:
        return GateResult.skipped("base-tests", "no check passed on the change")
    asks: Asks = "person" if "tests" in allow else "repair"
    findings = [_under_base_tests(result, bases.get(result.name), restored, asks) for result in results]
    what = "test configuration" if "tests" in allow else "tests"
    reason = f"{len(results)} {_plural('check', results)} run with the base's own {what}: {_listed(restored)}"
    return GateResult.of("base-tests", [finding for finding in findings if finding], reason)


def _compared(check: CheckResult, base: CheckResult, same_tests: bool) -> list[GateFinding]:
    name = code(check.name)
    if base.passed:
        return [_fewer(check, base, "repair")] if same_tests and check.passed and _runs_fewer(check, base) else []
    if base.limit:
        title = f"{name} could not be run to its end on the base: it {how_it_ended(base)}"
    elif check.passed:
        title = f"{name} failed on the base and passes on the change"
    elif how_on_base(check, base) == "failed_alike":
        title = f"{name} failed the same way on the base, before the change"
    else:
        new = sorted(set(check.failures) - set(base.failures))
        told = f"; new on the change: {', '.join(code(one) for one in new[:_MOST_PATHS])}" if new else ""
        title = f"{name} failed on the base too, otherwise{told}"
    return [GateFinding(title=title, asks="note")]


def _wavering(check: CheckResult) -> GateFinding:
    told = f"{code(check.name)} passes {_times(check.runs)} on the change and {_times(check.base_runs)} on the base"
    if check.passed:
        return GateFinding(title=f"{told}: it wavered before", asks="note")
    return GateFinding(title=f"{told}: the change makes it waver", asks="repair")


def _under_base_tests(
    result: CheckResult, base: CheckResult | None, restored: Restored, asks: Asks
) -> GateFinding | None:
    name = code(result.name)
    if result.passed:
        if base is not None and base.passed and _runs_fewer(result, base):
            # With `tests` allowed some may be gone; none at all is told by what never came to its end.
            is_fewer_allowed = asks == "person" and result.tests is not None
            return _fewer(result, base, "note" if is_fewer_allowed else asks)
        return GateFinding(title=f"{name} passes {_times(result.runs)}", asks="note") if result.is_flaky else None
    detail = f"{code(result.command)} {how_it_ended(result)}."
    detail += f"\n\n{block(result.tail)}" if result.tail else ""
    if base is None or base.passed:
        title = f"{name} passes with the change's tests, and fails with the base's own"
    elif not restored.put_back:
        # It fails without new tests, as before there were any: they are what it is about.
        return GateFinding(title=f"{name} needs tests that the base does not have", asks="note", detail=detail)
    else:
        title = f"{name} failed on the base, and passes with the change's tests alone: the base's own fail as before"
    return GateFinding(title=title, asks=asks, detail=detail)


def _fewer(check: CheckResult, base: CheckResult, asks: Asks) -> GateFinding:
    place = "with the base's own tests put back" if check.on == "base tests" else "on the change"
    now = check.tests or "none"
    title = f"{code(check.name)} tells of {base.tests} tests that passed on the base, and of {now} {place}"
    return GateFinding(title=title, asks=asks)


def _runs_fewer(check: CheckResult, base: CheckResult) -> bool:
    return base.tests is not None and (check.tests or 0) < base.tests


def _are_alike(check: CheckResult, base: CheckResult) -> bool:
    if check.failures and base.failures:
        return set(check.failures) <= set(base.failures)
    one, other = ((each.exit_code, each.signal, each.limit, normalise_output(each.tail)) for each in (check, base))
    return one == other


def _times(runs: Sequence[bool]) -> str:
    return f"{sum(runs)} of {len(runs)} times"


def _plural(noun: str, things: Sequence[object]) -> str:
    return noun if len(things) == 1 else f"{noun}s"


def _listed(restored: Restored) -> str:
    paths = (*restored.put_back, *restored.left_out)
    shown = ", ".join(code(path) for path in paths[:_MOST_PATHS])
    return shown if len(paths) <= _MOST_PATHS else f"{shown} and {len(paths) - _MOST_PATHS} more"
