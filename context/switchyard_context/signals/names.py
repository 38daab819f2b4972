"""Names of a text that files define, hold or are called by."""

from __future__ import annotations

import numpy as np

from switchyard_context.mentions import Mentions
from switchyard_context.signals.lexical import Scores
from switchyard_context.term_index import TermIndex

_MAX_HOLDERS = 40


def _empty(index: TermIndex) -> Scores:
    return np.zeros(len(index.lengths("path_word")))


def defined_names(index: TermIndex, mentions: Mentions) -> Scores:
    """Files that define a name of the text; one that many files define says little."""
    scores = _empty(index)
    for name, weight in mentions.names.items():
        holders = index.postings("defined", name).files
        if len(holders):
            scores[holders] += weight / np.sqrt(len(holders))
    return scores


def held_names(index: TermIndex, mentions: Mentions) -> Scores:
    """Files that hold a compound name of the text anywhere."""
    scores = _empty(index)
    for name, weight in mentions.names.items():
        found = index.postings("identifier", name)
        if len(found.files):
            rarity = np.log(1 + len(scores) / len(found.files))
            scores[found.files] += weight * rarity * found.counts / (found.counts + 1)
    return scores


def chained_names(index: TermIndex, mentions: Mentions) -> Scores:
    """Files that define a link of a dotted chain and have those before it in their path or among their names."""
    scores = _empty(index)
    for chain in mentions.chains:
        for position in range(1, len(chain)):
            holders = index.postings("defined", chain[position]).files
            if not 0 < len(holders) <= _MAX_HOLDERS:
                continue
            agreed = np.zeros(len(holders))
            for before in chain[:position]:
                inside = np.isin(holders, index.postings("path_part", before.lower()).files)
                inside |= np.isin(holders, index.postings("defined", before).files)
                agreed += inside
            scores[holders] = np.maximum(scores[holders], agreed / np.sqrt(len(holders)))
    return scores


def called_files(index: TermIndex, mentions: Mentions) -> Scores:
    """Files whose own name stands in the text as a word; a name that many files have says little."""
    scores = _empty(index)
    for word in sorted(mentions.plain):
        holders = index.postings("path_part", f"{word}.").files
        if 0 < len(holders) <= _MAX_HOLDERS:
            scores[holders] += 1 / np.sqrt(len(holders))
    return scores
