"""The evidence store is a reading of the ledger: what a row claims, and what no row does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.conftest import Book, row
from switchyard.ledger import CLAIMS, EVENT_TYPES, Claim, Event, claims_of, missing_claims
from switchyard.ledger.readings import GATE_CLAIMS, NEEDED_GATES

HEAD = "c1" * 20
FINDING = {"title": "the test of `add` is gone", "asks": "person"}


def rows(*events: tuple[str, dict[str, Any]], task: str = "t") -> list[Event]:
    """Rows of one task, numbered from 1."""
    return [
        Event(
            at,
            f"k{at}",
            "r",
            "" if kind == "run_started" else task,
            "",
            kind,
            "2026",
            f"sha256:{at}",
            data,
            "",
            f"h{at}",
        )
        for at, (kind, data) in enumerate(events, 1)
    ]


def gate(name: str, outcome: str = "passed", **fields: Any) -> tuple[str, dict[str, Any]]:
    plain = {"attempt": 1, "commit": HEAD, "gate": name, "outcome": outcome, "reason": "", "findings": []}
    return "gate_decided", {**plain, **fields}


def check(name: str = "unit", passed: bool = True, **fields: Any) -> tuple[str, dict[str, Any]]:
    plain = {"attempt": 1, "commit": HEAD, "name": name, "command": "make", "exit_code": 0, "duration_s": 1.0}
    return "check_passed" if passed else "check_failed", {**plain, **fields}


SELECTED = ("context_selected", {"files": 2, "tokens": 30})
EXTRACTED = ("attempt_extracted", {"attempt": 1, "commit": HEAD, "changed_count": 1})
DECIDED = ("policy_decided", {"attempt": 1, "verdict": "publish", "reasons": []})
PUSHED = ("branch_published", {"branch": "b", "head": HEAD})
OPENED = ("pull_request_opened", {"number": 1, "base": "main", "url": "u", "head": "b"})
SIGNED = ("statement_signed", {"outcome": "holds", "commit": HEAD, "key": "k", "reason": ""})
FIRST = gate("convergence", "not_applicable", reason="the first attempt")
GATES = (*(gate(name) for name in NEEDED_GATES if name != "convergence"), FIRST)
WHOLE = (SELECTED, EXTRACTED, check(), *GATES, DECIDED, PUSHED, OPENED, SIGNED)
PROVEN = (*(gate(name, attempt=0) for name in NEEDED_GATES), check(attempt=0), PUSHED, OPENED, SIGNED)
"""What stands there of a commit that no attempt of this run made."""


def told(claims: list[Claim]) -> list[tuple[str, str, str]]:
    return [(claim.claim, claim.about, claim.outcome) for claim in claims]


def test_each_row_of_a_published_task_is_a_claim_about_its_commit() -> None:
    claims = claims_of(rows(*WHOLE))
    gates = [(GATE_CLAIMS[name][0], "", "holds") for name in NEEDED_GATES if name != "convergence"]
    assert told(claims) == [
        ("context-selected", "", "holds"),
        ("result-extracted", "", "holds"),
        ("tests-executed", "unit", "holds"),
        *gates,
        ("attempts-converge", "", "not_applicable"),
        ("policy-decided", "", "holds"),
        ("branch-published", "", "holds"),
        ("pull-request-opened", "", "holds"),
        ("statement-signed", "", "holds"),
    ]
    assert {claim.commit for claim in claims[1:]} == {HEAD}
    assert [(claim.seq, claim.hash) for claim in claims] == [(at, f"h{at}") for at in range(1, len(WHOLE) + 1)]
    assert claims[-5].reason == "the first attempt"
    assert missing_claims(claims, "t", ["unit"]) == []


def test_what_no_row_backs_is_missing_by_name() -> None:
    for left_out in WHOLE:
        claims = claims_of(rows(*(one for one in WHOLE if one is not left_out)))
        (lost,) = claims_of(rows(EXTRACTED, left_out))[1:] or claims_of(rows(left_out))
        names = [(one.claim, one.about) for one in missing_claims(claims, "t", ["unit"])]
        assert (lost.claim, lost.about) in names, left_out
    assert len(missing_claims([], "t", ["unit", "lint"])) == len(WHOLE) + 1


def test_what_was_said_of_another_commit_backs_nothing() -> None:
    other = {"commit": "d2" * 20}
    claims = claims_of(rows(SELECTED, EXTRACTED, gate("weakening", **other), check(**other), DECIDED, PUSHED))
    names = {one.claim for one in missing_claims(claims, "t", ["unit"])}
    assert {"tests-not-weakened", "tests-executed"} <= names


def test_without_checks_that_tests_ran_is_missing() -> None:
    claims = claims_of(rows(*(one for one in WHOLE if one[0] != "check_passed")))
    assert [(one.claim, one.about) for one in missing_claims(claims, "t", [])] == [("tests-executed", "")]


def test_a_statement_cannot_miss_itself() -> None:
    claims = claims_of(rows(*WHOLE[:-1]))
    assert missing_claims(claims, "t", ["unit"], signs=False) == []


def test_what_a_person_accepted_needs_no_policy_and_no_agent() -> None:
    started = {"tasks": [{"id": "t", "accepted": HEAD}, {"id": "u", "accepted": ""}]}
    claims = claims_of(rows(("run_started", started), *PROVEN))
    assert told(claims)[0] == ("accepted-by-person", "", "holds")
    assert claims[0].artifact == "", "the row's artifact is the whole run's plan"
    assert missing_claims(claims, "t", ["unit"]) == []


def test_what_an_earlier_run_proved_needs_no_agent() -> None:
    assert missing_claims(claims_of(rows(*PROVEN)), "t", ["unit"]) == []


def test_failures_fail_and_say_why() -> None:
    failed = check(passed=False, exit_code=1)
    weak = gate(
        "weakening", "failed", reason="2 tests were touched", findings=[FINDING, {"title": "x", "asks": "note"}]
    )
    sent_back = ("policy_decided", {"attempt": 1, "verdict": "repair", "reasons": ["unit failed\nmore"]})
    claims = claims_of(rows(EXTRACTED, failed, weak, sent_back))[1:]
    assert {claim.outcome for claim in claims} == {"fails"}
    assert claims[0].reason.startswith("exited with 1")
    assert claims[1].reason == "2 tests were touched; the test of `add` is gone"
    assert claims[2].reason == "repair; unit failed"


def test_a_check_on_the_base_or_under_its_tests_is_a_claim_of_its_own() -> None:
    base = {"on": "base", "commit": "b0" * 20}
    claims = claims_of(
        rows(EXTRACTED, check(**base), check(passed=False, **base), check(on="base tests", commit="d2" * 20))
    )[1:]
    assert [(*one, claim.commit[:2]) for one, claim in zip(told(claims), claims, strict=True)] == [
        ("baseline-recorded", "unit", "holds", "b0"),
        ("baseline-recorded", "unit", "holds", "b0"),
        ("base-tests-executed", "unit", "holds", "c1"),
    ]


def test_a_check_tells_where_it_ran_and_whether_it_was_run_again() -> None:
    claims = claims_of(rows(check(environment="py312", again=1)))
    assert claims[0].reason == "exited with 0 after 1.0 s in py312, run again: `make`"


def test_a_check_that_had_nothing_to_run_is_backed_by_the_reason() -> None:
    left_out = gate("check:unit", "not_applicable", reason="no test covers the change")
    claims = claims_of(rows(*(left_out if one[0] == "check_passed" else one for one in WHOLE)))
    assert ("tests-executed", "unit", "not_applicable") in told(claims)
    assert missing_claims(claims, "t", ["unit"]) == []


def verdict(kind: str, reviewer: str, seal: str = "s", **fields: Any) -> tuple[str, dict[str, Any]]:
    plain = {"attempt": 1, "commit": HEAD, "reviewer": reviewer, "agent": "judge", "kind": "claude", "seal": seal}
    return kind, {**plain, **fields}


def test_verdicts_hold_when_all_were_sealed_before_any_was_revealed() -> None:
    sealed = [verdict("verdict_sealed", name) for name in ("quality", "security")]
    revealed = [
        verdict("verdict_revealed", "quality", verdict="pass"),
        verdict("verdict_revealed", "security", verdict="unsure"),
    ]
    claims = claims_of(rows(*sealed, *revealed))
    assert [claim.outcome for claim in claims] == ["holds", "holds", "holds", "fails"]
    assert claims[2].reason == "pass, judged by judge claude"
    late = claims_of(rows(sealed[0], revealed[0], sealed[1]))
    assert [claim.outcome for claim in late] == ["holds", "holds", "fails"]
    other = claims_of(rows(sealed[0], verdict("verdict_revealed", "quality", "another", verdict="pass")))
    assert (other[1].outcome, other[1].reason) == ("fails", "it is not the verdict that was sealed")


def test_a_gate_without_a_claim_of_its_own_still_has_one() -> None:
    (claim,) = claims_of(rows(gate("spelling")))
    assert (claim.claim, claim.commit) == ("gate-spelling", HEAD)


def test_rows_of_no_task_claim_nothing() -> None:
    assert claims_of(rows(check(), ("restacked", {"stack": "s"}), task="")) == []
    assert claims_of(rows(("restacked", {"stack": "s"}))) == []


def test_claims_carry_the_hash_of_their_row(book: Book) -> None:
    book.append(row("a", event_type="context_selected", task_id="t", data={"files": 1, "tokens": 2}))
    ((claim,), (event,)) = claims_of(book.rows()), book.rows()
    assert (claim.seq, claim.hash) == (event.sequence, event.hash)


@given(st.lists(st.sampled_from(EVENT_TYPES), max_size=6), st.text(max_size=8))
def test_a_row_with_nothing_in_it_breaks_no_reading(types: list[str], text: str) -> None:
    claims = claims_of(rows(*((kind, {"gate": text, "name": text, "reason": text}) for kind in types)))
    assert all(claim.claim in CLAIMS or claim.claim.startswith("gate-") for claim in claims)
    missing_claims(claims, "t", [text])
