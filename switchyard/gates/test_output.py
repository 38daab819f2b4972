"""What the runners of tests print, read for how many passed and which failed; nothing of it is proof."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_FAILURES = 200
_MOST_CHARS = 4_000_000
_MOST_NAME_CHARS = 300


@dataclass(frozen=True)
class TestReport:
    """What a check's output says of its tests."""

    __test__ = False

    passed: int | None = None
    """None: it does not tell."""
    failures: tuple[str, ...] = ()
    """Names, sorted."""


def read_report(output: bytes) -> TestReport:
    """Read the output of pytest, unittest, Jest, Vitest, Mocha, node:test, go test, cargo test or Maven."""
    text = _COLOURS.sub("", output[-_MOST_CHARS:].decode("utf-8", "replace"))
    counts = [count for count in (read(text) for read in _COUNTS) if count is not None]
    named = {match[1].strip()[:_MOST_NAME_CHARS] for pattern in _FAILURES for match in pattern.finditer(text)}
    return TestReport(sum(counts) if counts else None, tuple(sorted(named))[:MOST_FAILURES])


# Agents write the tests that print this: every pattern takes time in proportion to the text. `\s*` at the beginning of
# a line would go over newlines from each of them, and numbers longer than these `int` refuses to read.
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PYTEST = re.compile(
    r"^(?:=+ )?((?:no tests ran|\d{1,9} (?:passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?|rerun)"
    r"(?:, )?)+) in [\d.]+ ?s",
    re.MULTILINE,
)
_UNITTEST = re.compile(r"^Ran (\d{1,9}) tests? in .*\n\s*\n?(OK|FAILED|NO TESTS RAN)?(?: \((.*)\))?", re.MULTILINE)
_JEST = re.compile(r"^[ \t]*Tests:?[ \t]+((?:\d{1,9} \w+[,|]? *(?:\| *)?)+)(?:\(\d+\))?", re.MULTILINE)
_MOCHA = re.compile(r"^[ \t]*(\d{1,9}) passing\b", re.MULTILINE)
_NODE = re.compile(r"^(?:#|ℹ) pass (\d{1,9})\s*$", re.MULTILINE)
_GO_TEST = re.compile(r"^[ \t]*--- PASS: ", re.MULTILINE)
_GO_PACKAGE = re.compile(r"^(?:ok|FAIL)\s+\S+\s.*$", re.MULTILINE)
_CARGO = re.compile(r"^test result: \w+\. (\d{1,9}) passed", re.MULTILINE)
_MAVEN = re.compile(
    r"^.*Tests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9}), Skipped: (\d{1,9})\s*$", re.MULTILINE
)
_FAILURES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^(?:FAILED|ERROR) ([^\s\[]+\[.*?\]|\S+)(?: - .*)?$",
        r"^(?:FAIL|ERROR): (\w+ \([\w.]+\))",
        r"^[ \t]*● (.+ › .+)$",
        r"^[ \t]*(?:FAIL|×) +(\S+ > .+?)(?: \d+ms)?$",
        r"^[ \t]*--- FAIL: (\S+)",
        r"^test (\S+) \.\.\. FAILED$",
        r"^not ok \d+ - (.+?)(?: #.*)?$",
        r"^[ \t]*✖ (.+?) \([\d.]+ms\)$",
        r"^\[ERROR\]\s+([\w$.]+\.[\w$]+):\d+",
    )
)


def _pytest(text: str) -> int | None:
    return _sum([_passed(match[1]) for match in _PYTEST.finditer(text)])


def _unittest(text: str) -> int | None:
    counts = []
    for match in _UNITTEST.finditer(text):
        less = sum(int(number) for number in re.findall(r"(?:failures|errors|skipped)=(\d{1,9})", match[3] or ""))
        counts.append(max(0, int(match[1]) - less))
    return _sum(counts)


def _jest(text: str) -> int | None:
    return _sum([_passed(match[1]) for match in _JEST.finditer(text)])


def _mocha(text: str) -> int | None:
    return _sum([int(match[1]) for match in _MOCHA.finditer(text)])


def _node(text: str) -> int | None:
    return _sum([int(match[1]) for match in _NODE.finditer(text)])


def _go(text: str) -> int | None:
    tests = len(_GO_TEST.findall(text))
    packages: list[str] = [line for line in _GO_PACKAGE.findall(text) if "[no test" not in line]
    if tests or not packages:
        return tests or None
    return sum(line.startswith("ok") for line in packages)


def _cargo(text: str) -> int | None:
    return _sum([int(match[1]) for match in _CARGO.finditer(text)])


def _maven(text: str) -> int | None:
    return _sum([int(match[1]) - sum(int(match[n]) for n in (2, 3, 4)) for match in _MAVEN.finditer(text)])


def _passed(summary: str) -> int:
    found = re.search(r"(\d{1,9}) passed", summary)
    return int(found[1]) if found else 0


def _sum(counts: list[int]) -> int | None:
    return sum(counts) if counts else None


_COUNTS = (_pytest, _unittest, _jest, _mocha, _node, _go, _cargo, _maven)
