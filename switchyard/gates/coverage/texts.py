"""Coverage reports that are no JSON: Go's profile, LCOV, and JaCoCo's XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from switchyard.gates.coverage.model import MOST_LINES, Lines, Report, Spans, Unreadable
from switchyard.gates.sources import family_of

_BLOCK = re.compile(r"(.{1,4000}):(\d{1,7})\.\d{1,7},(\d{1,7})\.\d{1,7} \d{1,9} (\d{1,18})")
_COUNTED = re.compile(r"(\d{1,7}),(-?\d{1,18})(,.*)?")
_JVM = frozenset(("java",))


class _Tally:
    """Counts of lines as they come in, several for one line: it was run where any of them says so."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, bool]] = {}
        self._total = 0

    def know(self, name: str) -> None:
        self._counts.setdefault(name, {})

    def add(self, name: str, first: int, last: int, was_run: bool) -> None:
        self._total += max(0, last - first) + 1
        if self._total > MOST_LINES:
            raise Unreadable(f"it speaks of more than {MOST_LINES} lines")
        lines = self._counts.setdefault(name, {})
        for line in range(first, last + 1):
            lines[line] = lines.get(line, False) or was_run

    def files(self) -> dict[str, Lines | Spans]:
        return {name: _lines_of(counts) for name, counts in self._counts.items()}


def read_go(raw: bytes) -> Report:
    """A profile of `go test -coverprofile`."""
    tally = _Tally()
    for number, line in enumerate(_texts(raw), 1):
        if not line or line.startswith("mode:"):
            continue
        block = _BLOCK.fullmatch(line)
        if block is None:
            raise Unreadable(f"line {number} is no block of a Go profile")
        tally.add(block[1], int(block[2]), int(block[3]), int(block[4]) > 0)
    return Report("Go", frozenset(("go",)), tally.files())


def read_lcov(raw: bytes) -> Report:
    """LCOV's tracefile: the languages that it measures are those of the files it names."""
    tally, name = _Tally(), ""
    for number, line in enumerate(_texts(raw), 1):
        key, _, value = line.partition(":")
        if key == "SF":
            name = value
            tally.know(name)
        elif key == "DA":
            counted = _COUNTED.fullmatch(value)
            if counted is None or not name:
                raise Unreadable(f"line {number} is no count of LCOV")
            tally.add(name, int(counted[1]), int(counted[1]), int(counted[2]) > 0)
        elif line == "end_of_record":
            name = ""
    files = tally.files()
    return Report("LCOV", frozenset(family_of(file) for file in files) - {""}, files)


def read_jacoco(raw: bytes) -> Report:
    """JaCoCo's XML: a line was run where one of its instructions was."""
    try:
        root = fromstring(raw, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError) as err:
        raise Unreadable(f"it is no XML that is read here: {type(err).__name__}") from err
    if root.tag != "report":
        raise Unreadable("it is no report of JaCoCo")
    tally = _Tally()
    for package in root.iter("package"):
        for file in package.iter("sourcefile"):
            name = f"{package.get('name', '')}/{file.get('name', '')}".lstrip("/")
            tally.know(name)
            for line in file.iter("line"):
                number, ran = line.get("nr", ""), line.get("ci", "")
                if not (number.isdecimal() and ran.isdecimal() and len(number) < 8):
                    raise Unreadable("a line of it has no number or no count")
                tally.add(name, int(number), int(number), ran.strip("0") != "")
    return Report("JaCoCo", _JVM, tally.files())


def _texts(raw: bytes) -> Iterator[str]:
    return (line.decode("utf-8", "surrogateescape").rstrip("\r") for line in raw.split(b"\n"))


def _lines_of(counts: dict[int, bool]) -> Lines:
    covered = frozenset(line for line, was_run in counts.items() if was_run)
    return Lines(covered, frozenset(counts) - covered)
