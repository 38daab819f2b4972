"""How many tokens a text may cost, as an upper bound from its bytes: offline, deterministic, the same for every model.

Each byte is charged by what it is and what stands before it, in 24ths of a token: a letter that begins a word, and one
that seldom follows the letter before it within a token, about a whole one; a letter that commonly does, next to
nothing; a digit after a digit less than half of one; marks, blanks and line ends by their neighbours; and every text
up to 12 tokens on top, because short ones vary most.

The figures were fitted to 39,000 files and slices of 40 repositories, so that none comes out below the highest count of
four public tokenisers (o200k, cl100k, Llama 3, an older one of Anthropic's). Above that count, mean and most, in per
cent, for texts of 500 tokens and more: Python 29 and 65, TypeScript 32 and 63, JavaScript 32 and 67, Go 16 and 46, Rust
25 and 74, Java 32 and 57, prose 26 and 84, other scripts 45 and 85, JSON 27 and 68, YAML 28 and 48, long lines 24 and
80, digits 17 and 29, hexadecimal 15 and 24, base64 16 and 20, random letters 13 and 29, emoji 6 and 10. With 30 % of
the repositories left out of such a fit, 0.3 % of their slices came out below, mostly lists of rare words.
`benchmarks/token_bound.py` measures it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

_UNITS = 24
"""Units in a token: whole numbers add up alike in any order."""
_SLACK = 12 * _UNITS
"""A text costs as much again, up to this; so parts never cost less than their whole."""

_WORD, _CAPITAL_WORD, _CAPITAL_EXTRA = 25, 28, 3
_DIGIT, _NEXT_DIGIT = 24, 11
_UNDERSCORE, _MARK_AFTER_LETTER, _MARK_AFTER_BLANK, _MARK, _NEXT_MARK, _SAME_MARK = 17, 12, 14, 25, 17, 10
_BLANK, _NEXT_BLANK, _BLANK_BEFORE_LETTER, _BLANK_BEFORE_MARK = 24, 3, 0, 10
_LINE_END, _LINE_END_AFTER_MARK, _NEXT_LINE_END = 19, 9, 1
_CONTROL = 24
_CHARACTERS = (
    # First byte of a UTF-8 sequence, up to and with; units of the whole character.
    (0xC5, 84), (0xCF, 42), (0xD1, 25), (0xDF, 42),
    (0xE1, 46), (0xE2, 44), (0xE9, 38), (0xED, 28), (0xEF, 36), (0xFF, 71),
)  # fmt: skip
_PAIR_COSTS = (0, 1, 2, 4, 7, 10, 14, 18, 22, 25)
_PAIRS = """
    54119419191164949111611314 17931949934149199736199919 19391591941299199111999439 33411369444349179313149999
    11111169999152911111911139 19397519199191199193599934 45451931599995699163999949 19971999199949194191944985
    99111119399111179121959191 99991999999996994919959999 34991499799998999969954994 54911149199599199411156919
    51931999149139119919694439 19711139941333119911313319 31119119731111119177111649 19931949999199119111899319
    49944999999499999499994949 49911319191131199311139919 94191371393399139411363419 19111391169994119118193919
    41131519959391519191999594 49991999199944999994349999 49991991199959199136993999 39399994399939919741999449
    94444944699939119411994999 99991999999599496999999946
"""
"""A row a letter, a column for the letter after it: which of `_PAIR_COSTS` the second one costs."""

_OTHER, _SMALL, _CAPITAL, _FIGURE, _PUNCTUATION, _SPACE, _NEWLINE, _FOREIGN, _START = range(9)


def count_tokens(text: str) -> int:
    """The upper bound for a text; more text never costs less, and a whole never more than its parts."""
    return tokens_of(count_units(text))


def count_units(text: str) -> int:
    """The bound before it is rounded: what parts that end at line ends cost together is the sum of theirs."""
    return int(_units_of(text.encode("utf-8", "replace")).sum())


def tokens_of(units: int) -> int:
    """Whole tokens for the units of a text."""
    return -(-(units + min(units, _SLACK)) // _UNITS)


def line_units(lines: Sequence[str]) -> npt.NDArray[np.int64]:
    """Units of the first n lines, each with its line end, for every n from 0; shape (lines + 1,)."""
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
    sums = np.cumsum(_units_of(data), dtype=np.int64)
    return np.concatenate([np.zeros(1, dtype=np.int64), sums[ends]])


def _units_of(content: bytes) -> npt.NDArray[np.int16]:
    if not content:
        return np.zeros(0, dtype=np.int16)
    data = np.frombuffer(content, dtype=np.uint8)
    before = np.full(len(data), _START_ROW, dtype=np.intp)
    before[1:] = data[:-1]
    units = _costs()[before, data]
    # A blank alone belongs to the word or mark after it.
    kinds = _kinds()
    lone = np.flatnonzero((data[:-1] == ord(" ")) & (kinds[before[:-1]] != _SPACE))
    following = kinds[data[lone + 1]]
    units[lone[(following == _SMALL) | (following == _CAPITAL)]] = _BLANK_BEFORE_LETTER
    units[lone[following == _PUNCTUATION]] = _BLANK_BEFORE_MARK
    return units


_START_ROW = 256


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """What each byte is; one more for the beginning of a text."""
    kinds = np.full(257, _OTHER, dtype=np.uint8)
    kinds[ord("a") : ord("z") + 1] = _SMALL
    kinds[ord("A") : ord("Z") + 1] = _CAPITAL
    kinds[ord("0") : ord("9") + 1] = _FIGURE
    kinds[list(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")] = _PUNCTUATION
    kinds[list(b" \t")] = _SPACE
    kinds[ord("\n")] = _NEWLINE
    kinds[128:256] = _FOREIGN
    kinds[_START_ROW] = _START
    return kinds


@cache
def _costs() -> npt.NDArray[np.int16]:
    """Units of a byte, by the byte before it; shape (257, 256)."""
    kinds = _kinds()
    costs = np.full((257, 256), _CONTROL, dtype=np.int16)
    costs[:, kinds[:256] == _SMALL] = _WORD
    costs[:, kinds[:256] == _CAPITAL] = _CAPITAL_WORD
    costs[:, kinds[:256] == _FIGURE] = _DIGIT
    costs[:, kinds[:256] == _PUNCTUATION] = _MARK
    costs[:, kinds[:256] == _SPACE] = _BLANK
    costs[:, ord("\n")] = _LINE_END
    _charge_neighbours(costs, kinds)
    _charge_letters(costs)
    costs[:, 128:] = 0
    low = 0xC0
    for high, units in _CHARACTERS:
        costs[:, low : high + 1] = units
        low = high + 1
    return costs


def _charge_neighbours(costs: npt.NDArray[np.int16], kinds: npt.NDArray[np.uint8]) -> None:
    marks = np.flatnonzero(kinds == _PUNCTUATION)
    letters = np.flatnonzero((kinds == _SMALL) | (kinds == _CAPITAL) | (kinds == _FOREIGN))
    blanks, figures = np.flatnonzero(kinds == _SPACE), np.flatnonzero(kinds == _FIGURE)
    costs[np.ix_(letters, marks)] = _MARK_AFTER_LETTER
    costs[np.ix_(blanks, marks)] = _MARK_AFTER_BLANK
    costs[:, ord("_")] = _UNDERSCORE
    costs[np.ix_(marks, marks)] = _NEXT_MARK
    costs[marks, marks] = _SAME_MARK
    costs[np.ix_(figures, figures)] = _NEXT_DIGIT
    costs[np.ix_(blanks, blanks)] = _NEXT_BLANK
    costs[marks, ord("\n")] = _LINE_END_AFTER_MARK
    costs[ord("\n"), ord("\n")] = _NEXT_LINE_END


def _charge_letters(costs: npt.NDArray[np.int16]) -> None:
    pairs = np.array([[_PAIR_COSTS[int(level)] for level in row] for row in _PAIRS.split()], dtype=np.int16)
    small, capital = slice(ord("a"), ord("z") + 1), slice(ord("A"), ord("Z") + 1)
    costs[small, small] = pairs
    costs[capital, small] = pairs
    costs[capital, capital] = pairs + _CAPITAL_EXTRA
