"""How much of what a change adds or edits was run by tests, and which of its lines were not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from switchyard.gates.change import ChangedFile
from switchyard.gates.coverage.exclusions import waived_lines
from switchyard.gates.coverage.model import Lines, Places, Report
from switchyard.gates.sources import family_of, statements_of
from switchyard.packets import Asks, GateFinding, GateResult
from switchyard.quoting import block

GATE = "coverage"
MOST_FINDINGS = 20
_MOST_SHOWN_LINES = 8
_NEAR = 3
"""Lines that are not run and no further apart are told together."""


@dataclass(frozen=True)
class _Counted:
    """The changed lines of one file that count."""

    file: ChangedFile
    covered: frozenset[int]
    missed: frozenset[int]
    is_known: bool
    """Whether a report knows the file."""


def judge_coverage(
    files: Sequence[ChangedFile], reports: Sequence[tuple[Report, Places]], percent: float
) -> GateResult:
    """Hold the changed lines against what the reports say.

    Args:
        files: As `runnable_files` gives them.
        percent: How much must be run; with 0 nothing is asked for.
    """
    families = frozenset(family for report, _ in reports for family in report.families)
    known = _combine(files, reports)
    counted = [
        _count(file, known.get(file.path)) for file in files if file.path in known or family_of(file.path) in families
    ]
    if not counted:
        return _unmeasured(files, reports, percent)
    covered = sum(len(one.covered) for one in counted)
    total = covered + sum(len(one.missed) for one in counted)
    if not total:
        return GateResult.skipped(GATE, "no changed line is a statement that tests could run")
    reached = 100 * covered / total
    asks: Asks = "repair" if reached < percent else "note"
    wanted = f"; {percent:g} % are wanted" if percent else ""
    others = len(files) - len(counted)
    beside = f"; no report measures the language of {_files(others)}" if others else ""
    reason = f"{_floored(reached)} % of {_lines(total)} that changed are run by tests{wanted}{beside}"
    return GateResult.of(GATE, _findings(counted, asks), reason)


def _combine(files: Iterable[ChangedFile], reports: Iterable[tuple[Report, Places]]) -> dict[str, Lines]:
    """Path → what all reports say of it together, of the changed files that any of them knows."""
    sources = {file.path: file.after or b"" for file in files}
    known: dict[str, Lines] = {}
    for report, places in reports:
        for name, path in places.locate(report.files).items():
            if path in sources:
                said = report.files[name]
                lines = said if isinstance(said, Lines) else said.lines(sources[path])
                known[path] = known.get(path, Lines()).with_run(lines)
    return known


def _count(file: ChangedFile, lines: Lines | None) -> _Counted:
    statements = statements_of(file.path, file.after or b"")
    changed = [line for line in file.added_lines if line in statements.first]
    if lines is None:
        unknown = frozenset(statements.first[line] for line in changed) & statements.run
        return _Counted(file, frozenset(), unknown, is_known=False)
    waived = waived_lines(file.after or b"", file.added_lines, statements)
    covered: set[int] = set()
    missed: set[int] = set()
    for line in changed:
        first = statements.first[line]
        at = line if line in lines.covered or line in lines.missed else first
        if line in waived and (at in lines.excluded or (first in statements.run and not lines.excluded)):
            missed.add(first)
        elif at in lines.missed:
            missed.add(at)
        elif at in lines.covered:
            covered.add(at)
    return _Counted(file, frozenset(covered - missed), frozenset(missed), is_known=True)


def _unmeasured(files: Sequence[ChangedFile], reports: Sequence[tuple[Report, Places]], percent: float) -> GateResult:
    """No report speaks of any language that changed: that is the configuration's fault, or a report made empty."""
    tools = ", ".join(sorted({report.tool for report, _ in reports}))
    title = f"the report ({tools}) measures none of the languages of {_files(len(files))} that changed"
    asks: Asks = "person" if percent else "note"
    return GateResult.of(GATE, [GateFinding(title=title, asks=asks)], "nothing that changed was measured")


def _findings(counted: Sequence[_Counted], asks: Asks) -> list[GateFinding]:
    found = [_finding(one, run, asks) for one in counted for run in _runs(one.missed, one.covered)]
    if len(found) <= MOST_FINDINGS:
        return found
    rest = GateFinding(title=f"{len(found) - MOST_FINDINGS} more places that no test runs", asks=asks)
    return [*found[:MOST_FINDINGS], rest]


def _finding(one: _Counted, run: Sequence[int], asks: Asks) -> GateFinding:
    shown = (one.file.after or b"").decode("utf-8", "replace").split("\n")[run[0] - 1 : run[-1]]
    more = f"\n\n… and {len(shown) - _MOST_SHOWN_LINES} lines more" if len(shown) > _MOST_SHOWN_LINES else ""
    where = f"line {run[0]}" if len(run) == 1 else f"lines {run[0]} to {run[-1]}"
    why = "no test runs" if one.is_known else "no test even loads"
    return GateFinding(
        title=f"{why} {where}",
        asks=asks,
        path=one.file.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
        line=run[0],
        detail=block("\n".join(line[:200] for line in shown[:_MOST_SHOWN_LINES])) + more,
    )


def _runs(missed: Collection[int], covered: Collection[int]) -> list[list[int]]:
    """Lines in groups: near one another, and nothing that was run between them."""
    runs: list[list[int]] = []
    for line in sorted(missed):
        last = runs[-1][-1] if runs else 0
        if runs and line - last <= _NEAR and not any(between in covered for between in range(last, line)):
            runs[-1].append(line)
        else:
            runs.append([line])
    return runs


def _floored(percent: float) -> str:
    """One decimal, never rounded up: 79.99 is not 80."""
    return f"{int(percent * 10 + 1e-9) / 10:g}"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
