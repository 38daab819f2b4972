"""Which files say what the code must do and how that is tested, and which of them a change cannot bring along."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from pathspec import GitIgnoreSpec

TEST_PATTERNS = (
    "**/test/**",
    "**/tests/**",
    "**/__tests__/**",
    "**/testdata/**",
    "**/__snapshots__/**",
    "**/test_*.py",
    "**/*_test.py",
    "**/test.py",
    "**/tests.py",
    "**/conftest.py",
    "**/*.test.*",
    "**/*.spec.*",
    "**/*-test.[jt]s*",
    "**/*-spec.[jt]s*",
    "**/*.cy.[jt]s*",
    "**/*_test.go",
    "**/test.rs",
    "**/tests.rs",
    "**/*_test.rs",
    "**/*_tests.rs",
    "**/*_spec.rb",
    "**/Test[A-Z]*.java",
    "**/*Test.java",
    "**/*Tests.java",
    "**/*TestCase.java",
    "**/*IT.java",
    "**/*Test.kt",
    "**/*Tests.kt",
    "**/pytest.ini",
    "**/.coveragerc",
    "**/tox.ini",
    "**/jest.config.*",
    "**/jest.setup.*",
    "**/vitest.config.*",
    "**/vitest.setup.*",
    "**/playwright.config.*",
)
"""Files that say what the code must do, or how that is tested."""

CONFIGURATION_PATTERNS = (
    "**/conftest.py",
    "**/pytest.ini",
    "**/.pytest.ini",
    "**/pytest.toml",
    "**/.pytest.toml",
    "**/tox.ini",
    "**/tox.toml",
    "**/noxfile.py",
    "**/.coveragerc*",
    "**/sitecustomize.py",
    "**/usercustomize.py",
    "**/*.pth",
    "**/pytest.py",
    "**/pytest/__init__.py",
    "**/_pytest/**",
    "**/pluggy.py",
    "**/pluggy/**",
    "**/unittest.py",
    "**/unittest/**",
    "**/doctest.py",
    "**/jest.config.*",
    "**/jest.setup.*",
    "**/jest.preset.*",
    "**/vitest.config.*",
    "**/vitest.setup.*",
    "**/vitest.workspace.*",
    "**/playwright.config.*",
    "**/karma.conf.*",
    "**/cypress.config.*",
    "**/web-test-runner.config.*",
    "**/ava.config.*",
    "**/.mocharc*",
    "**/mocha.opts",
    "**/jasmine.json",
    "**/.nycrc*",
    "**/.c8rc*",
    "**/.taprc",
    "**/__mocks__/**",
    "**/.npmrc",
    "**/.yarnrc*",
    "**/node_modules/**",
    "**/Makefile",
    "**/makefile",
    "**/GNUmakefile",
    "**/*.mk",
    "**/[Jj]ustfile",
    "**/.justfile",
    "**/Taskfile.y*ml",
    "**/.cargo/**",
    "**/nextest.toml",
    "**/.mvn/**",
    "**/mvnw",
    "**/gradlew",
    "**/testng*.xml",
    "**/junit-platform.properties",
)
"""Files that say how tests are run, or stand in for what runs them: of these the base's count, and no others."""

SECTIONED = ("pyproject.toml", "setup.cfg", "package.json", "Cargo.toml", "go.mod")
"""Names of files in which the configuration of tests stands beside other things."""


def touches_tests(paths: Collection[str], existing: Collection[str]) -> list[str]:
    """The existing test files among the paths, sorted; new test files are always welcome."""
    tests = GitIgnoreSpec.from_lines(TEST_PATTERNS)
    return sorted(path for path in tests.match_files(paths) if path in existing)


def is_configuration(path: str) -> bool:
    """Whether a file says how tests are run, and nothing else."""
    return bool(_spec(CONFIGURATION_PATTERNS).match_file(path))


def is_put_back(path: str, *, is_new: bool, allow: Collection[str]) -> bool:
    """Whether the base's state of a changed file counts, when the base's own tests are run on a change.

    Args:
        is_new: The base lacks the file.
        allow: What the task may do; with `tests`, edited tests stay as they are.
    """
    if is_configuration(path):
        return True
    if not _spec(TEST_PATTERNS).match_file(path):
        return False
    if "tests" in allow:
        # Beside edited tests stand the new fixtures that they need; new tests run in the ordinary checks.
        return is_new and _TEST_MODULE.search(path) is not None
    # The module of a Rust crate that holds its tests is named by a line of the source beside it.
    return not (is_new and path.endswith(".rs") and "tests" not in PurePosixPath(path).parts)


def scripts_behind(commands: Iterable[str], paths: Collection[str], read: Callable[[str], bytes]) -> set[str]:
    """The scripts of a tree that commands start, or that these scripts start in turn.

    Args:
        paths: Every path of the tree.
        read: The content of one of them.
    """
    scripts = [path for path in paths if is_script(path)]
    by_name: dict[str, list[str]] = {}
    for path in scripts:
        by_name.setdefault(path.rpartition("/")[2], []).append(path)
    found: set[str] = set()
    texts = list(commands)
    for _ in range(_MOST_STEPS):
        named = {path for text in texts for path in _named(text, by_name)} - found
        found |= named
        texts = [read(path)[:_MOST_BYTES].decode("utf-8", "replace") for path in sorted(named)]
    return found


def programs_of(command: str) -> set[str]:
    """The names that a shell would look up to run a command."""
    return set(_programs(command))


_TEST_MODULE = re.compile(
    r"(^|/)(test_[^/]*|[^/]*_test|tests?)\.py$|\.(test|spec|cy)\.[^/]+$|[-_](test|spec)\.\w+$|(^|/)[^/]*(Test|Tests|IT)\.\w+$"
)
_SCRIPT_FOLDERS = {"scripts", "script", "bin", "tools", "ci", ".ci", "hack"}
_SCRIPT_ENDS = (".sh", ".bash", ".zsh", ".mk")
_MAKES = re.compile(r"(^|/)((GNU)?[Mm]akefile|\.?[Jj]ustfile)$")
_CHECKING = re.compile(r"(^|[-_])(tests?|checks?|verify|lint|ci)([-_.]|$)")
_WORD = re.compile(r"[\w./@+-]+")
_ASSIGNMENT = re.compile(r"^\w+=")
_WRAPPERS = {"env", "exec", "time", "command", "nice", "timeout", "!"}
_MOST_STEPS, _MOST_BYTES = 4, 100_000


@lru_cache
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns)


def is_script(path: str) -> bool:
    """Whether a path looks like something that a check may start."""
    folders, _, name = path.rpartition("/")
    in_place = bool(_SCRIPT_FOLDERS & set(folders.split("/")))
    return name.endswith(_SCRIPT_ENDS) or in_place or bool(_MAKES.search(path)) or _is_check(name)


def _is_check(name: str) -> bool:
    """Whether a program at hand is there to check: `check`, `run_tests.py`."""
    return name.endswith((".py", ".js", ".mjs", ".rb", ".pl")) and bool(_CHECKING.search(name))


def _named(text: str, by_name: dict[str, list[str]]) -> Iterator[str]:
    for word in set(_WORD.findall(text)):
        plain = word.removeprefix("./")
        for path in by_name.get(plain.rpartition("/")[2], ()):
            if path == plain or path.endswith(f"/{plain}"):
                yield path


def _programs(command: str) -> Iterator[str]:
    for part in re.split(r"&&|\|\||[;|&\n(){}]", command):
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        for word in words:
            if not _ASSIGNMENT.match(word) and word not in _WRAPPERS:
                yield word.rpartition("/")[2]
                break
