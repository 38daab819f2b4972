"""Files that nobody wrote here by hand: what `.gitattributes` marks as generated or as somebody else's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from switchyard_git import GitError, ObjectSha

from switchyard_context.source import Source

GENERATED, VENDORED = 1, 2

_BITS = {"linguist-generated": GENERATED, "linguist-vendored": VENDORED}
_OFF = ("unspecified", "unset", "false")

Marks = npt.NDArray[np.uint8]


def read_marks(source: Source, files: Sequence[str]) -> Marks:
    """The marks of each file, as bits; none where git can't tell."""
    marks = np.zeros(len(files), dtype=np.uint8)
    rules = [path for path in source.blobs if path.endswith(".gitattributes")]
    if not any(b"linguist-" in content for _, content in source.read_many(rules)):
        return marks
    tree = None if source.root is not None else {path: ObjectSha(source.blobs[path]) for path in rules}
    ids = {path: position for position, path in enumerate(files)}
    try:
        for path, name, value in source.repository.attributes(tuple(_BITS), files, tree):
            if value not in _OFF:
                marks[ids[path]] |= _BITS[name]
    except GitError:
        return np.zeros(len(files), dtype=np.uint8)
    return marks
