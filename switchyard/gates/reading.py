"""What a reader should look at first: the places of a change, ranked by what speaks against each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from switchyard.gates.risk import SOME_IMPORTERS, FileFacts, counted
from switchyard.packets import GateFinding, Proof
from switchyard.quoting import code, told

_WORTH = {"content": 90, "surface": 85, "workflows": 80, "dependencies": 75, "verifiers": 70, "weakening": 65}
"""Gates by how much a finding of theirs that is only to be shown is worth reading."""
_OTHERS = 55
_UNCOVERED = {"coverage": 50, "mutation": 45}
LONGEST_PATH = 200
_WHYS = 4
"""Of one place."""
_NEAR, _IMPORTED, _UNTESTED, _BIGGEST = 72, 60, 40, 20
_ASKS = {"person": 200, "repair": 150, "note": 0}


@dataclass(frozen=True)
class _Look:
    worth: int
    place: str
    why: str


def look_first(files: Sequence[FileFacts], proof: Proof, *, most: int) -> list[str]:
    """Places with the reasons to look there, in Markdown; the most needful first, each place once."""
    found = sorted([*_of_gates(proof), *_of_files(files)], key=lambda look: -look.worth)
    reasons: dict[str, list[str]] = {}
    for look in found:
        told_before = reasons.setdefault(look.place, [])
        if look.why not in told_before:
            told_before.append(look.why)
    return [_shown(place, whys) for place, whys in list(reasons.items())[:most]]


def place_of(finding: GateFinding) -> str:
    """Where a finding is, as code; "" where it has no place."""
    path = short(finding.path)
    return code(f"{path}:{finding.line}" if finding.line else path) if path else ""


def short(path: str) -> str:
    """The end of a path, which says most."""
    return path if len(path) <= LONGEST_PATH else f"…{path[-LONGEST_PATH:]}"


def _of_gates(proof: Proof) -> Iterator[_Look]:
    for check in proof.checks:
        if not check.passed:
            yield _Look(300, f"check {code(check.name)}", "it failed")
    for gate in proof.gates:
        for finding in gate.findings:
            if finding.asks == "note" and not finding.path:
                # To be known, and nowhere to be looked at.
                continue
            worth = _WORTH.get(gate.gate, _UNCOVERED.get(gate.gate, _OTHERS)) + _ASKS[finding.asks]
            place = code(short(finding.path)) if finding.path else f"gate {code(gate.gate)}"
            where = f"line {finding.line}: " if finding.path and finding.line else ""
            yield _Look(worth, place, f"{where}{told(finding.title, most=200)}")


def _of_files(files: Sequence[FileFacts]) -> Iterator[_Look]:
    for file in files:
        place = code(short(file.path))
        if file.near:
            why = "watched by the configuration" if file.near == file.path else f"next to {code(short(file.near))}"
            yield _Look(_NEAR, place, why)
        if file.importers >= SOME_IMPORTERS:
            why = f"{counted(file.importers, 'file')} import it"
            yield _Look(_IMPORTED + min(file.importers, 9), place, why)
        if file.tests == 0:
            yield _Look(_UNTESTED, place, "no test reaches it")
    biggest = max(files, key=lambda file: (not file.is_test, file.added + file.removed, file.path), default=None)
    if biggest and biggest.added + biggest.removed:
        yield _Look(_BIGGEST, code(short(biggest.path)), f"+{biggest.added} −{biggest.removed}")


def _shown(place: str, whys: Sequence[str]) -> str:
    return f"{place} ({'; '.join(whys[:_WHYS])})"
