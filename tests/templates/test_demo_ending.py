"""The demo's verdict on its own run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from switchyard_templates import EXPECTED, EXPECTED_ATTEMPTS, EXPECTED_BASES, Ending, find_differences


def as_expected() -> list[Ending]:
    bases = {task: base if base == "main" else f"factory/r1/{base}" for task, base in EXPECTED_BASES.items()}
    return [Ending(task, state, EXPECTED_ATTEMPTS[task], bases.get(task)) for task, state in EXPECTED.items()]


def test_the_expected_ending_has_no_differences() -> None:
    assert find_differences(as_expected()) == []


@pytest.mark.parametrize(
    ("task", "change", "sentence"),
    [
        ("money-rounding", {"state": "published"}, "money-rounding: state is published, not needs_person"),
        ("money-split", {"attempts": 1}, "money-split: attempts is 1, not 2"),
        ("rates-api", {"base": "main"}, "rates-api: base is main, not rates-age"),
        ("rates-api", {"base": None}, "rates-api: base is None, not rates-age"),
        ("money-rounding", {"base": "main"}, "money-rounding: base is main, not None"),
    ],
)
def test_each_difference_is_named(task: str, change: dict[str, object], sentence: str) -> None:
    endings = [replace(ending, **change) if ending.task == task else ending for ending in as_expected()]  # type: ignore[arg-type]
    assert find_differences(endings) == [sentence]


def test_a_task_that_is_missing_or_unknown_is_named() -> None:
    endings = [replace(ending, task="other") if ending.task == "rates-age" else ending for ending in as_expected()]
    assert find_differences(endings) == [
        "rates-age: is not among the tasks of the run",
        "other: is no task of the demo",
    ]
