"""Files that hold the configuration of tests beside other things, taken apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from switchyard.gates.sections import with_base_sections

PYPROJECT = '[project]\nname = "x"\n\n[tool.pytest.ini_options]\naddopts = "-q"\n'
PACKAGE = {"name": "x", "scripts": {"test": "jest"}, "jest": {"testTimeout": 5}}
CARGO = '[package]\nname = "x"\n\n[[test]]\nname = "all"\n'
SETUP = "[metadata]\nname = x\n\n[tool:pytest]\naddopts = -q\n"
MOD = "module x\n\nrequire example.com/testing/assert v1.0.0\n"
BASE = {
    "pyproject.toml": PYPROJECT,
    "package.json": json.dumps(PACKAGE),
    "Cargo.toml": CARGO,
    "setup.cfg": SETUP,
    "go.mod": MOD,
}


def merged(path: str, after: str, *, before: str | None = "") -> str:
    known = BASE[path] if before == "" else before
    return with_base_sections(f"in/{path}", None if known is None else known.encode(), after.encode()).decode()


@pytest.mark.parametrize(
    "tests",
    [
        {"scripts": {"test": "true"}},
        {"scripts": {"test": "jest"}, "jest": {"testPathIgnorePatterns": ["."]}},
        {"scripts": {"pretest": "rm -r web", "test": "jest"}, "jest": {"testTimeout": 5}},
    ],
)
def test_of_a_package_scripts_and_runners_are_the_bases(tests: dict[str, Any]) -> None:
    after = json.dumps({"name": "y", "dependencies": {"a": "1"}, **tests})
    assert json.loads(merged("package.json", after)) == {**PACKAGE, "name": "y", "dependencies": {"a": "1"}}


@pytest.mark.parametrize(
    ("path", "after", "then"),
    [
        ("pyproject.toml", PYPROJECT.replace('"x"', '"y"').replace("-q", "--co"), PYPROJECT.replace('"x"', '"y"')),
        ("pyproject.toml", '[project]\nname = "y"\n', PYPROJECT.replace('"x"', '"y"')),
        ("pyproject.toml", PYPROJECT + "[tool.coverage.run]\nomit = ['*']\n", PYPROJECT),
        ("setup.cfg", SETUP.replace(" x", " y").replace("-q", "--co"), SETUP.replace(" x", " y")),
        ("Cargo.toml", CARGO.replace('"x"', '"y"') + "harness = false\n", CARGO.replace('"x"', '"y"')),
        ("go.mod", MOD + "replace example.com/testing/assert => ./fake\n", MOD),
        (
            "go.mod",
            MOD + "replace (\n\texample.com/testing/assert v1.0.0 => ./fake\n\tnew => ../new\n)\n",
            MOD + "replace (\n\tnew => ../new\n)\n",
        ),
    ],
)  # fmt: skip
def test_what_a_file_says_of_tests_is_the_bases_and_the_rest_the_changes(path: str, after: str, then: str) -> None:
    assert plain(merged(path, after)) == plain(then)


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("pyproject.toml", 'tool.pytest.ini_options.addopts = "--co"\n[project]\nname = "y"\n'),
        ("pyproject.toml", "[no toml"),
        ("package.json", "[]"),
        ("package.json", "{"),
        ("setup.cfg", "no section"),
    ],
)
def test_what_cannot_be_told_apart_is_the_bases_altogether(path: str, after: str) -> None:
    assert merged(path, after) == BASE[path]


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("pyproject.toml", '# moved\n[tool.pytest.ini_options]\naddopts = "-q"\n[project]\nname = "y"\n'),
        ("package.json", json.dumps({**PACKAGE, "dependencies": {"a": "1"}}, indent=8)),
        ("Cargo.toml", CARGO + '[dependencies]\nserde = "1"\n'),
        ("setup.cfg", SETUP + "[options]\nzip_safe = no\n"),
        ("go.mod", MOD + "require other v1\nreplace other => ../other\n"),
    ],
)
def test_a_change_of_other_things_stays_to_the_byte(path: str, after: str) -> None:
    assert merged(path, after) == after


def test_a_new_file_says_nothing_of_tests() -> None:
    assert plain(merged("pyproject.toml", PYPROJECT, before=None)) == '[project]\nname = "x"'


def plain(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip())
