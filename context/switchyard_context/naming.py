"""Names in a tree: what is near a misspelt one, and the words that an identifier or a path is made of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_COMPOUND = re.compile(r"_|[a-z\d][A-Z]|[A-Za-z]\d|[A-Z]{2}")
_SIBILANTS = ("ches", "shes", "sses", "xes", "zes")
MIN_STEM = 3
"""A stem keeps at least so many letters."""
_VOWELS = frozenset("aeiouy")


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Up to three known paths that a misspelt one may have meant: the same file name first, then the same letters."""
    last = name.rpartition("/")[2]
    same = [path for path in known if path.rpartition("/")[2] == last]
    if same:
        return same[:3]
    stems = {path.rpartition("/")[2]: path for path in known}
    return [stems[match] for match in difflib.get_close_matches(last, stems, n=3, cutoff=0.75)]


def near_symbols(name: str, known: Sequence[str]) -> list[str]:
    """Up to three known symbols that a misspelt one may have meant, by their last component."""
    last = name.rpartition(".")[2]
    close = difflib.get_close_matches(last, {item.rpartition(".")[2] for item in known}, n=3, cutoff=0.7)
    return [item for match in close for item in known if item.rpartition(".")[2] == match][:3]


def words_of(text: str) -> list[str]:
    """Lower-case words, identifiers split: `parseHTTPDate_v2` → parse http date v 2."""
    return [word.lower() for word in _WORD.findall(text)]


def stems_of(words: Iterable[str]) -> list[str]:
    """Words without their endings, so that `parsing rates` finds `parse_rate`."""
    return [stem_of(word) for word in words]


@lru_cache(maxsize=200_000)
def stem_of(word: str) -> str:
    """A lower-case word without plural, -ing, -ed and final e; crude on purpose, and the same on both sides."""
    if len(word) <= MIN_STEM or not word.isascii():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(_SIBILANTS):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if MIN_STEM <= len(rest) < len(word) and not _VOWELS.isdisjoint(rest):
            word = rest
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if len(word) > MIN_STEM and word.endswith("e") else word


@lru_cache(maxsize=500_000)
def stems_in(name: str) -> tuple[str, ...]:
    """The stems of one identifier, remembered: a tree writes the same ones over and over."""
    return tuple(stems_of(words_of(name)))


@lru_cache(maxsize=500_000)
def is_compound(name: str) -> bool:
    """Whether a name is no plain word: `parse_header`, `parseHeader`, `utf8`, `HTTP`."""
    return _COMPOUND.search(name) is not None
