"""Coverage of changed lines: reports of many tools, read as what tests ran, held against what a change adds."""

from switchyard.gates.coverage.judging import GATE, judge_coverage
from switchyard.gates.coverage.model import Lines, Places, Report, Unreadable
from switchyard.gates.coverage.reading import MOST_REPORT_BYTES, read_report

__all__ = [
    "GATE",
    "MOST_REPORT_BYTES",
    "Lines",
    "Places",
    "Report",
    "Unreadable",
    "judge_coverage",
    "read_report",
]
