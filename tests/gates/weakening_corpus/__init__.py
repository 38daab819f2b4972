"""Labelled changes to tests, in four parts of different worth as evidence.

Each part was written before the detector had seen it, and its first run is what it says about unknown changes:

    part        weak  ordinary  recall at first  false alarms at first
    tuned         89        59            0.944                  0.136
    held_out     134        65            0.948                  0.062
    late          40        25            0.900                  0.120   (chosen to be hard)
    disguised    133        20            0.797                  0.000   (disguises that were hoped to escape)

After each first run the rules were mended, so that what the tests assert now is that nothing is lost again. Some names
of kinds in `disguised` were added after it: what a thing is called matters less than that it is found.

Real changes stand in commits.tsv, by repository and commit alone; benchmarks/weakening_commits.py measures on them.

A file holds one case after the other: `### label: title`, where the label is `ordinary` or the kinds one of which must
be found; then `@@ path` for each file, and its lines, with ` ` for both sides, `-` for the base and `+` for the change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
ORDINARY = "ordinary"


@dataclass
class Case:
    """One labelled change."""

    source: str
    label: str
    title: str
    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)

    @property
    def is_ordinary(self) -> bool:
        return self.label == ORDINARY


def cases_of(part: str) -> list[Case]:
    """The cases of `tuned`, `held_out`, `late` or `disguised`, in the order of their files."""
    return [case for path in sorted((FOLDER / part).glob("*.diffs")) for case in parse(path.stem, path.read_text())]


def parse(source: str, text: str) -> list[Case]:
    found: list[Case] = []
    path = ""
    for line in text.splitlines():
        if line.startswith("### "):
            label, _, title = line[4:].partition(": ")
            found.append(Case(source, label, title))
        elif line.startswith("@@ "):
            path = line[3:]
        else:
            content = line[1:].encode() + b"\n"
            for mark, side in (("-", found[-1].before), ("+", found[-1].after)):
                if line[:1] in (mark, " ", ""):
                    side[path] = side.get(path, b"") + content
    return found
