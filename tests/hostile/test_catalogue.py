"""The catalogue is whole: every case has tests that exist, and every hostile test belongs to a case."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hostile.catalogue import CASES, EXCEPTIONS
from hostile.guards import GUARDS

_TESTS = Path(__file__).parents[1]
_PAGE = _TESTS.parent / "docs" / "threat-model.md"


def names_in(file: Path) -> set[str]:
    """The tests of a file, as pytest names them."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        within = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{prefix}{one.name}" for one in within if isinstance(one, ast.FunctionDef)}
    return found


def exists(test: str) -> bool:
    file, _, name = test.partition("::")
    return (_TESTS / file).is_file() and name in names_in(_TESTS / file)


def test_the_catalogue_goes_from_h01_to_h38() -> None:
    assert list(CASES) == [f"H{number:02}" for number in range(1, 39)]


@pytest.mark.parametrize("number", CASES)
def test_every_case_has_tests_that_exist(number: str) -> None:
    assert CASES[number].tests
    assert [test for test in CASES[number].tests if not exists(test)] == []


def test_every_test_that_carries_a_number_is_in_the_catalogue() -> None:
    listed = {test for case in CASES.values() for test in case.tests}
    for file in (_TESTS / "hostile").glob("test_*.py"):
        for name in names_in(file):
            if re.match(r"test_h\d\d_", name):
                assert f"hostile/{file.name}::{name}" in listed


def test_every_guard_names_tests_that_exist() -> None:
    named = {re.sub(r"\[.*", "", test) for guard in GUARDS for test in guard.tests}
    assert [test for test in named if not exists(test)] == []


def test_every_exception_is_about_a_test_that_exists() -> None:
    assert [test for _, test in EXCEPTIONS if not exists(test)] == []


def test_the_threat_model_lists_every_case_with_one_of_its_tests() -> None:
    rows = dict(re.findall(r"^\| (H\d\d) \|(.*)$", _PAGE.read_text(), re.MULTILINE))
    assert list(rows) == list(CASES)
    for number, row in rows.items():
        assert any(test.rpartition("::")[2].removeprefix("test_") in row for test in CASES[number].tests), number
