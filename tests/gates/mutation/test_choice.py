"""Which faults are tried, and what is said of those that no test noticed."""

from __future__ import annotations

from collections import Counter

from switchyard.gates.mutation import Mutant, Trial, choose_mutants, judge_mutation, mutants_of

SOURCE = "".join(f"def f{n}(a, b):\n    if a < b and a != {n}:\n        a += 1\n    return a\n\n\n" for n in range(20))
SOURCES = {"a.py": SOURCE.encode()}
FOUND = mutants_of("a.py", SOURCES["a.py"], range(1, 200))


def test_the_choice_is_spread_over_the_lines_and_over_the_kinds() -> None:
    chosen = choose_mutants(FOUND, SOURCES, 20)
    lines = [mutant.line for mutant in chosen]
    assert len(chosen) == len(set(lines)) == 20
    assert min(lines) < 10
    assert max(lines) > 100
    assert max(Counter(mutant.operator for mutant in chosen).values()) <= 8


def test_the_choice_is_always_the_same_whatever_the_order() -> None:
    assert choose_mutants(list(reversed(FOUND)), SOURCES, 20) == choose_mutants(FOUND, SOURCES, 20)


def test_where_there_is_room_all_are_tried() -> None:
    assert choose_mutants(FOUND, SOURCES, 1000) == FOUND


def test_a_fault_that_would_not_parse_is_never_tried() -> None:
    broken = Mutant("a.py", 1, "comparison", 0, 3, b"((", "def", "((")
    assert choose_mutants([broken, FOUND[0]], SOURCES, 5) == [FOUND[0]]


def tried(noticed: int, unnoticed: int, untried: int = 0) -> list[Trial]:
    outcomes = ["noticed"] * noticed + ["unnoticed"] * unnoticed + ["untried"] * untried
    return [Trial(mutant, outcome) for mutant, outcome in zip(FOUND, outcomes, strict=False)]  # type: ignore[arg-type]


def test_faults_that_no_test_notices_are_told_with_both_sides() -> None:
    result = judge_mutation(tried(0, 1), (), 0, 5)
    assert result.outcome == "passed"
    assert [(one.asks, one.path, one.line) for one in result.findings] == [("note", "a.py", 2)]
    assert result.findings[0].title == "no test fails when `a < b` becomes `a <= b`"


def test_too_few_that_are_noticed_go_back_to_the_agent() -> None:
    assert judge_mutation(tried(8, 2), (), 80, 5).outcome == "passed"
    result = judge_mutation(tried(7, 3), (), 80, 5)
    assert {one.asks for one in result.findings} == {"repair"}
    assert result.reason == "tests notice 7 of 10 faults put into changed lines (70 %); 80 % are wanted"


def test_faults_that_there_was_no_time_for_count_for_nothing_and_are_told() -> None:
    result = judge_mutation(tried(4, 1, 5), (), 80, 2.5)
    assert (result.outcome, result.reason.rpartition("; ")[2]) == ("passed", "2.5 minutes did not suffice for 5 more")


def test_no_time_for_a_single_one_is_for_a_person_if_anything_was_wanted() -> None:
    assert [one.asks for one in judge_mutation(tried(0, 0, 3), (), 50, 1).findings] == ["person"]
    assert judge_mutation(tried(0, 0, 3), (), 0, 1).outcome == "passed"


def test_many_faults_are_cut_short_and_counted() -> None:
    assert judge_mutation(tried(0, 25), (), 0, 5).findings[-1].title == "5 more faults that no test notices"


def test_hostile_source_stays_quoted() -> None:
    mutant = Mutant("a\n.py", 1, "constant", 0, 1, b"2", "`x` **1**", "`x` **2**")
    (finding,) = judge_mutation([Trial(mutant, "unnoticed")], (), 0, 5).findings
    assert finding.title == "no test fails when `` `x` **1** `` becomes `` `x` **2** ``"
    assert "\n" not in finding.described


def test_a_file_that_no_fault_could_be_looked_for_in_is_told() -> None:
    result = judge_mutation(tried(1, 0), ["b\udcff.py"], 80, 5)
    assert [(one.asks, one.path) for one in result.findings] == [("note", "b\\xff.py")]
    assert judge_mutation((), ["b.py"], 80, 5).reason == "no fault was tried"
