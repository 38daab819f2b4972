"""What the repository's own rules say must be seen by a person: paths and added text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from pathspec import GitIgnoreSpec

from switchyard.gates.change import Change
from switchyard.gates.static.rules import Rules
from switchyard.gates.static.text import NewText
from switchyard.packets import GateFinding, GateResult
from switchyard.quoting import code

GATE = "content"


def find_escalations(change: Change, texts: Sequence[NewText], rules: Rules) -> GateResult:
    """Whether a path or an added text is one that `[review]` wants a person to see."""
    if not rules.escalate_paths and not rules.escalate_content:
        return GateResult.skipped(GATE, "no path or text is configured to be seen by a person")
    findings = [
        GateFinding(title=f"{code(pattern)} is seen by a person", asks="person", path=path)
        for path, pattern in matching_paths([file.path for file in change.files], rules.escalate_paths)
    ]
    for text in texts:
        findings.extend(_found_in(text, rules.escalate_content))
    patterns = len(rules.escalate_paths) + len(rules.escalate_content)
    return GateResult.of(GATE, findings, f"{len(findings)} places match one of {patterns} patterns")


def matching_paths(paths: list[str], patterns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each path that a pattern names, in any case, with the first such pattern."""
    for path in paths:
        folded = path.casefold()
        for pattern in patterns:
            if _spec(pattern).match_file(path) or _spec(pattern.casefold()).match_file(folded):
                yield path, pattern
                break


@cache
def _spec(pattern: str) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines([pattern])


def _found_in(text: NewText, patterns: tuple[str, ...]) -> Iterator[GateFinding]:
    """Where the new text, as it is or with its literals joined, holds a pattern; each line once a pattern."""
    unbroken, places = text.unbroken
    for pattern in patterns:
        words = pattern.split()
        if not words:
            continue
        form = re.compile(r"[\s\\]+".join(map(re.escape, words)), re.IGNORECASE)
        starts = [match.start() for match in form.finditer(text.whole)]
        starts += [places[match.start()] for match in form.finditer(unbroken)]
        for line in sorted({text.line_at(start) for start in starts}):
            yield GateFinding(title=f"{code(pattern)} was added", asks="person", path=text.path, line=line)
