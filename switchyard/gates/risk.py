"""How much a change asks of its reader: a level, and the facts that make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from switchyard.packets import GateFinding, GateResult, Proof
from switchyard.quoting import code

Level = Literal["low", "medium", "high"]

MANY_LINES, SOME_LINES = 400, 50
MANY_FILES, SOME_FILES = 20, 5
MANY_IMPORTERS, SOME_IMPORTERS = 20, 5
MANY_UNCOVERED = 20
UNSURE = 0.7
"""An agent that is less confident than that says so for a reason."""
_GRAVE = ("surface", "content", "workflows", "dependencies", "licences", "protected", "secrets")
"""Gates whose every finding, even one that is only to be shown, makes a change risky."""


@dataclass(frozen=True)
class FileFacts:
    """One changed file, as far as it matters to a reader."""

    path: str
    status: Literal["added", "deleted", "modified"] = "modified"
    added: int = 0
    """Lines."""
    removed: int = 0
    is_binary: bool = False
    is_test: bool = False
    is_read: bool = True
    """Whether its language is read: else nothing is known of who imports it, and of what in it is new."""
    importers: int = 0
    """How many files import it directly."""
    tests: int | None = None
    """How many test files reach it through imports; None: nobody looked, or it needs none."""
    near: str = ""
    """A path to be watched by the configuration that it is, imports or is imported by."""


@dataclass(frozen=True)
class Risk:
    """A level with its facts, the gravest first."""

    level: Level
    facts: tuple[str, ...]


def judge_risk(files: Sequence[FileFacts], proof: Proof, confidence: float | None = None) -> Risk:
    """Tell a change's risk by facts alone.

    Args:
        confidence: The agent's own; None: it does not say.
    """
    high = [*_failures(proof), *_grave(proof), *_near(files)]
    medium: list[str] = []
    lines = sum(file.added + file.removed for file in files)
    _sort(f"{lines} changed lines", lines, SOME_LINES, MANY_LINES, medium, high)
    _sort(f"{len(files)} changed files", len(files), SOME_FILES, MANY_FILES, medium, high)
    most = max(files, key=lambda file: file.importers, default=None)
    if most:
        told = f"{code(most.path[-200:])} is imported by {most.importers} files"
        _sort(told, most.importers, SOME_IMPORTERS, MANY_IMPORTERS, medium, high)
    holes = len(_findings(proof, "coverage"))
    _sort(f"{counted(holes, 'finding')} of changed lines that no test runs", holes, 1, MANY_UNCOVERED, medium, high)
    medium += _smaller(files, proof, confidence)
    if high:
        return Risk("high", (*high, *medium))
    return Risk("medium", tuple(medium)) if medium else Risk("low", (f"{_size(files)}, and nothing speaks against it",))


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def gate_named(proof: Proof, name: str) -> GateResult | None:
    """What the gate of that name said; None: it did not speak."""
    return next((gate for gate in proof.gates if gate.gate == name), None)


def _sort(fact: str, number: int, some: int, many: int, medium: list[str], high: list[str]) -> None:
    if number >= many:
        high.append(fact)
    elif number >= some:
        medium.append(fact)


def _failures(proof: Proof) -> list[str]:
    checks = [f"check {code(check.name)} failed" for check in proof.checks if not check.passed]
    return checks + [f"gate {code(gate.gate)} failed" for gate in proof.gates if gate.outcome == "failed"]


def _grave(proof: Proof) -> list[str]:
    return [
        f"gate {code(name)} has {counted(len(found), 'finding')} to be seen"
        for name in _GRAVE
        if (found := _findings(proof, name)) and any(finding.asks == "note" for finding in found)
    ]


def _near(files: Sequence[FileFacts]) -> list[str]:
    near = [file for file in files if file.near]
    if not near:
        return []
    more = f" and {len(near) - 1} more" if len(near) > 1 else ""
    return [f"{code(near[0].path[-200:])}{more} is, imports or is imported by what {code('escalate_paths')} watches"]


def _smaller(files: Sequence[FileFacts], proof: Proof, confidence: float | None) -> list[str]:
    told = []
    if survivors := _findings(proof, "mutation"):
        told.append(f"{counted(len(survivors), 'mutant')} that no test notices")
    untested = [file for file in files if file.tests == 0]
    if untested:
        told.append(f"{counted(len(untested), 'changed source file')} that no test reaches")
    if notes := _findings(proof, "weakening"):
        told.append(f"{counted(len(notes), 'finding')} in existing tests")
    if not proof.checks:
        told.append("no check ran")
    if confidence is not None and confidence < UNSURE:
        told.append(f"the agent's own confidence is {confidence:.0%}")
    return told


def _findings(proof: Proof, name: str) -> tuple[GateFinding, ...]:
    gate = gate_named(proof, name)
    return gate.findings if gate else ()


def _size(files: Sequence[FileFacts]) -> str:
    lines = sum(file.added + file.removed for file in files)
    return f"{counted(lines, 'line')} in {counted(len(files), 'file')}"
