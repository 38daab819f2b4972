"""What a run over the demo's backlog must end with, and how an actual ending differs from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BASE = "main"
EXPECTED: Mapping[str, str] = {
    "rates-age": "published",
    "rates-api": "published",
    "ui-rate-age": "published",
    "checkout-weight": "published",
    "checkout-shipping": "published",
    "checkout-discount": "published",
    "checkout-receipt": "published",
    "money-split": "published",
    "money-rounding": "needs_person",
}
"""The state each task ends in."""

EXPECTED_BASES: Mapping[str, str] = {
    "rates-age": BASE,
    "rates-api": "rates-age",
    "ui-rate-age": "rates-api",
    "checkout-weight": BASE,
    "checkout-shipping": "checkout-weight",
    "checkout-discount": "checkout-weight",
    "checkout-receipt": "join-checkout-receipt",
    "money-split": BASE,
}
"""What each pull request stands on: `main`, or the last part of a branch `factory/<run>/…`."""

EXPECTED_ATTEMPTS: Mapping[str, int] = {task: 2 if task == "money-split" else 1 for task in EXPECTED}
"""How many attempts each task takes, the first included."""


@dataclass(frozen=True)
class Ending:
    """How one task ended."""

    task: str
    state: str
    attempts: int
    base: str | None
    """The base branch of its pull request; None where there is none."""


def find_differences(endings: Sequence[Ending]) -> list[str]:
    """A sentence for everything that did not end as it must; none when all is well."""
    actual = {ending.task: ending for ending in endings}
    missing = [f"{task}: is not among the tasks of the run" for task in EXPECTED if task not in actual]
    unknown = [f"{task}: is no task of the demo" for task in actual if task not in EXPECTED]
    known = (actual[task] for task in EXPECTED if task in actual)
    return missing + unknown + [sentence for ending in known for sentence in _differences_of(ending)]


def _differences_of(ending: Ending) -> list[str]:
    due = EXPECTED[ending.task]
    if ending.state != due:
        # What else differs follows from this.
        return [f"{ending.task}: state is {ending.state}, not {due}"]
    base = None if ending.base is None else ending.base.rpartition("/")[2]
    compared = (
        ("attempts", ending.attempts, EXPECTED_ATTEMPTS[ending.task]),
        ("base", base, EXPECTED_BASES.get(ending.task)),
    )
    return [
        f"{ending.task}: {what} is {found}, not {expected}" for what, found, expected in compared if found != expected
    ]
