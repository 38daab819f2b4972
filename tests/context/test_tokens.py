"""The token bound: it adds up, it grows, and no word is free."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st
from switchyard_context import count_tokens
from switchyard_context.tokens import count_units, line_units

WORDS = st.lists(st.text("abcdefgXYZ0189éж", min_size=1, max_size=12))


@given(st.text(), st.text())
def test_more_text_never_costs_less_and_parts_cover_the_whole(one: str, other: str) -> None:
    whole = count_tokens(one + other)
    assert max(count_tokens(one), count_tokens(other)) <= whole <= count_tokens(one) + count_tokens(other)


@given(WORDS)
def test_every_word_costs_at_least_a_token(words: list[str]) -> None:
    assert count_tokens(" ".join(words)) >= len(words)


def test_a_lone_letter_costs_a_token() -> None:
    assert count_tokens(" ".join(string.ascii_letters)) >= len(string.ascii_letters)


@given(st.text("aZq_ .\n\t09=é語🙂", max_size=40), st.text("aZq_ .\n\t09=é語🙂", max_size=40))
def test_the_same_holds_where_words_marks_and_blanks_meet(one: str, other: str) -> None:
    whole = count_tokens(one + other)
    assert max(count_tokens(one), count_tokens(other)) <= whole <= count_tokens(one) + count_tokens(other)


@given(st.lists(st.text("aZ_ .\t09é", max_size=12), max_size=8))
def test_lines_add_up_to_the_text(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    assert count_units(text) == line_units(lines)[-1]


@given(st.text("0123456789", min_size=1, max_size=50))
def test_three_digits_cost_a_token_at_least(digits: str) -> None:
    assert len(digits) / 3 <= count_tokens(digits) <= 2 * len(digits)


def test_letters_that_form_no_words_cost_more_than_words() -> None:
    assert count_tokens("qzxvkjw " * 50) > 2 * count_tokens("context " * 50)


def test_a_camel_case_name_costs_a_token_a_word_at_least() -> None:
    assert count_tokens("parseHttpDate") >= 3
    assert count_tokens("parseHttpDate") < len("parseHttpDate")
