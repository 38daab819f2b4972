"""Reports that real tools wrote of the sources beside them, and changes made of those sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.coverage import Places, judge_coverage, read_report
from switchyard.gates.sources import runnable_files
from switchyard.packets import GateResult

REPORTS = Path(__file__).parent / "reports"


def added(path: str, source: Path | bytes) -> ChangedFile:
    """A new file."""
    return ChangedFile(path, None, source if isinstance(source, bytes) else source.read_bytes(), mode_before="")


def sample(path: str) -> bytes:
    return (REPORTS / path).read_bytes()


def judged(
    report: bytes,
    *files: ChangedFile,
    percent: float = 80,
    root: str = "/workspace",
    folder: str = "",
    others: tuple[str, ...] = (),
    modules: Mapping[str, str] | None = None,
) -> GateResult:
    """What the gate says of a change by one report."""
    paths = frozenset((*(file.path for file in files), *others))
    places = Places(root, folder, paths, modules or {})
    return judge_coverage(runnable_files(Change(files), ()), [(read_report(report), places)], percent)


def missed(result: GateResult) -> list[tuple[str, int]]:
    """Where the findings begin."""
    return [(finding.path, finding.line) for finding in result.findings]
