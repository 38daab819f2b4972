"""Which files are tests, and which say how tests are run."""

from __future__ import annotations

import pytest

from switchyard.gates import touches_tests


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_a.py",
        "tests/data/golden.json",
        "pkg/deep/tests/helper.py",
        "src/pkg/test_a.py",
        "src/pkg/a_test.py",
        "app/tests.py",
        "conftest.py",
        "pkg/conftest.py",
        "src/a.test.ts",
        "src/a.spec.tsx",
        "src/__tests__/a.ts",
        "src/__snapshots__/a.snap",
        "pkg/a_test.go",
        "pkg/testdata/in.txt",
        "tests/integration.rs",
        "src/parser/tests.rs",
        "src/test/java/org/x/Fixture.java",
        "x/ATest.java",
        "x/TestA.java",
        "x/ATests.java",
        "x/AIT.java",
        "jest.config.js",
        "pytest.ini",
    ],
)
def test_test_files_are_known_in_every_language(path: str) -> None:
    assert touches_tests([path], {path}) == [path]
    assert touches_tests([path], set()) == []


@pytest.mark.parametrize(
    "path",
    [
        "src/latest.py",
        "src/contest.go",
        "src/attestation.rs",
        "testing.md",
        "src/protest/a.ts",
        "lib/spec.py",
        "Latest.java",
        "main/Testimonial.java",
    ],
)
def test_names_that_only_sound_like_tests_are_none(path: str) -> None:
    assert touches_tests([path], {path}) == []
