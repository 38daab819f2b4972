"""What a statement says is held against the rows it names, even where its signature is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from switchyard.attestation import LedgerHead, Statement, compare_ledger, make_statement
from switchyard.ledger import Claim, Event, claims_of

from .test_statement import ORIGIN


def row(at: int, kind: str, task: str, **data: Any) -> Event:
    return Event(at, f"k{at}", "r1", task, "", kind, "2026-01-01T00:00:00.000000Z", f"sha256:{at}", data, "", f"h{at}")


EVENTS = [
    row(1, "attempt_extracted", "t", attempt=1, commit="c1"),
    row(2, "check_failed", "t", attempt=1, commit="c1", name="unit", command="make", duration_s=1.0, exit_code=1),
    row(3, "attempt_extracted", "u", attempt=1, commit="c2"),
    row(4, "task_finished", "t", state="published", reason=""),
]
OWN = [claim for claim in claims_of(EVENTS) if claim.task == "t"]


def stated(*claims: Claim, head: tuple[int, str] = (4, "h4")) -> Statement:
    return make_statement(ORIGIN, claims, [], LedgerHead(sequence=head[0], hash=head[1]))


def test_what_the_rows_say_holds() -> None:
    assert compare_ledger(stated(*OWN), EVENTS) == []


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        (replace(OWN[1], outcome="holds"), "tests-executed unit: row 2 says fails, and holds was signed"),
        (replace(OWN[1], commit="c9"), "tests-executed unit: row 2"),
        (replace(OWN[1], artifact="sha256:9"), "tests-executed unit: row 2"),
        (replace(OWN[1], seq=4, hash="h4"), "row 4 (task_finished) claims no such thing of 't'"),
        (replace(OWN[0], seq=3, hash="h3"), "row 3 (attempt_extracted) claims no such thing of 't'"),
        (replace(OWN[1], hash="h9"), "row 2 is not the one that was signed"),
        (replace(OWN[1], seq=9), "row 9 is gone"),
    ],
)
def test_a_claim_that_its_row_does_not_make_is_named(claim: Claim, told: str) -> None:
    (fault,) = compare_ledger(stated(claim), EVENTS)
    assert fault.kind == "claim"
    assert told in fault.detail


def test_another_last_row_is_another_ledger() -> None:
    (fault,) = compare_ledger(stated(head=(4, "h9")), EVENTS)
    assert fault.detail == "row 4 is not the one that was there at signing"
    (fault,) = compare_ledger(stated(head=(9, "h9")), EVENTS)
    assert fault.detail == "it ends at row 4, and the statement was signed at row 9"
    assert compare_ledger(stated(head=(9, "h9")), [])[0].detail.startswith("it ends at row 0")
