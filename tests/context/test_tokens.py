"""The token bound: it adds up, it grows, and no word is free."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st
from switchyard_context import count_tokens

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


@given(st.text("0123456789", max_size=50))
def test_dense_data_costs_a_token_a_byte(digits: str) -> None:
    assert count_tokens(digits) == len(digits)


def test_a_camel_case_name_costs_a_token_a_word_at_least() -> None:
    assert count_tokens("parseHttpDate") >= 3
    assert count_tokens("parseHttpDate") < len("parseHttpDate")
