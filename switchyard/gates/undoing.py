"""Repairs that lead nowhere: an attempt that takes back what an earlier one did, or that fails just as it did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from switchyard.packets import CheckResult

_ALIKE = 0.8
"""Dice's coefficient from which two blocks of lines are the same one."""
_MAX_LINES = 20_000
"""Of a file whose hunks are looked for line by line; a longer one is one hunk."""


@dataclass(frozen=True)
class Hunk:
    """Lines of one file that became others; without blanks at their ends, and without blank lines."""

    path: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class Undoing:
    """One hunk of an attempt that a later attempt took back."""

    attempt: int
    """The later one; attempts count from 1."""
    undone: int
    hunk: Hunk
    """As the earlier attempt had made it."""

    @property
    def text(self) -> str:
        gone = len(self.hunk.added) + len(self.hunk.removed)
        return f"attempt {self.attempt} takes back {gone} lines of attempt {self.undone} in {self.hunk.path}"


@dataclass(frozen=True)
class Repetition:
    """An attempt after which the checks failed just as after an earlier one."""

    attempt: int
    repeated: int
    checks: tuple[str, ...]
    """Names of the checks that failed both times."""

    @property
    def text(self) -> str:
        return f"after attempt {self.attempt} {', '.join(self.checks)} failed as after attempt {self.repeated}"


def find_undoing(states: Sequence[Mapping[str, bytes]]) -> list[Undoing]:
    """What later attempts took back of earlier ones, in the order of the attempts.

    Args:
        states: Path → content of the files that any attempt touched: first as the base has them, then after each
            attempt. A path that a state lacks is no file there.
    """
    made = [hunks_between(before, after) for before, after in pairwise(states)]
    # Read backwards, a step that takes all back gives the very hunks of the other: a comparison from the front may cut
    # the same lines otherwise.
    turned = [hunks_between(after, before) for before, after in pairwise(states)]
    return [
        Undoing(later + 1, earlier + 1, hunk)
        for later, step in enumerate(turned)
        for earlier in range(later)
        for hunk in made[earlier]
        if any(_are_alike(other, hunk) for other in step)
    ]


def hunks_between(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[Hunk]:
    """What one attempt changed, in the order of paths and lines; changes of nothing but blanks are left out."""
    hunks = []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            hunks += _hunks_of(path, _lines(before.get(path, b"")), _lines(after.get(path, b"")))
    return [hunk for hunk in hunks if hunk.removed != hunk.added]


def find_repetition(attempts: Sequence[Sequence[CheckResult]]) -> Repetition | None:
    """Whether the last attempt failed just as an earlier one, the latest of these; None where it got somewhere.

    Args:
        attempts: The results of the checks after each attempt, in order.
    """
    signatures = [_signatures(checks) for checks in attempts]
    if not signatures or not signatures[-1]:
        return None
    for earlier in range(len(signatures) - 2, -1, -1):
        if signatures[earlier] == signatures[-1]:
            return Repetition(len(signatures), earlier + 1, tuple(sorted(signatures[-1])))
    return None


def normalise_output(text: str) -> str:
    """What a check printed without what differs from run to run.

    Times, durations, addresses, folders, line numbers, process numbers, seeds, ports and hashes give way to a mark; the
    order of lines, which parallel runs change, does too. Values that were compared stay.
    """
    for pattern, mark in _VOLATILE:
        text = pattern.sub(mark, text)
    return "\n".join(sorted({line.strip() for line in text.splitlines()} - {""}))


_VOLATILE = tuple(
    (re.compile(pattern, re.IGNORECASE), mark)
    for pattern, mark in (
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),
        (r"[ \t]*\[[ \d]+%\]", ""),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
        (r"\b\d\d?:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (r"\b0x[0-9a-f]{4,}\b", "<address>"),
        (r"\b(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d{2,5}\b", r"\1:<port>"),
        (r"\b\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|secs?|seconds?|min|minutes?)\b", "<duration>"),
        (r"\b(pid|port|seed|process|thread)([ =:#]+)\d+", r"\1\2<number>"),
        (r"(?<![\w.])(?:/[\w.@+~-]+)+/([\w.@+~-]+)", r"<folder>/\1"),
        (r"(\.\w{1,5}):\d+(?::\d+)?", r"\1:<line>"),
        (r"\b(lines?) \d+", r"\1 <line>"),
        (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,64}\b", "<hash>"),
        (r"[=_-]{5,}", "-----"),
    )
)
"""In order: a date holds what looks like a duration, and a folder what looks like a hash."""


def _signatures(checks: Sequence[CheckResult]) -> dict[str, tuple[object, ...]]:
    """Name → how it failed, of each check that did."""
    return {
        check.name: (check.exit_code, check.signal, check.limit, normalise_output(check.tail))
        for check in checks
        if not check.passed
    }


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def _hunks_of(path: str, before: list[str], after: list[str]) -> list[Hunk]:
    if len(before) + len(after) > _MAX_LINES:
        return [Hunk(path, _told(before), _told(after))]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        Hunk(path, _told(before[i1:i2]), _told(after[j1:j2]))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _told(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line.rstrip() for line in lines if line.strip())


def _are_alike(one: Hunk, other: Hunk) -> bool:
    return one.path == other.path and _overlap(one.removed, other.removed) and _overlap(one.added, other.added)


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    if not one or not other:
        return not one and not other
    return 2 * (Counter(one) & Counter(other)).total() / (len(one) + len(other)) >= _ALIKE
