"""Gates on where repairs lead: tests that ask less, attempts that turn back, failures that stay as they were."""

from __future__ import annotations

import pytest

from switchyard.gates.change import MOST_BYTES, Change, ChangedFile
from switchyard.gates.convergence import judge_convergence, judge_tests
from switchyard.packets import CheckResult, GateResult
from tests.gates.samples import a_check, a_failed_check

TEST = b"def test_total():\n    assert total([1, 2]) == 3\n"


def a_change(path: str, before: bytes | None, after: bytes | None) -> Change:
    modes = ["100644" if side is not None else "" for side in (before, after)]
    return Change((ChangedFile(path, before, after, *modes),))


def asked(result: GateResult) -> list[str]:
    return [finding.asks for finding in result.findings]


def test_a_change_to_no_test_is_not_judged() -> None:
    result = judge_tests(a_change("shop/cart.py", b"a = 1\n", b"a = 2\n"), ())
    assert (result.outcome, result.reason) == (
        "not_applicable",
        "no test was touched, and nothing that says how tests are run",
    )


def test_new_and_edited_tests_pass() -> None:
    for before in (None, b"def test_other():\n    assert tax(1) == 2\n"):
        result = judge_tests(a_change("tests/test_cart.py", before, (before or b"") + TEST), ())
        assert (result.outcome, result.findings) == ("passed", ())
        assert result.reason == "1 file of tests compared with the base"


@pytest.mark.parametrize("allow", [(), ("tests",)])
def test_nothing_allows_weaker_tests(allow: tuple[str, ...]) -> None:
    weaker = TEST.replace(b"total([1, 2]) == 3", b"total([1, 2])")
    result = judge_tests(a_change("tests/test_cart.py", TEST, weaker), allow)
    assert result.outcome == "failed"
    (finding,) = result.findings
    assert (finding.asks, finding.path, finding.line) == ("person", "tests/test_cart.py", 2)
    assert finding.title == "loosened assertion in `test_total`"
    assert "total ( [ 1 , 2 ] ) equal 3" in finding.detail


def test_another_expectation_is_for_a_person_unless_it_is_allowed() -> None:
    change = a_change("tests/test_cart.py", TEST, TEST.replace(b"== 3", b"== 4"))
    assert asked(judge_tests(change, ())) == ["person"]
    allowed = judge_tests(change, {"tests"})
    assert (allowed.outcome, asked(allowed)) == ("passed", ["note"])


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("package.json", b'{"scripts": {"test": "vitest run"}}', b'{"scripts": {"test": "true"}}'),
        ("package.json", b'{"scripts": {"test": "node run.js"}}', b'{"scripts": {"test": "echo fine"}}'),
        ("package.json", b'{"scripts": {"test": "node run.js", "a": "b"}}', b'{"scripts": {"a": "b"}}'),
        ("Makefile", b"test:\n\tpython -m checks\n\tpytest\n", b"test:\n\tpython -m checks\n"),
        ("Makefile", b"test:\n\t./run all\n", b"test:\n\t@true\n"),
        ("Makefile", b"test: unit slow\nslow:\n\t./test all\n", b"test: unit\nslow:\n\t./test all\n"),
        ("justfile", b"test:\n    ./run all\n", b"test:\n    ./run some || true\n"),
        ("noxfile.py", b"def tests(s):\n    s.run('pytest')\n", b"def tests(s):\n    s.run('pytest', '--co')\n"),
        ("scripts/run-tests.sh", b"set -e\n./check all\n", b"set -e\nexit 0\n./check all\n"),
        ("scripts/test_all.sh", b"set -e\n./check all\n", b"set -e\n"),
    ],
)
def test_the_runners_wiring_counts_as_a_test(path: str, before: bytes, after: bytes) -> None:
    assert asked(judge_tests(a_change(path, before, after), {"tests"}))[:1] == ["person"]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("package.json", b'{"scripts": {"test": "jest"}}', b'{"scripts": {"test": "vitest run"}}'),
        ("package.json", b'{"scripts": {"test": "node run.js"}}', b'{"scripts": {"test": "node run.js --all"}}'),
        ("Makefile", b"test:\n\tpytest tests\n", b"test:\n\tuv run pytest tests\n"),
        ("Makefile", b"test:\n\t./run all\n", b"test: build\n\t@./run all\nbuild:\n\tmake -C lib\n"),
        (
            "scripts/test_all.sh",
            b"set -e\n./check all\n",
            b"#!/bin/sh\nset -eu\n# everything\n./check all --fast-fail\n",
        ),
    ],
)
def test_other_wiring_passes(path: str, before: bytes, after: bytes) -> None:
    assert judge_tests(a_change(path, before, after), ()).outcome == "passed"


@pytest.mark.parametrize(("before", "after"), [(TEST, None), (None, TEST)])
def test_what_is_too_long_to_be_compared_is_for_a_person(before: bytes | None, after: bytes | None) -> None:
    sizes = [MOST_BYTES + 1 if side is None else len(side) for side in (before, after)]
    file = ChangedFile("tests/test_cart.py", before, after, size_before=sizes[0], size_after=sizes[1])
    result = judge_tests(Change((file,)), {"tests"})
    assert "too long to be compared" in result.findings[0].title
    assert result.outcome == "failed"


def test_many_findings_are_told_in_short() -> None:
    many = b"".join(b"def test_%d():\n    assert total(%d) == %d\n\n\n" % (n, n, n) for n in range(80))
    result = judge_tests(a_change("tests/test_cart.py", many, b"\n"), ())
    assert len(result.findings) == 51
    assert (result.findings[-1].title, result.findings[-1].asks) == ("and 30 findings more of this gate", "person")


def test_foreign_names_are_quoted_and_fit_in_json() -> None:
    before = b"it('a `b` c', () => { expect(x()).toBe(1) })\n"
    result = judge_tests(a_change("a\udcff\n.test.js", before, before.replace(b"it(", b"it.skip(")), ())
    assert GateResult.model_validate_json(result.model_dump_json()) == result
    assert "`` a `b` c ``" in result.findings[0].title


APART = b"def f(x):\n    return x\n"


def a_state(first: int, last: int, more: bytes = b"") -> dict[str, bytes]:
    return {"cart.py": b"a = %d\n%sb = %d\n%s" % (first, APART, last, more)}


BASE, ONE, TWO = a_state(1, 1), a_state(2, 1), a_state(2, 2)


def failed(tail: str = "assert 3 == 4") -> list[CheckResult]:
    return [a_failed_check(name="unit", tail=tail)]


def test_the_first_attempt_converges_on_nothing_yet() -> None:
    result = judge_convergence([BASE, ONE], [failed()])
    assert (result.outcome, result.reason) == ("not_applicable", "the first attempt")


def test_an_attempt_that_gets_further_passes() -> None:
    result = judge_convergence([BASE, ONE, TWO], [failed("a"), failed("b")])
    assert (result.outcome, result.findings) == ("passed", ())


def test_taking_back_what_an_earlier_attempt_did_is_for_a_person() -> None:
    result = judge_convergence([BASE, ONE, TWO, a_state(1, 2)], [failed("a"), failed("b"), failed("c")])
    (finding,) = result.findings
    assert (finding.title, finding.asks) == ("attempt 3 takes back 2 lines of attempt 1", "person")
    assert "-a = 1\n+a = 2" in finding.detail


def test_turning_round_and_arriving_is_only_noted() -> None:
    result = judge_convergence([BASE, ONE, a_state(1, 2)], [failed("a"), [a_check()]])
    assert (result.outcome, asked(result)) == ("passed", ["note"])


def test_what_an_earlier_attempt_took_back_is_not_told_again() -> None:
    back = a_state(1, 2)
    states = [BASE, ONE, back, a_state(1, 2, b"c = 3\n")]
    assert judge_convergence(states, [failed("a"), failed("b"), failed("c")]).findings == ()


def test_the_same_failure_is_told_once_and_then_put_before_a_person() -> None:
    states = [BASE, ONE, TWO, a_state(2, 2, b"c = 3\n")]
    once = judge_convergence(states[:3], [failed("0.1s: x"), failed("0.2s: x")])
    assert [(finding.title, finding.asks) for finding in once.findings] == [
        ("after attempt 2 `unit` failed just as after attempt 1", "note")
    ]
    assert once.outcome == "passed"
    twice = judge_convergence(states, [failed("x"), failed("x"), failed("x")])
    assert (twice.outcome, asked(twice)) == ("failed", ["person"])


def test_a_failure_that_comes_back_after_another_is_told_again() -> None:
    states = [BASE, ONE, TWO, a_state(2, 2, b"c = 3\n")]
    assert asked(judge_convergence(states, [failed("x"), failed("y"), failed("x")])) == ["note"]
