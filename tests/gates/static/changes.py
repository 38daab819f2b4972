"""Changes in a line or two."""

from __future__ import annotations

from collections.abc import Iterable

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.static import Rules, inspect_change
from switchyard.packets import GateResult

RULES = Rules(escalate_paths=("**/auth/**", "**/migrations/**"), escalate_content=("DELETE FROM", "DROP TABLE"))
Side = str | bytes | None


def a_file(
    path: str, before: Side, after: Side, mode_before: str = "100644", mode_after: str = "100644"
) -> ChangedFile:
    """One file; a side that is None is not there."""
    old, new = (side.encode() if isinstance(side, str) else side for side in (before, after))
    return ChangedFile(
        path,
        old,
        new,
        mode_before="" if old is None else mode_before,
        mode_after="" if new is None else mode_after,
        size_before=len(old or b""),
        size_after=len(new or b""),
    )


def added(path: str, after: Side, mode: str = "100644") -> ChangedFile:
    return a_file(path, None, after, mode_after=mode)


def inspect(*files: ChangedFile, allow: Iterable[str] = (), rules: Rules = RULES) -> dict[str, GateResult]:
    """What each gate says."""
    given = Rules(rules.escalate_paths, rules.escalate_content, rules.max_file_kb, frozenset(allow))
    return {result.gate: result for result in inspect_change(Change(files), given)}


def asked(result: GateResult) -> list[tuple[str, str]]:
    """What a gate asks of whom, without the notes."""
    return [(finding.asks, finding.title) for finding in result.findings if finding.asks != "note"]


def says(result: GateResult, *, asks: str = "person") -> str:
    """The titles of the findings that ask so, a line each."""
    return "\n".join(finding.title for finding in result.findings if finding.asks == asks)
