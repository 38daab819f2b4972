"""Bytes into facts, for whatever a repository may hold under a source file's name."""

from __future__ import annotations

import codecs

from switchyard_context.facts import FileFacts
from switchyard_context.languages import language_of, suffix_of

MAX_SOURCE_BYTES = 8_000_000
_WIDE_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_facts(path: str, content: bytes) -> FileFacts:
    """The facts of one file; a file that can't be read for what its name says has none, and says why."""
    language = language_of(path)
    if language is None:
        return FileFacts(problem="no language reads this extension")
    if len(content) > MAX_SOURCE_BYTES:
        return FileFacts(problem=f"{len(content)} bytes, over the limit of {MAX_SOURCE_BYTES}; not parsed")
    text = _as_utf8(content)
    if b"\0" in text[:8192]:
        return FileFacts(problem="binary; not parsed")
    return language.readers[suffix_of(path)](text)


def _as_utf8(content: bytes) -> bytes:
    for mark, encoding in _WIDE_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace").encode()
    return content.removeprefix(codecs.BOM_UTF8)
