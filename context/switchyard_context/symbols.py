"""Which definitions of some files answer a text, so that the budget goes to the bodies that matter."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from switchyard_context.facts import Definition
from switchyard_context.mentions import Mentions
from switchyard_context.naming import stems_in
from switchyard_context.slices import Document

_TOKEN = re.compile(r"[A-Za-z_$][\w$]*")
_K1, _B = 1.2, 0.6
_NAME_WEIGHT = 3.0
_COMPOUND_WEIGHT = 1.3
_NAMED, _CHAINED, _FRAMED, _ENCLOSED = 0.4, 0.5, 0.8, 0.15
_LINKED = 0.25
_CALLER_SHARE = 0.6
_MAX_HOMONYMS = 3


@dataclass
class _Symbol:
    """A definition, and what of the text stands in its own lines: those that no inner definition holds."""

    path: str
    definition: Definition
    hits: Counter[str] = field(default_factory=Counter)
    """Term of the text → how often."""
    length: int = 0
    uses: set[str] = field(default_factory=set)
    """Names of definitions of the same file that it mentions."""

    @property
    def name(self) -> str:
        return self.definition.name.rpartition(".")[2]

    @property
    def owner(self) -> str:
        return self.definition.name.rpartition(".")[0].rpartition(".")[2]


def score_symbols(mentions: Mentions, documents: Mapping[str, Document]) -> dict[str, dict[Definition, float]]:
    """How well each definition answers the text, compared with those of all the documents.

    Words count as in BM25 over definitions; names that the text says, dotted chains and frames of a stack trace come
    on top; and a part of it goes to what a good definition calls and is called by in its file.

    Args:
        documents: By path; 1 MB of them takes about a tenth of a second.
    """
    terms = _Terms(mentions)
    symbols = [item for path, document in documents.items() for item in _symbols_of(path, document, terms)]
    texts = _match_words(symbols, terms)
    homonyms = Counter(item.name for item in symbols)
    scores = [
        score + _match_names(item, mentions) / (1 + 0.5 * math.log(homonyms[item.name]))
        for item, score in zip(symbols, texts, strict=True)
    ]
    found: dict[str, dict[Definition, float]] = {path: {} for path in documents}
    for item, score, link in zip(symbols, scores, _links(symbols, scores), strict=True):
        found[item.path][item.definition] = round(score + _LINKED * link, 6)
    return found


class _Terms:
    """What is looked for; a token of a file is taken apart once."""

    def __init__(self, mentions: Mentions) -> None:
        self.weights = {**mentions.words, **{f"={name}": weight for name, weight in mentions.names.items()}}
        self._found: dict[str, tuple[str, ...]] = {}

    def of(self, token: str) -> tuple[str, ...]:
        known = self._found.get(token)
        if known is None:
            named = f"={token}"
            words = tuple(stem for stem in stems_in(token) if stem in self.weights)
            self._found[token] = known = (*words, named) if named in self.weights else words
        return known


def _symbols_of(path: str, document: Document, terms: _Terms) -> list[_Symbol]:
    last = len(document.lines)
    symbols = [_Symbol(path, item) for item in document.facts.definitions if item.last_line <= last]
    names = {item.name for item in symbols}
    for line, owner in zip(document.lines, _owners(symbols, last), strict=True):
        if owner >= 0:
            symbol, tokens = symbols[owner], _TOKEN.findall(line)
            symbol.length += len(tokens)
            for token in tokens:
                symbol.hits.update(terms.of(token))
            symbol.uses.update(names.intersection(tokens))
    return symbols


def _owners(symbols: Sequence[_Symbol], size: int) -> list[int]:
    """For each line the innermost definition that holds it; -1 for none."""
    owners: npt.NDArray[np.int64] = np.full(size, -1)
    places = [(item.definition.first_line, -item.definition.last_line, index) for index, item in enumerate(symbols)]
    for first, last, index in sorted(places):
        owners[first - 1 : -last] = index
    return [int(owner) for owner in owners]


def _match_words(symbols: Sequence[_Symbol], terms: _Terms) -> list[float]:
    """BM25, a name's own words counting more; the best is 1."""
    held = [item.hits + Counter({term: int(_NAME_WEIGHT) for term in terms.of(item.name)}) for item in symbols]
    holders = Counter(term for hits in held for term in hits)
    mean = sum(item.length for item in symbols) / max(1, len(symbols))
    scores = []
    for item, hits in zip(symbols, held, strict=True):
        norm = _K1 * (1 - _B + _B * item.length / max(1.0, mean))
        score = 0.0
        for term, count in sorted(hits.items()):
            rarity = math.log(1 + (len(symbols) - holders[term] + 0.5) / (holders[term] + 0.5))
            weight = terms.weights[term] * (_COMPOUND_WEIGHT if term.startswith("=") else 1.0)
            score += weight * rarity * count * (_K1 + 1) / (count + norm)
        scores.append(score)
    best = max(scores, default=0.0) or 1.0
    return [score / best for score in scores]


def _match_names(symbol: _Symbol, mentions: Mentions) -> float:
    score = _NAMED * min(2.0, mentions.names.get(symbol.name, 0.0))
    if symbol.owner:
        score += _ENCLOSED * min(2.0, mentions.names.get(symbol.owner, 0.0))
    if any(symbol.name in chain[1:] and (not symbol.owner or symbol.owner in chain) for chain in mentions.chains):
        score += _CHAINED
    if any(frame.function == symbol.name and _is_end(frame.path, symbol.path) for frame in mentions.frames):
        score += _FRAMED
    return score


def _is_end(written: str, path: str) -> bool:
    """Whether a path of another machine may be this file."""
    return written.replace("\\", "/").rpartition("/")[2] == path.rpartition("/")[2]


def _links(symbols: Sequence[_Symbol], scores: Sequence[float]) -> list[float]:
    """The best score among those of its file that a definition calls or is called by."""
    by_name: dict[tuple[str, str], list[int]] = {}
    for index, item in enumerate(symbols):
        by_name.setdefault((item.path, item.name), []).append(index)
    links = [0.0] * len(symbols)
    for index, item in enumerate(symbols):
        for name in sorted(item.uses):
            called = by_name[item.path, name]
            for other in called if len(called) <= _MAX_HOMONYMS else ():
                if other != index:
                    links[other] = max(links[other], scores[index])
                    links[index] = max(links[index], _CALLER_SHARE * scores[other])
    return links
