"""The words that a text is compared with: of names, of contents and of paths."""

from __future__ import annotations

import pytest
from switchyard_context.facts import Definition, FileFacts
from switchyard_context.naming import is_compound, stem_of, words_of
from switchyard_context.terms import path_terms_of, terms_of


def test_identifiers_split_at_case_digits_and_underscores() -> None:
    assert words_of("parseHTTPDate_v2 XMLReader") == ["parse", "http", "date", "v", "2", "xml", "reader"]


@pytest.mark.parametrize(
    "family",
    [
        ("rate", "rates"),
        ("parse", "parses", "parsed", "parsing"),
        ("query", "queries"),
        ("match", "matches", "matched", "matching"),
        ("run", "runs", "running"),
        ("class", "classes"),
    ],
)
def test_the_forms_of_a_word_have_one_stem(family: tuple[str, ...]) -> None:
    assert len({stem_of(word) for word in family}) == 1


@pytest.mark.parametrize("words", [("class", "clas"), ("status", "statu"), ("string", "str"), ("this", "thi")])
def test_different_words_keep_different_stems(words: tuple[str, str]) -> None:
    assert stem_of(words[0]) != stem_of(words[1])


def test_plain_words_are_no_compounds() -> None:
    assert [name for name in ("parse_it", "parseIt", "sha256", "HTTP", "Session", "word") if is_compound(name)] == [
        "parse_it",
        "parseIt",
        "sha256",
        "HTTP",
    ]


def test_the_terms_of_a_content_count_words_compounds_and_definitions() -> None:
    facts = FileFacts(definitions=(Definition("Reader.read_rates", "method", 1, 1, 2),))
    terms = terms_of(b"def read_rates(): return read_rates", facts)
    assert terms["word"]["rat"] == 2
    assert terms["identifier"] == {"read_rates": 2}
    assert terms["defined"] == {"read_rates": 1}
    assert terms["defined_word"] == {"read": 1, "rat": 1}


def test_a_path_gives_its_words_its_own_name_and_its_parts() -> None:
    terms = path_terms_of("src/dateTools/TimeZones.test.ts")
    assert set(terms["path_word"]) == {"src", "dat", "tool", "tim", "zon"}
    assert set(terms["name_word"]) == {"tim", "zon"}
    assert set(terms["path_part"]) == {"src", "datetools", "timezones.", "timezones.test.ts"}


def test_bytes_of_any_kind_have_terms() -> None:
    assert terms_of(bytes(range(256)) * 3, FileFacts())["defined"] == {}
