"""How many tokens a text may cost, as an upper bound from its bytes: offline, deterministic, the same for every model.

Tokenisers of current models cut code and prose into pieces of words: a short word or a lone letter is one token, a
long word several, a run of blanks one. Each byte is charged by its class and its place: the first letter of a word one
token, each further one a quarter (a half in upper case), a digit, a line end, a control and a non-ASCII byte one,
punctuation three quarters, a blank an eighth. Source code comes out at one token for 2.2 to 2.4 bytes, where
tokenisers are commonly reported to need 3 to 4: expect about 1.4 to 1.8 times the real count. Digits, rare scripts and
dense data are charged byte for byte, so the bound holds there as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

_UNITS = 24
"""Units in a token: whole numbers add up alike in any order."""


def count_tokens(text: str) -> int:
    """The upper bound for a text; more text never costs less, and a whole never more than its parts."""
    return tokens_of(count_units(text))


def count_units(text: str) -> int:
    """The bound before it is rounded: what parts that end at line ends cost together is the sum of theirs."""
    return int(_units_of(text.encode("utf-8", "replace")).sum())


def tokens_of(units: int) -> int:
    """Whole tokens for the units of a text."""
    return -(-units // _UNITS)


def line_units(lines: Sequence[str]) -> npt.NDArray[np.int64]:
    """Units of the first n lines, each with its line end, for every n from 0; shape (lines + 1,)."""
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
    sums = np.cumsum(_units_of(data), dtype=np.int64)
    return np.concatenate([np.zeros(1, dtype=np.int64), sums[ends]])


def _units_of(content: bytes) -> npt.NDArray[np.int64]:
    data = np.frombuffer(content, dtype=np.uint8)
    inner, first = _costs()
    kinds = _kinds()[data]
    continues = np.zeros(len(data), dtype=bool)
    # A capital after a small letter begins a word: camelCase is two.
    continues[1:] = (kinds[1:] > 0) & (kinds[:-1] > 0) & (kinds[1:] <= kinds[:-1])
    return np.where(continues, inner[data], first[data])


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """0 for what is no letter, 1 for small letters, 2 for capitals."""
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[ord("a") : ord("z") + 1] = 1
    kinds[ord("A") : ord("Z") + 1] = 2
    return kinds


@cache
def _costs() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Units of each byte inside a word, and at its beginning or outside of any."""
    first = np.full(256, _UNITS, dtype=np.int64)
    first[ord(" ")] = 3
    for mark in b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~":
        first[mark] = 18
    inner = first.copy()
    inner[ord("a") : ord("z") + 1] = 6
    inner[ord("A") : ord("Z") + 1] = 12
    return inner, first
