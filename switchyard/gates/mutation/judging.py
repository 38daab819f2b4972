"""What it says of the tests that faults went unnoticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from switchyard.gates.mutation.model import Mutant
from switchyard.packets import Asks, GateFinding, GateResult
from switchyard.quoting import code

GATE = "mutation"
MOST_FINDINGS = 20


@dataclass(frozen=True)
class Trial:
    """One fault and what the tests made of it."""

    mutant: Mutant
    outcome: Literal["noticed", "unnoticed", "untried"]
    """untried: the time was up."""


def judge_mutation(trials: Sequence[Trial], unread: Sequence[str], percent: float, minutes: float) -> GateResult:
    """Say how many faults were noticed, and which were not.

    Args:
        unread: Paths of changed files that no fault could be looked for in.
        percent: How many must be; with 0 nothing is asked for.
        minutes: The time that there was.
    """
    told = [_unread(path) for path in unread[:MOST_FINDINGS]]
    tried = [trial for trial in trials if trial.outcome != "untried"]
    if not tried:
        return GateResult.of(GATE, [*told, *_untried(len(trials), percent, minutes)], "no fault was tried")
    unnoticed = [trial.mutant for trial in tried if trial.outcome == "unnoticed"]
    noticed = len(tried) - len(unnoticed)
    reached = 100 * noticed / len(tried)
    asks: Asks = "repair" if reached < percent else "note"
    wanted = f"; {percent:g} % are wanted" if percent else ""
    left = (
        f"; {minutes:g} minutes did not suffice for {len(trials) - len(tried)} more" if len(tried) < len(trials) else ""
    )
    faults = "1 fault" if len(tried) == 1 else f"{len(tried)} faults"
    reason = f"tests notice {noticed} of {faults} put into changed lines ({int(reached)} %){wanted}{left}"
    return GateResult.of(GATE, [*_findings(unnoticed, asks), *told], reason)


def _unread(path: str) -> GateFinding:
    title = "no fault could be looked for: the file is not well formed, too long, or nested too deeply"
    return GateFinding(title=title, asks="note", path=_printable(path))


def _untried(count: int, percent: float, minutes: float) -> list[GateFinding]:
    if not count:
        return []
    title = f"{minutes:g} minutes did not suffice for one of {count} faults"
    asks: Asks = "person" if percent else "note"
    return [GateFinding(title=title, asks=asks)]


def _findings(unnoticed: Sequence[Mutant], asks: Asks) -> list[GateFinding]:
    found = [_finding(mutant, asks) for mutant in unnoticed[:MOST_FINDINGS]]
    if len(unnoticed) > MOST_FINDINGS:
        found.append(GateFinding(title=f"{len(unnoticed) - MOST_FINDINGS} more faults that no test notices", asks=asks))
    return found


def _finding(mutant: Mutant, asks: Asks) -> GateFinding:
    becomes = f"becomes {code(mutant.after)}" if mutant.after else "is left out"
    return GateFinding(
        title=f"no test fails when {code(mutant.before)} {becomes}",
        asks=asks,
        path=_printable(mutant.path),
        line=mutant.line,
    )


def _printable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
