"""The words of a file, by where they stand: what a text is compared with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from switchyard_context.facts import FileFacts
from switchyard_context.naming import stems_of, words_of

Field = Literal["word", "identifier", "defined_word", "defined", "path_word"]
"""`word`: split and stemmed words of the content. `identifier`: compound identifiers as written. `defined_word`: words
of the names that the file defines. `defined`: those names as written, the last component. `path_word`: words of the
path."""
FIELDS: tuple[Field, ...] = get_args(Field)

Terms = Mapping[Field, Mapping[str, int]]
"""Field → term → how often."""

_IDENTIFIER = re.compile(rb"[A-Za-z_]\w{2,63}")


def terms_of(content: bytes, facts: FileFacts) -> Terms:
    """The terms of one file's content; what hangs on its path is not among them."""
    found = {name.decode(): count for name, count in Counter(_IDENTIFIER.findall(content)).items()}
    words: Counter[str] = Counter()
    for name, count in found.items():
        for word in stems_of(words_of(name)):
            words[word] += count
    names = [item.name.rpartition(".")[2] for item in facts.definitions]
    return {
        "word": words,
        "identifier": {name: count for name, count in found.items() if not (name.islower() and "_" not in name)},
        "defined_word": Counter(word for name in names for word in stems_of(words_of(name))),
        "defined": Counter(names),
    }


def path_terms_of(path: str) -> Mapping[str, int]:
    """The words of a path."""
    return Counter(stems_of(words_of(path)))
