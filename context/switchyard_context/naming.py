"""Names in a tree: what is near a misspelt one, and the words that an identifier or a path is made of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Up to three known paths that a misspelt one may have meant: the same file name first, then the same letters."""
    last = name.rpartition("/")[2]
    same = [path for path in known if path.rpartition("/")[2] == last]
    if same:
        return same[:3]
    stems = {path.rpartition("/")[2]: path for path in known}
    return [stems[match] for match in difflib.get_close_matches(last, stems, n=3, cutoff=0.75)]


def words_of(text: str) -> list[str]:
    """Lower-case words, identifiers split: `parseHTTPDate_v2` → parse http date v 2."""
    return [word.lower() for word in _WORD.findall(text)]


def stems_of(text: Iterable[str]) -> list[str]:
    """Words without a plural ending, so that `rates` finds `rate`."""
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in text]
