"""The words of a file, by where they stand: what a text is compared with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from switchyard_context.facts import FileFacts
from switchyard_context.naming import is_compound, stems_in

Field = Literal["word", "identifier", "defined_word", "defined", "path_word", "name_word", "path_part"]
"""Of the content — `word`: split and stemmed words. `identifier`: compound identifiers as written. `defined_word`:
words of the names that the file defines. `defined`: those names as written, the last component.
Of the path — `path_word`: its stemmed words without the extension. `name_word`: those of the file's own name.
`path_part`: its folders, its file name, and that name up to the first dot with the dot; as written, in lower case."""
FIELDS: tuple[Field, ...] = get_args(Field)

Terms = Mapping[Field, Mapping[str, int]]
"""Field → term → how often."""

_IDENTIFIER = re.compile(rb"[A-Za-z_]\w{1,63}")


def terms_of(content: bytes, facts: FileFacts) -> Terms:
    """The terms of one file's content; what hangs on its path is not among them."""
    found = {name.decode(): count for name, count in Counter(_IDENTIFIER.findall(content)).items()}
    words: dict[str, int] = {}
    for name, count in found.items():
        for word in stems_in(name):
            words[word] = words.get(word, 0) + count
    names = [item.name.rpartition(".")[2] for item in facts.definitions]
    return {
        "word": words,
        "identifier": {name: count for name, count in found.items() if is_compound(name)},
        "defined_word": Counter(word for name in names for word in stems_in(name)),
        "defined": Counter(names),
    }


def path_terms_of(path: str) -> Terms:
    """The terms of a path."""
    *folders, name = path.split("/")
    own = name.partition(".")[0] or name
    parts = (*folders, name, f"{own}.")
    return {
        "path_word": Counter(word for part in (*folders, own) for word in stems_in(part)),
        "name_word": Counter(stems_in(own)),
        "path_part": dict.fromkeys((part.lower() for part in parts), 1),
    }
