"""What runners print, read for how many tests passed and which failed."""

from __future__ import annotations

import time

import pytest

from switchyard.gates.test_output import TestReport, read_report

PYTEST = """\
.F.
=================================== FAILURES ===================================
FAILED tests/test_a.py::test_x[a b] - AssertionError: no
ERROR tests/test_b.py
=================== 1 failed, 12 passed, 1 warning, 1 error in 0.12s ===================
"""
UNITTEST = """\
FAIL: test_it (tests.test_a.ATest)
----------------------------------------------------------------------
Ran 5 tests in 0.001s

FAILED (failures=1, errors=1, skipped=1)
"""
JEST = """\
  ● money › splits
Tests:       1 failed, 1 skipped, 7 passed, 9 total
"""
VITEST = """\
 FAIL  src/a.test.ts > money > splits
      Tests  1 failed | 4 passed (5)
"""
GO = "--- FAIL: TestSplit (0.00s)\nFAIL\tx/a\t0.1s\nok  \tx/b\t0.2s\nok  \tx/c\t0.2s [no tests to run]\n"
CARGO = "test it::splits ... FAILED\ntest result: FAILED. 3 passed; 1 failed;\n\ntest result: ok. 2 passed; 0 failed;\n"
NODE = "not ok 2 - splits\n# tests 3\n# pass 2\n# fail 1\n"
MAVEN = (
    "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s\n"
    "[ERROR]   MoneyTest.splits:12 expected\n[ERROR] Tests run: 7, Failures: 1, Errors: 1, Skipped: 1\n"
)


@pytest.mark.parametrize(
    ("printed", "passed", "failures"),
    [
        (PYTEST, 12, ("tests/test_a.py::test_x[a b]", "tests/test_b.py")),
        ("\x1b[32m3 passed\x1b[0m in 0.01s\n", None, ()),
        ("3 passed in 0.01s\n", 3, ()),
        ("no tests ran in 0.00s\n", 0, ()),
        (UNITTEST, 2, ("test_it (tests.test_a.ATest)",)),
        ("Ran 1 test in 0.000s\n\nOK\n", 1, ()),
        (JEST, 7, ("money › splits",)),
        (VITEST, 4, ("src/a.test.ts > money > splits",)),
        ("  12 passing (3ms)\n", 12, ()),
        (NODE, 2, ("splits",)),
        (GO, 1, ("TestSplit",)),
        ("--- PASS: TestA (0.00s)\n--- PASS: TestB (0.00s)\nok  \tx/a\t0.1s\n", 2, ()),
        (CARGO, 5, ("it::splits",)),
        (MAVEN, 4, ("MoneyTest.splits",)),
        ("Ran 2 tests in 0.1s\n\nOK\nRan 3 tests in 0.1s\n\nOK\n", 5, ()),
        ("all is well\n", None, ()),
        ("", None, ()),
    ],
)
def test_a_runners_account_is_read(printed: str, passed: int | None, failures: tuple[str, ...]) -> None:
    report = read_report(printed.encode())
    assert (report.passed, report.failures) == (3 if "\x1b" in printed else passed, failures)


def test_what_is_no_text_tells_nothing() -> None:
    assert read_report(b"\xff\xfe\0") == TestReport()


@pytest.mark.parametrize("pattern", ["\n", "[", "[]", "[ERROR]\n", "a.", "1 11", "ok ", " - ", "\n● › "])
@pytest.mark.parametrize("head", ["", "FAILED ", "Tests: ", "[ERROR] ", "Ran 1 test in 0\n", "● "])
def test_no_output_is_too_tedious_to_be_read(head: str, pattern: str) -> None:
    begun = time.process_time()
    read_report((head + pattern * (30_000 // len(pattern)) + "\v").encode())
    assert time.process_time() - begun < 1


def test_a_number_of_thousands_of_digits_is_no_count_and_a_name_of_thousands_of_letters_is_cut() -> None:
    many = "1" * 5000
    for line in ("{} passing", "Tests: {} passed", "Ran {} tests in 1s", "Tests: 1 a{} passed", "# pass {}"):
        assert (read_report(line.format(many).encode()).passed or 0) < 10**10
    assert [len(name) for name in read_report(f"FAILED {many}".encode()).failures] == [300]


def test_brackets_belong_to_a_failed_tests_name() -> None:
    printed = "FAILED t.py::a[x - y[0]] - assert [1]\nFAILED app/[slug]/t.py::b\nFAILED t.py::c - d[0] is e\n"
    assert read_report(printed.encode()).failures == ("app/[slug]/t.py::b", "t.py::a[x - y[0]]", "t.py::c")
