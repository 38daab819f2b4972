"""Which files say what the code must do and how that is tested, and which of these a change may not bring along."""

from __future__ import annotations

from collections.abc import Collection

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


def touches_tests(paths: Collection[str], existing: Collection[str]) -> list[str]:
    """The existing test files among the paths, sorted; new test files are always welcome."""
    tests = GitIgnoreSpec.from_lines(TEST_PATTERNS)
    return sorted(path for path in tests.match_files(paths) if path in existing)
