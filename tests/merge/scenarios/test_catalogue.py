"""The catalogue is whole: every scenario has a test on each forge, and the page names one that exists."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
NUMBERS = [f"M{number:02}" for number in range(1, 39)]
ON_A_WIRE = {"M29", "M30"}
BEFORE_ANY_FORGE = {"M13", "M14", "M27", "M35"}


def named_in(file: Path) -> set[str]:
    """The tests of a file, those too that it takes from another one."""
    found: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {one.name for one in node.names}
    return {name for name in found if name.startswith("test_")}


def numbered(files: Iterable[Path]) -> dict[str, set[str]]:
    """Number → names without `test_`."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in files:
        for name in named_in(file):
            prefix = re.match(r"test_((?:m\d\d_)*)", name)
            assert prefix
            for number in re.findall(r"m\d\d", prefix[1]):
                found[number.upper()].add(name.removeprefix("test_"))
    return found


BOTH = {"test_forge.py", "test_forge_landing.py", "test_ten_tasks_killed.py"}
FILES = [file for place in ("conformance", "merge", "forges") for file in (TESTS / place).rglob("test_*.py")]
GITHUB = numbered(file for file in FILES if "github" in file.name or file.name in BOTH)
LOCAL = numbered(file for file in FILES if "github" not in file.name)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_scenario_is_held_on_both_forges(number: str) -> None:
    assert number in ON_A_WIRE or LOCAL[number]
    assert number in BEFORE_ANY_FORGE or GITHUB[number]


def test_the_page_lists_every_scenario_with_a_test_of_its_number() -> None:
    page = (HERE / "README.md").read_text()
    rows = dict(re.findall(r"^\| (M\d\d) \|.*\| `(\w+)` \|$", page, re.MULTILINE))
    assert list(rows) == NUMBERS
    assert {number: name for number, name in rows.items() if name not in LOCAL[number] | GITHUB[number]} == {}
