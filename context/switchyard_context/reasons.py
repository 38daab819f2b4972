"""Why a file is thought to be meant, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

from switchyard_context.evidence import Evidence

_SHOWN_WORDS = 5
_SAID = (
    ("frame", "in the stack trace"),
    ("path", "its path is in the text"),
    ("chain", "defines what a dotted name in the text means"),
    ("defined", "defines a name in the text"),
    ("called", "its name is in the text"),
    ("held", "uses a name in the text"),
    ("message", "changed by commits that resemble the text"),
    ("scope", "changed by commits of the same scope"),
    ("together", "changed together with other good matches"),
    ("tests", "imported by tests that resemble the text"),
    ("imported", "imported by other good matches"),
    ("importing", "imports other good matches"),
)
_MIN_SHARE = 0.25
"""Beside the file for which a kind of evidence speaks loudest."""


def reasons_for(evidence: Evidence, written: Mapping[str, str], file: int) -> tuple[str, ...]:
    """The kinds of evidence that speak loudly for a file, and the words it shares with the text.

    Args:
        written: Stem → the word of the text.
    """
    loud = [said for name, said in _SAID if evidence.signals[name][file] > _MIN_SHARE * evidence.signals[name].max()]
    stems = list(dict.fromkeys(evidence.matches["word"].terms_in(file)))[:_SHOWN_WORDS]
    words = [written.get(stem, stem) for stem in stems]
    return (*loud, *((f"words: {', '.join(words)}",) if words else ()))
