"""How alike two findings are, by the files that they name and by the meaning of their words.

No model is asked: words are brought to their stems, names are taken apart, and what several words say alike is one
word. The threshold was set on labelled pairs (tests/tasks/twins) so that few that differ are taken for one: a finding
that is lost costs more than one that is filed twice.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

SAME = 0.53
"""From here on two findings count as one."""
MOST_CHARS = 4_000
"""More of a text is not read."""

_WORD = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_STOP_WORDS = """
    a an the and or but if of to in on at by for from with as is are was were be been being it its this that these
    those there here which who what when while then than so such can could may might must shall should will would do
    does did has have had s t they them their we our you your i he she one two some any all each every also too very
    just still already even instead only into over under after before between about up down out off again gets get got
    does doesn don isn aren wasn use uses used using
"""
_ALIKE = (
    "no not never without lack lacks lacking missing miss misses absent cannot unable fail fails un non",
    "remove removed delete deleted deletion drop dropped drops discard discarded",
    "ignore ignored ignores unchecked swallow swallowed",
    "crash crashes panic panics raise raises throw throws exception abort aborts",
    "leak leaks leaked unreleased unclosed",
    "free freed release released close closed",
    "slow slowly performance inefficient expensive",
    "limit limits bound bounds bounded unbounded cap unlimited",
    "test tests testing tested untested coverage covers covered cover",
    "doc docs document documents documented documentation undocumented",
    "outdated old stale obsolete",
    "empty blank",
    "broken dead",
    "folder directory",
    "twice duplicate duplicated double",
    "sort sorted order ordered ordering",
    "config configuration configurable configure",
    "auth authentication authenticate authenticated",
    "install installation installing",
    "vulnerable vulnerability vulnerabilities cve",
    "flag option",
    "login signin",
    "infinite forever endless",
    "email mail smtp emails",
)
_ONE = {word: group.split()[0] for group in _ALIKE for word in group.split()}
_COMMON_WORDS = """
    no test add fix file code function method class error value should need wrong bug issue problem make new case
"""
_COMMON_WEIGHT = 0.4
_STOP, _COMMON = frozenset(_STOP_WORDS.split()), frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class Gist:
    """What a finding or a task is about, ready to be compared."""

    order: tuple[str, ...]
    """The title's words."""
    title: Counter[str]
    whole: Counter[str]
    pieces: Counter[str]
    """Three signs each of the title's words."""
    paths: frozenset[str]

    @classmethod
    def of(cls, title: str, detail: str = "", paths: Iterable[str] = ()) -> Gist:
        """The gist of a text and the files that it names."""
        named = frozenset(str(PurePosixPath(path)) for path in paths if path.strip())
        order = tuple(_stems(title))
        stems = Counter(order)
        return cls(order, stems, stems + Counter(_stems(detail[:MOST_CHARS])), Counter(_pieces(stems)), named)


def find_twin(gist: Gist, others: Sequence[Gist]) -> int | None:
    """Which of the others says the same, the most alike first; None: none does."""
    scores = [likeness(gist, other) for other in others]
    best = max(range(len(scores)), key=scores.__getitem__, default=None)
    return best if best is not None and scores[best] >= SAME else None


def likeness(one: Gist, other: Gist) -> float:
    """From 0, nothing in common, to 1."""
    words = max(_cosine(one.title, other.title), _cosine(one.whole, other.whole))
    crossed = max(_held(one.title, other.whole), _held(other.title, one.whole))
    pieces = _cosine(one.pieces, other.pieces)
    return _by_paths(one, other) * _by_swap(one, other) * (0.4 * words + 0.35 * crossed + 0.25 * pieces)


def _by_paths(one: Gist, other: Gist) -> float:
    """Findings about other files are other findings, whatever they say."""
    if not one.paths or not other.paths:
        return 0.9
    return 1.0 if one.paths & other.paths else 0.3


def _by_swap(one: Gist, other: Gist) -> float:
    """Titles that differ in one place alone say the same of two things: an unused `os`, an unused `re`."""
    if len(one.order) != len(other.order) or len(one.order) < 2:
        return 1.0
    swapped = [pair for pair in zip(one.order, other.order, strict=True) if pair[0] != pair[1]]
    if len(swapped) != 1:
        return 1.0
    mine, theirs = swapped[0]
    return 1.0 if mine in other.whole or theirs in one.whole else 0.5


def _stems(text: str) -> list[str]:
    words = (word for part in _WORD.findall(text) for word in _CAMEL.sub(" ", part).lower().split())
    return [_stem(word) for word in words if word not in _STOP]


def _stem(word: str) -> str:
    """The word that says it for all of its kind, or the word without its ending."""
    if word in _ONE:
        return _ONE[word]
    for ending in ("ations", "ation", "ingly", "ings", "ing", "edly", "ies", "ied", "ed", "es", "s", "ly", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            shorn = word.removesuffix(ending)
            undoubled = shorn[:-1] if shorn[-1] == shorn[-2] and ending in ("ing", "ed") else shorn
            return _ONE.get(undoubled, undoubled)
    return word


def _pieces(stems: Iterable[str]) -> list[str]:
    return [padded[at : at + 3] for stem in stems for padded in [f" {stem} "] for at in range(len(padded) - 2)]


def _weight(stem: str) -> float:
    return _COMMON_WEIGHT if stem in _COMMON else 1.0


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    dot = sum(_weight(stem) ** 2 * min(one[stem], 2) * min(other[stem], 2) for stem in one.keys() & other.keys())
    return dot / (_norm(one) * _norm(other)) if dot else 0.0


def _norm(counts: Counter[str]) -> float:
    return math.sqrt(sum((_weight(stem) * min(count, 2)) ** 2 for stem, count in counts.items()))


def _held(part: Counter[str], whole: Counter[str]) -> float:
    """The share of one text's words that another has."""
    total = sum(map(_weight, part))
    return sum(_weight(stem) for stem in part if stem in whole) / total if total else 0.0
