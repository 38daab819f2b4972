"""Whether repairs lead to the task's end: tests that ask less than they did, attempts that turn back or stand still."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.undoing import Undoing, find_repetition, find_undoing
from switchyard.gates.weakening import Severity, Weakening, find_weakening, is_about_tests
from switchyard.packets import Asks, CheckResult, GateFinding, GateResult
from switchyard.quoting import block, code

_MAX_FINDINGS = 50


def judge_tests(change: Change, allow: Collection[str]) -> GateResult:
    """The gate `weakening`: what the change takes from the tests, or makes them demand otherwise.

    Args:
        change: The attempt against the task's base.
        allow: What the task may do; with `tests` it may change what existing tests demand. Nothing lets it switch them
            off.
    """
    touched = [file for file in change.files if is_about_tests(file.path)]
    if not touched:
        return GateResult.skipped("weakening", "no test was touched, and nothing that says how tests are run")
    findings = [_uncompared(file) for file in touched if _is_uncompared(file)]
    findings += [_described(found, allow) for found in find_weakening(change.before, change.after)]
    findings.sort(key=lambda finding: finding.asks == "note")
    reason = f"{len(touched)} {'file' if len(touched) == 1 else 'files'} of tests compared with the base"
    return GateResult.of("weakening", _shortened(findings), reason)


def judge_convergence(states: Sequence[Mapping[str, bytes]], checks: Sequence[Sequence[CheckResult]]) -> GateResult:
    """The gate `convergence`: whether the last attempt takes an earlier one back, or fails just as one did.

    Args:
        states: Path → content of the files that any attempt touched: first as the base has them, then after each
            attempt.
        checks: The results of the checks after each attempt; empty where none were run.
    """
    attempts = len(states) - 1
    if attempts < 2:
        return GateResult.skipped("convergence", "the first attempt")
    failed = bool(checks) and any(not check.passed for check in checks[-1])
    taken_back = [undoing for undoing in find_undoing(states) if undoing.attempt == attempts]
    # One that arrives may well have turned round first: only where checks still fail does the way lead in a circle.
    findings = [_turned(undoing, "person" if failed else "note") for undoing in taken_back]
    findings += _stood_still(checks)
    return GateResult.of("convergence", _shortened(findings), f"attempt {attempts} compared with those before it")


def _described(found: Weakening, allow: Collection[str]) -> GateFinding:
    is_allowed = found.kind.severity is Severity.CHANGED and "tests" in allow
    what = found.kind.value.replace("_", " ")
    title = f"{what} in {code(found.test)}" if found.test else what
    # The reason may name what stands in a file, too.
    told = [code(found.why)]
    told += [f"{side}:\n\n{block(text)}" for side, text in (("Was", found.before), ("Is", found.after)) if text]
    asks: Asks = "note" if is_allowed else "person"
    path, detail = _written(found.path), "\n\n".join(told)
    return GateFinding(title=title, asks=asks, path=path, line=found.line, detail=detail)


def _written(path: str) -> str:
    """The path without bytes that are no UTF-8, which no JSON takes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_uncompared(file: ChangedFile) -> bool:
    """Whether a side is there, and its content is not known."""
    return (file.before is None and bool(file.mode_before)) or (file.after is None and bool(file.mode_after))


def _uncompared(file: ChangedFile) -> GateFinding:
    size = max(file.size_before, file.size_after)
    return GateFinding(
        title=f"of tests, and too long to be compared: {size} bytes", asks="person", path=_written(file.path)
    )


def _turned(undoing: Undoing, asks: Asks) -> GateFinding:
    hunk = undoing.hunk
    lines = [*(f"-{line}" for line in hunk.removed), *(f"+{line}" for line in hunk.added)]
    title = f"attempt {undoing.attempt} takes back {len(lines)} lines of attempt {undoing.undone}"
    detail = f"Attempt {undoing.undone} had done this:\n\n{block(chr(10).join(lines[:60]))}"
    return GateFinding(title=title, asks=asks, path=_written(hunk.path), detail=detail)


def _stood_still(checks: Sequence[Sequence[CheckResult]]) -> list[GateFinding]:
    """Once, the agent is told; twice in a row, a person is."""
    repetition = find_repetition(checks)
    if repetition is None:
        return []
    again = find_repetition(checks[:-1]) is not None
    names = ", ".join(code(name) for name in repetition.checks)
    title = f"after attempt {repetition.attempt} {names} failed just as after attempt {repetition.repeated}"
    return [GateFinding(title=title, asks="person" if again else "note")]


def _shortened(findings: Sequence[GateFinding]) -> list[GateFinding]:
    """The first of many, with a word on how many more there are."""
    if len(findings) <= _MAX_FINDINGS:
        return list(findings)
    rest = findings[_MAX_FINDINGS:]
    asks: Asks = "person" if any(finding.asks == "person" for finding in rest) else "note"
    return [*findings[:_MAX_FINDINGS], GateFinding(title=f"and {len(rest)} findings more of this gate", asks=asks)]
