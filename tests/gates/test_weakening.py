"""Test weakening: the labelled corpus, what a finding says, and what hostile or odd input does."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchyard.gates.weakening import Kind, Severity, find_weakening
from tests.gates.weakening_corpus import Case, cases_of

PARTS = ("tuned", "held_out", "late", "disguised")
LEAST_RECALL = 0.97
MOST_FALSE_ALARMS = 0.03


@cache
def judged(part: str) -> list[tuple[Case, set[str]]]:
    """The cases of a part, each with the kinds that are found in it."""
    return [(case, {item.kind.value for item in find_weakening(case.before, case.after)}) for case in cases_of(part)]


@pytest.mark.parametrize("part", PARTS)
def test_the_corpus_is_told_apart(part: str) -> None:
    weak = [(case, kinds) for case, kinds in judged(part) if not case.is_ordinary]
    ordinary = [(case, kinds) for case, kinds in judged(part) if case.is_ordinary]
    missed = [f"{case.source}: {case.title}" for case, kinds in weak if not kinds]
    alarmed = [f"{case.source}: {case.title}" for case, kinds in ordinary if kinds]
    assert 1 - len(missed) / len(weak) >= LEAST_RECALL, missed
    assert len(alarmed) / len(ordinary) <= MOST_FALSE_ALARMS, alarmed


def test_no_language_and_no_kind_is_a_blind_spot() -> None:
    """The rates above forgive a few misses wherever they are; these do not forgive them all in one place."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for case, kinds in (found for part in PARTS for found in judged(part)):
        if not case.is_ordinary:
            hits[case.source].append(bool(kinds))
            hits[case.label].append(bool(kinds))
    assert {name: hit for name, hit in hits.items() if sum(hit) < 0.9 * len(hit)} == {}


def test_kinds_are_named_as_people_would() -> None:
    weak = [found for part in PARTS for found in judged(part) if not found[0].is_ordinary]
    misnamed = [case.title for case, kinds in weak if not kinds & set(case.label.split("|"))]
    assert len(misnamed) <= 0.05 * len(weak), misnamed


def test_the_corpus_is_large_and_wide() -> None:
    cases = [case for part in PARTS for case in cases_of(part)]
    labels = {label for case in cases for label in case.label.split("|")}
    assert len(cases) >= 200
    assert labels == {"ordinary", *(kind.value for kind in Kind)} - {"unreadable_test"}
    assert min(Counter(case.source for case in cases).values()) >= 30


def test_a_finding_names_the_place_and_both_sides() -> None:
    before = b"def test_total():\n    assert total([1]) == 1\n    assert total([]) == 0\n"
    after = b"def test_total():\n    assert total([1])\n    assert total([]) == 0\n"
    (found,) = find_weakening({"tests/test_total.py": before}, {"tests/test_total.py": after})
    assert (found.path, found.line, found.kind, found.test) == (
        "tests/test_total.py",
        2,
        Kind.LOOSENED_ASSERTION,
        "test_total",
    )
    assert (found.before, found.after) == ("total ( [ 1 ] ) equal 1", "total ( [ 1 ] ) truth")
    assert json.loads(json.dumps(found.as_json()))["severity"] == "weakened"


def test_findings_come_in_the_order_of_places() -> None:
    before = dict.fromkeys(("tests/test_b.py", "tests/test_a.py"), b"def test_a():\n    assert a() == 1\n")
    after = dict.fromkeys(before, b"def test_a():\n    assert a() == 2\n")
    assert [found.path for found in find_weakening(before, after)] == ["tests/test_a.py", "tests/test_b.py"]
    assert {found.kind.severity for found in find_weakening(before, after)} == {Severity.CHANGED}


@pytest.mark.parametrize(
    ("path", "test", "set_up"),
    [
        ("tests/test_a.py", "def test_a():\n    assert a() == 1\n", "def setup_module():\n    pytest.skip('x')\n"),
        (
            "tests/test_a.py",
            "def test_a():\n    assert a() == 1\n",
            "@fixture(autouse=True)\ndef b():\n    skip('x')\n",
        ),
        ("a.test.ts", "test('a', () => expect(a()).toBe(1));\n", "before(function () {\n  this.skip();\n});\n"),
        ("a.spec.ts", "test('a', () => expect(a()).toBe(1));\n", "test.beforeEach(() => test.skip(true, 'x'));\n"),
        (
            "src/test/java/ATest.java",
            "class ATest {\n@Test void a() { assertEquals(1, a()); }\n",
            "@BeforeEach void b() { Assumptions.abort(); }\n}\n",
        ),
    ],
)
def test_a_set_up_that_skips_every_test_is_told(path: str, test: str, set_up: str) -> None:
    end = "}\n" if path.endswith(".java") else ""
    (found,) = find_weakening({path: (test + end).encode()}, {path: (test + set_up).encode()})
    assert found.kind == Kind.EXCLUDED_TESTS


def test_a_set_up_that_skips_under_a_condition_is_ordinary() -> None:
    test = "def test_a():\n    assert a() == 1\n"
    set_up = "@fixture(autouse=True)\ndef b():\n    if not has_database():\n        skip('x')\n"
    assert not find_weakening({"tests/test_a.py": test.encode()}, {"tests/test_a.py": (test + set_up).encode()})


def test_turning_a_weakening_back_is_no_weakening() -> None:
    """Restoring what a loosened, skipped, guarded or emptied test said only asks for more."""
    kinds = {"skipped_test", "removed_assertion", "emptied_test", "guarded_assertion", "removed_case"}
    cases = [case for case in cases_of("tuned") if case.label in kinds and case.source != "configuration"]
    assert len(cases) >= 15
    alarmed = [case.title for case in cases if find_weakening(case.after, case.before)]
    assert alarmed == []


def test_the_same_files_on_both_sides_find_nothing() -> None:
    for case in cases_of("held_out"):
        assert find_weakening(case.before, case.before) == ()


CASES = [case for part in PARTS for case in cases_of(part)]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(CASES),
    st.integers(0, 400),
    st.integers(1, 60),
    st.sampled_from([b"", b"(", b"expect().toBe(", b'"']),
)
def test_no_damage_to_a_file_is_too_much(case: Case, at: int, length: int, put: bytes) -> None:
    """What an agent leaves half-written is judged, whatever it is."""
    damaged = {path: text[:at] + put + text[at + length :] for path, text in case.after.items()}
    for found in find_weakening(case.before, damaged):
        assert found.path in case.before.keys() | damaged.keys()
        assert found.line >= 1


def test_what_cannot_be_compared_is_said() -> None:
    name = "tests/test_deep.py"
    before = {name: b"def test_deep():\n    assert deep() == 1\n"}
    nested = b"def test_deep():\n    assert deep() == 1\n    x = " + b"f(" * 3000 + b")" * 3000 + b"\n"
    assert Kind.UNREADABLE_TEST in {found.kind for found in find_weakening(before, {name: nested})}
    config = {"pyproject.toml": b"[tool.pytest.ini_options]\naddopts = '-ra'\n"}
    broken = {"pyproject.toml": b"[tool.pytest.ini_options\naddopts = '-ra'\n"}
    assert [found.kind for found in find_weakening(config, broken)] == [Kind.UNREADABLE_TEST]
    large = before[name] + b"# x\n" * 600_000
    assert Kind.UNREADABLE_TEST in {found.kind for found in find_weakening(before, {name: large})}


@pytest.mark.parametrize("name", ["tests/test_x.py", "x.test.ts", "x_test.go", "tests/x.rs", "XTest.java", "pom.xml"])
def test_broken_and_binary_files_are_read_without_harm(name: str) -> None:
    broken = b"\xff\xfe def ((( \x00 { [ it('a', () => func Test( #[test] fn @Test void x(" * 40
    assert isinstance(find_weakening({name: broken}, {name: broken[::-1]}), tuple)
    assert find_weakening({}, {name: broken}) == ()
