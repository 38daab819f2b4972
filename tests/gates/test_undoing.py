"""Repairs that lead nowhere: taken back, or failing as before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchyard.gates.undoing import find_repetition, find_undoing, hunks_between, normalise_output
from switchyard.packets import CheckResult
from tests.gates.samples import a_check, a_failed_check

BASE = b"def total(items):\n    return sum(items)\n\n\ndef tax(net):\n    return net * 0.19\n"
ROUNDED = BASE.replace(b"net * 0.19", b"round(net * 0.19, 2)")
GUARDED = ROUNDED.replace(b"    return sum(items)\n", b"    if not items:\n        return 0\n    return sum(items)\n")


def failed(tail: str, **fields: Any) -> CheckResult:
    return a_failed_check(**{"name": "test", "tail": tail, **fields})


def test_an_attempt_that_takes_back_the_first_is_named() -> None:
    third = GUARDED.replace(b"round(net * 0.19, 2)", b"net * 0.19")
    (found,) = find_undoing([{"shop.py": state} for state in (BASE, ROUNDED, GUARDED, third)])
    assert (found.attempt, found.undone) == (3, 1)
    assert found.hunk.added == ("    return round(net * 0.19, 2)",)
    assert found.text == "attempt 3 takes back 2 lines of attempt 1 in shop.py"


def test_going_further_is_no_undoing() -> None:
    other = GUARDED.replace(b"round(net * 0.19, 2)", b"Decimal(net) * RATE")
    assert find_undoing([{"shop.py": state} for state in (BASE, ROUNDED, GUARDED, other)]) == []


def test_inserted_lines_that_are_written_anew_are_not_taken_back() -> None:
    second = GUARDED.replace(b"        return 0\n", b"        raise EmptyCart\n")
    assert find_undoing([{"shop.py": state} for state in (ROUNDED, GUARDED, second)]) == []
    assert len(find_undoing([{"shop.py": state} for state in (ROUNDED, GUARDED, ROUNDED)])) == 1


def test_a_block_that_gives_way_to_another_is_not_taken_back() -> None:
    other = ROUNDED.replace(b"    return sum(items)\n", b"    check(items)\n    log(items)\n    return sum(items)\n")
    assert find_undoing([{"shop.py": state} for state in (ROUNDED, GUARDED, other)]) == []


def test_one_line_of_three_brought_back_is_not_taken_back() -> None:
    states = [b"a = 1\nb = 2\nc = 3\n", b"a = 4\nb = 5\nc = 6\n", b"a = 1\nb = 7\nc = 8\n"]
    assert find_undoing([{"f.py": state} for state in states]) == []


def test_a_file_that_comes_and_goes_is_taken_back() -> None:
    states = [{}, {"fix.py": b"PATCH = 1\n"}, {}]
    (found,) = find_undoing(states)
    assert (found.attempt, found.undone, found.hunk.path) == (2, 1, "fix.py")


def test_blanks_are_no_change() -> None:
    assert hunks_between({"a.py": b"x = 1\n"}, {"a.py": b"x = 1  \n\n"}) == []


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8), st.lists(st.sampled_from(["x", "y"]), max_size=4))
def test_going_back_to_the_base_takes_every_hunk_back(lines: list[str], more: list[str]) -> None:
    base, changed = "\n".join(lines).encode(), "\n".join([*lines[:2], *more, *lines[3:]]).encode()
    made = hunks_between({"f": base}, {"f": changed})
    found = find_undoing([{"f": base}, {"f": changed}, {"f": base}])
    assert [item.hunk for item in found] == made


NOISE = [
    ("FAILED test_a - assert 3 == 4\n1 failed in 0.12s", "FAILED test_a - assert 3 == 4\n1 failed in 7.9s"),
    ("<Cart object at 0x7f3a2c001d30>", "<Cart object at 0x7f11aa991d30>"),
    ("/tmp/box-1/work/shop.py:12: AssertionError", "/tmp/box-27/work/shop.py:15: AssertionError"),
    ("2026-11-21T10:00:00Z refused localhost:51234", "2026-11-22T23:59:01Z refused localhost:40001"),
    ("--- FAIL: TestTotal (0.00s)\n  cart_test.go:9: got 2", "--- FAIL: TestTotal (1.3s)\n  cart_test.go:14: got 2"),
    ("b failed\na failed", "a failed\nb failed"),
    ("\x1b[31mnot ok\x1b[0m seed=41", "not ok seed=1999"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), NOISE)
def test_what_differs_from_run_to_run_does_not_count(one: str, other: str) -> None:
    assert normalise_output(one) == normalise_output(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("assert 3 == 4", "assert 3 == 5"),
        ("FAILED tests/test_a.py::test_a", "FAILED tests/test_a.py::test_b"),
        ("NameError: name 'total' is not defined", "NameError: name 'tax' is not defined"),
        ("2 failed", "1 failed"),
    ],
)
def test_what_was_compared_counts(one: str, other: str) -> None:
    assert normalise_output(one) != normalise_output(other)


def test_the_latest_equal_failure_is_named() -> None:
    attempts = [
        [failed("assert 3 == 4\n1 failed in 0.1s"), failed("E501", name="lint")],
        [failed("assert 3 == 4\n1 failed in 0.2s")],
        [failed("assert 3 == 4\n1 failed in 0.3s")],
    ]
    found = find_repetition(attempts)
    assert found is not None
    assert (found.attempt, found.repeated, found.checks) == (3, 2, ("test",))
    assert found.text == "after attempt 3 test failed as after attempt 2"


def test_another_failure_or_none_is_progress() -> None:
    assert find_repetition([[failed("a")], [failed("b")]]) is None
    assert find_repetition([[failed("a")], [failed("a", exit_code=2)]]) is None
    assert find_repetition([[failed("a")], [a_check()]]) is None
    assert find_repetition([]) is None
