"""An effect is meant once and comes out once, however often the line is played again."""

from __future__ import annotations

import pytest

from ledger.conftest import Book, row
from switchyard.ledger import Effect, complete_effect, find_effect, intend_effect

PUSH = Effect("branch:r/t/abc", "branch", "r", "t", {"branch": "factory/r/t", "head": "abc"})


def intend(book: Book, effect: Effect = PUSH) -> None:
    with book.engine.begin() as connection:
        intend_effect(connection, effect, "now")


def complete(book: Book, outcome: str = "pushed", key: str = PUSH.key) -> None:
    with book.engine.begin() as connection:
        complete_effect(connection, key, {"is": outcome}, row(f"done {key}", event_type="branch_published"))


def found(book: Book, key: str = PUSH.key) -> Effect | None:
    with book.engine.connect() as connection:
        return find_effect(connection, key)


def test_an_effect_that_nobody_meant_is_not_found(book: Book) -> None:
    assert found(book) is None


def test_an_intent_is_found_without_an_outcome_and_stands_in_the_ledger(book: Book) -> None:
    intend(book)
    assert found(book) == PUSH
    assert [(event.event_type, event.task_id) for event in book.rows()] == [("effect_intended", "t")]
    assert book.rows()[0].data == {"kind": "branch", "key": PUSH.key, "branch": "factory/r/t", "head": "abc"}


def test_an_intent_told_twice_is_one_and_the_first_stays(book: Book) -> None:
    intend(book)
    intend(book, Effect(PUSH.key, "branch", "r", "t", {"head": "other"}))
    assert found(book) == PUSH
    assert book.verify() == 1


def test_an_outcome_stands_beside_its_intent(book: Book) -> None:
    intend(book)
    complete(book)
    effect = found(book)
    assert effect is not None
    assert (effect.intent, effect.outcome) == (PUSH.intent, {"is": "pushed"})
    assert [event.event_type for event in book.rows()] == ["effect_intended", "branch_published"]


def test_an_outcome_told_twice_is_one_and_the_first_stays(book: Book) -> None:
    intend(book)
    complete(book)
    complete(book, "pushed again")
    intend(book)
    effect = found(book)
    assert effect is not None and effect.outcome == {"is": "pushed"}
    assert book.verify() == 2


def test_intent_and_row_are_both_there_or_neither(book: Book) -> None:
    with pytest.raises(ZeroDivisionError), book.engine.begin() as connection:
        intend_effect(connection, PUSH, "now")
        raise ZeroDivisionError
    assert found(book) is None
    assert book.rows() == []


def test_effects_of_one_kind_are_told_apart_by_their_key(book: Book) -> None:
    intend(book)
    intend(book, Effect("branch:r/other/abc", "branch", "r", "other", {}))
    complete(book)
    other = found(book, "branch:r/other/abc")
    assert other is not None and other.outcome is None
