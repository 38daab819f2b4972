"""Comments and marks that take code out of a coverage report: what a change takes out with them counts as not run."""

from __future__ import annotations

import re
from collections.abc import Collection

from switchyard.gates.sources import Statements

_MARK = re.compile(
    r"#\s*pragma:?\s*no\s*(?:cover|branch)"
    r"|(?:/[/*]|#)\s*(?:istanbul|c8|v8|node:coverage)\s+(?:ignore\b|disable\b)"
    r"|LCOV_EXCL_(?:LINE|START|BR_LINE|BR_START)"
    r"|#!?\[\s*(?:cfg_attr\([^\]]*)?(?:coverage\s*\(\s*off|no_coverage|cfg\(not\(tarpaulin)"
    r"|//\s*coverage:ignore"
    r"|@\w*Generated\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"\bignore\s+start\b|\bcoverage\s+disable\b|EXCL_(?:BR_)?START", re.IGNORECASE)
_ENDS = re.compile(r"\bignore\s+(?:stop|end)\b|\bcoverage\s+enable\b|EXCL_(?:BR_)?STOP", re.IGNORECASE)
_WHOLE = re.compile(r"\bignore\s+file\b|coverage:ignore\s+file|#!\[", re.IGNORECASE)
_COUNTED = re.compile(r"\bignore\s+next\s+(\d{1,6})\b", re.IGNORECASE)


def waived_lines(source: bytes, added: Collection[int], statements: Statements) -> frozenset[int]:
    """The lines that added marks take out of the report.

    Args:
        added: Numbers of the lines that the change adds or edits; a mark that was there before stands.
    """
    texts = source.decode("utf-8", "replace").split("\n")
    waived: set[int] = set()
    for number in added:
        text = texts[number - 1] if number <= len(texts) else ""
        if _MARK.search(text) and not _ENDS.search(text):
            waived.update(_reach(number, texts, statements))
    return frozenset(waived)


def _reach(number: int, texts: list[str], statements: Statements) -> range:
    text = texts[number - 1]
    if _WHOLE.search(text):
        return range(1, len(texts) + 1)
    if _BEGINS.search(text):
        ends = (line for line in range(number + 1, len(texts) + 1) if _ENDS.search(texts[line - 1]))
        return range(number, next(ends, len(texts)) + 1)
    if counted := _COUNTED.search(text):
        return range(number, number + int(counted[1]) + 1)
    line = next((line for line in range(number, len(texts) + 1) if line in statements.first), number)
    first = statements.first.get(line, line)
    return range(min(number, first), statements.last.get(first, line) + 1)
