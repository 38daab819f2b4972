"""The terms of one file as bytes: each term as a number of 64 bits, so that no vocabulary has to be kept."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from switchyard_context.terms import FIELDS, Field, Terms

_MOST = 0xFFFF
_MEMO_SIZE = 200_000


class FieldRow(NamedTuple):
    """One field of one file."""

    hashes: bytes
    """64 bits each, in the order of the file."""
    counts: bytes
    """16 bits each; larger counts are cut."""


class TermHasher:
    """Terms as numbers; the same everywhere, and remembered because files of a tree share most of their words."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def hash_of(self, term: str) -> int:
        found = self._known.get(term)
        if found is None:
            if len(self._known) >= _MEMO_SIZE:
                self._known.clear()
            found = self._known[term] = hash_term(term)
        return found

    def pack(self, terms: Terms) -> bytes:
        """All fields in the order of FIELDS: first how many terms each has, then hashes and counts of each."""
        sizes = array("I", [len(terms.get(field, ())) for field in FIELDS])
        parts = [sizes.tobytes()]
        for field in FIELDS:
            counts = terms.get(field)
            if counts:
                parts.append(array("Q", [self.hash_of(term) for term in counts]).tobytes())
                parts.append(array("H", [min(count, _MOST) for count in counts.values()]).tobytes())
        return b"".join(parts)


def hash_term(term: str) -> int:
    """The number of a term: two terms of a tree share one about never (2⁻⁶⁴ a pair)."""
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def unpack_terms(row: bytes) -> Iterable[tuple[Field, FieldRow]]:
    """The fields that a row holds; those without terms are left out.

    Raises:
        ValueError: The row is cut.
    """
    sizes = array("I")
    position = len(FIELDS) * sizes.itemsize
    sizes.frombytes(row[:position])
    if position + sum(sizes) * 10 != len(row):
        raise ValueError(f"a row of terms has {len(row)} bytes")
    for field, size in zip(FIELDS, sizes, strict=True):
        if size:
            middle, end = position + size * 8, position + size * 10
            yield field, FieldRow(row[position:middle], row[middle:end])
            position = end
