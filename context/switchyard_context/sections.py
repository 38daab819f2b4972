"""Files of named arrays, mapped into memory when read; written whole or not at all, and checked before use."""

from __future__ import annotations

import json
import mmap
import os
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_MAGIC = b"switchyard-sections-1\n\0\0"
_ALIGNMENT = 8

Array = npt.NDArray[Any]


class Damaged(Exception):
    """A file of sections that is cut, altered or of another version; it never leaves the package."""


class Sections:
    """A file that was written by `write_sections`; arrays are views into it."""

    def __init__(self, facts: dict[str, Any], places: dict[str, list[Any]], content: mmap.mmap | bytes) -> None:
        self.facts = facts
        self._places = places
        self._content = content

    def array(self, name: str) -> Array:
        """An array, read-only.

        Raises:
            Damaged: There is none of that name.
        """
        if name not in self._places:
            raise Damaged(f"no section {name}")
        dtype, start, size, _ = self._places[name]
        kind = np.dtype(dtype)
        return np.frombuffer(self._content, dtype=kind, count=size // kind.itemsize, offset=start)

    def check(self) -> None:
        """Compare every section with its checksum.

        Raises:
            Damaged: One differs.
        """
        view = memoryview(self._content)
        for name, (_, start, size, checksum) in self._places.items():
            if zlib.crc32(view[start : start + size]) != checksum:
                raise Damaged(f"section {name} is damaged")


def read_sections(file: Path, *, is_checked: bool = True) -> Sections:
    """Open a file; its sections are read when they are used.

    Args:
        is_checked: Whether to compare all of it with its checksums now.

    Raises:
        Damaged: It is not what was written.
        OSError: It can't be read.
    """
    with file.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size < len(_MAGIC) + 8:
            raise Damaged("cut")
        content = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    sections = _parse(content, size)
    if is_checked:
        sections.check()
    return sections


def _parse(content: mmap.mmap, size: int) -> Sections:
    head = len(_MAGIC) + 8
    length, checksum = int.from_bytes(content[head - 8 : head - 4], "little"), content[head - 4 : head]
    if content[: len(_MAGIC)] != _MAGIC:
        raise Damaged("no file of this version")
    header = content[head : head + length]
    if zlib.crc32(header).to_bytes(4, "little") != checksum:
        raise Damaged("the header is damaged")
    facts, places, end = json.loads(header)
    if end != size:
        raise Damaged("cut")
    return Sections(facts, places, content)


def write_sections(file: Path, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write a file under a passing name and put it in place at once.

    Raises:
        OSError: It can't be written; nothing is left behind.
    """
    # The header says where the sections lie, and its own size decides that: it is written with blanks to spare.
    places: dict[str, list[Any]] = {}
    room = 512 + len(json.dumps(facts)) + sum(len(name) + 80 for name in arrays)
    position = len(_MAGIC) + 8 + room
    position += -position % _ALIGNMENT
    room = position - len(_MAGIC) - 8
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in contiguous.items():
        places[name] = [array.dtype.str, position, array.nbytes, zlib.crc32(array.data)]
        position += array.nbytes
        position += -position % _ALIGNMENT
    header = json.dumps([facts, places, position]).encode().ljust(room)
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(_MAGIC + len(header).to_bytes(4, "little") + zlib.crc32(header).to_bytes(4, "little") + header)
            for section, array in contiguous.items():
                opened.seek(places[section][1])
                opened.write(array.data)
            opened.truncate(position)
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
