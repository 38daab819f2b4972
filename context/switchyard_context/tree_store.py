"""States of trees kept between runs: one file a state, and one for each table of terms that several states share."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from itertools import compress
from pathlib import Path

import numpy as np

from switchyard_context.sections import Array, Damaged, Sections, read_sections, write_sections
from switchyard_context.source import Source
from switchyard_context.term_index import MemoryTable
from switchyard_context.terms import FIELDS, Field
from switchyard_context.tree_state import EdgeTable, TreeState

_FORMAT = 1
_KEPT_STATES = 12
_KEPT_TERMS = 3
# How much of a tree may differ from a kept state for it to be the nearest without a look at the others, or of any use.
_CLOSE, _FAR = 0.01, 0.5
# A state shares a table of terms while no more files than these, and no greater part of them, are others.
_OTHER_FILES, _OTHER_PART = 50, 0.02


class TreeStore:
    """A folder of states; whatever is wrong with one of its files costs time, never a result.

    Several processes may use it at once: files are put in place whole, and one that is removed while it is read stays
    readable to whoever opened it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / "trees" if folder is not None else None
        self.warnings: list[str] = []

    def load(self, source: Source, key: str) -> TreeState | None:
        """The state of this very tree, if it was kept."""
        sections = self._read(f"state-{key}")
        return None if sections is None else _state_from(sections, source.blobs, source.links)

    def nearest(self, source: Source) -> TreeState:
        """The kept state that differs in the fewest files; an empty one if none is near."""
        nearest: tuple[float, Sections, dict[str, str]] | None = None
        for name in self._names("state-"):
            sections = self._read(name)
            if sections is None or sections.facts["code"] != code_version():
                continue
            blobs = _blobs_from(sections)
            distance = len(blobs.items() ^ source.blobs.items()) / (len(blobs) + len(source.blobs) + 1)
            if distance <= _FAR and (nearest is None or distance < nearest[0]):
                nearest = (distance, sections, blobs)
            if distance <= _CLOSE:
                break
        return TreeState({}) if nearest is None else _state_from(nearest[1], nearest[2], nearest[1].facts["links"])

    def save(self, state: TreeState, key: str) -> None:
        """Keep a state."""
        listing = "\0".join(state.blobs).encode("utf-8", "surrogateescape")
        known = set(state.files)
        arrays: dict[str, Array] = {
            "paths": _bytes(listing),
            "blobs": _bytes(bytes.fromhex("".join(state.blobs.values()))),
            "is_source": np.fromiter((path in known for path in state.blobs), dtype=np.uint8, count=len(state.blobs)),
            "unresolved": _bytes(json.dumps(state.unresolved).encode()),
            "problems": _bytes(json.dumps(state.problems).encode()),
            "importers": state.edges.importers,
            "imported": state.edges.imported,
            "lines": state.edges.lines,
            "kinds": state.edges.kinds,
            "askers": state.askers,
            "asked": state.asked,
            "moved": state.moved,
            "marks": state.marks,
        }
        facts = {
            "code": code_version(),
            "links": dict(state.links),
            "configs": state.configs,
            "terms_key": state.terms_key,
        }
        self._write(f"state-{key}", facts, arrays)

    def settle_terms(self, state: TreeState, key: str) -> TreeState:
        """The state with a table of terms to share, its own where that of before is gone or serves too few files."""
        others = len(state.files) - int(np.count_nonzero(state.moved >= 0))
        is_served = others <= max(_OTHER_FILES, _OTHER_PART * len(state.files))
        if is_served and state.terms_key and self._has(f"terms-{state.terms_key}"):
            return state
        return replace(state, terms_key=key, moved=np.arange(len(state.files), dtype=np.int32))

    def load_terms(self, key: str) -> dict[Field, MemoryTable] | None:
        """A table of terms, if it was kept."""
        sections = self._read(f"terms-{key}")
        if sections is None:
            return None
        return {field: MemoryTable(*(sections.array(f"{field}.{name}") for name in _COLUMNS)) for field in FIELDS}

    def save_terms(self, tables: Mapping[Field, MemoryTable], key: str) -> None:
        """Keep a table of terms."""
        arrays = {f"{field}.{name}": getattr(table, name) for field, table in tables.items() for name in _COLUMNS}
        self._write(f"terms-{key}", {}, arrays)

    def _has(self, name: str) -> bool:
        return self._folder is not None and (self._folder / name).is_file()

    def _read(self, name: str) -> Sections | None:
        if self._folder is None:
            return None
        file = self._folder / name
        try:
            sections = read_sections(file)
        except FileNotFoundError:
            return None
        except (OSError, Damaged) as error:
            self.warnings.append(f"{file} can't be used and is built anew: {error}")
            with suppress(OSError):
                file.unlink()
            return None
        with suppress(OSError):
            os.utime(file)
        return sections

    def _write(self, name: str, facts: Mapping[str, object], arrays: Mapping[str, Array]) -> None:
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_sections(self._folder / name, facts, arrays)
            self._remove_old()
        except OSError as error:
            self.warnings.append(f"{self._folder / name} can't be written: {error}")

    def _names(self, prefix: str) -> list[str]:
        """The kept files of a kind, the last used first."""
        found: list[tuple[float, str]] = []
        if self._folder is None:
            return []
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                # Another process may take one away meanwhile.
                with suppress(FileNotFoundError):
                    if entry.name.startswith(prefix):
                        found.append((entry.stat().st_mtime, entry.name))
        return [name for _, name in sorted(found, reverse=True)]

    def _remove_old(self) -> None:
        assert self._folder is not None
        # A name that a writer gave in passing stays only where that writer was killed.
        old = self._names("state-")[_KEPT_STATES:] + self._names("terms-")[_KEPT_TERMS:] + self._names(".new-")[8:]
        for name in old:
            (self._folder / name).unlink(missing_ok=True)


_COLUMNS = ("hashes", "starts", "files", "counts", "lengths")


def key_of_tree(source: Source) -> str:
    """The name of a tree's state: what it holds, and the code that looks at it."""
    links = (part for link in source.links.items() for part in link)
    parts = [code_version(), *links, "", *source.blobs, *source.blobs.values()]
    text = "\0".join(parts).encode("utf-8", "surrogateescape")
    return blake2b(text, digest_size=16).hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Changes with every edit of this package: a state that other code has made may differ in anything."""
    top = Path(__file__).parent
    found = []
    for folder in (top, top / "languages"):
        for entry in os.scandir(folder):
            if entry.name.endswith(".py"):
                status = entry.stat()
                found.append(f"{entry.name}:{status.st_size}:{status.st_mtime_ns}")
    return blake2b("\n".join((str(_FORMAT), *sorted(found))).encode(), digest_size=8).hexdigest()


def _state_from(sections: Sections, blobs: Mapping[str, str], links: Mapping[str, str]) -> TreeState:
    return TreeState(
        blobs=blobs,
        links=links,
        files=list(compress(blobs, sections.array("is_source").tolist())),
        edges=EdgeTable(*(sections.array(name) for name in ("importers", "imported", "lines", "kinds"))),
        unresolved=[(path, line, name) for path, line, name in json.loads(sections.array("unresolved").tobytes())],
        problems=json.loads(sections.array("problems").tobytes()),
        configs=sections.facts["configs"],
        askers=sections.array("askers"),
        asked=sections.array("asked"),
        terms_key=sections.facts["terms_key"],
        moved=sections.array("moved"),
        marks=sections.array("marks"),
    )


def _blobs_from(sections: Sections) -> dict[str, str]:
    text = sections.array("paths").tobytes().decode("utf-8", "surrogateescape")
    paths = text.split("\0") if text else []
    ids = sections.array("blobs").tobytes().hex()
    digits = len(ids) // len(paths) if paths else 0
    return {
        path: ids[start : start + digits] for path, start in zip(paths, range(0, len(ids), digits or 1), strict=True)
    }


def _bytes(content: bytes) -> Array:
    return np.frombuffer(content, dtype=np.uint8)
