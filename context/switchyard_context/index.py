"""What is known of the source files of a tree: cached per blob, parsed where the cache has none, decoded when asked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache as remember
from pathlib import Path

from switchyard_context import naming, terms
from switchyard_context.cache import BlobCache
from switchyard_context.facts import FileFacts
from switchyard_context.languages import language_of, suffix_of
from switchyard_context.source import Source
from switchyard_context.workers import parse, problem_row

_CHUNK = 500
_REMEMBERED = 5000


class Index(Mapping[str, FileFacts]):
    """Path → facts of every file that some language reads, sorted by path; each is decoded when first asked for."""

    def __init__(self, source: Source, rows: BlobCache, files: list[str] | None = None) -> None:
        """
        Args:
            files: The files that some language reads, sorted, where they are known already.
        """
        self._source = source
        self._rows = rows
        self._files = [path for path in source.blobs if language_of(path) is not None] if files is None else files
        self._facts: dict[str, FileFacts] = {}
        self.is_stable = True
        """Whether every file was found to hold what the tree says it does."""

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the cache."""
        return self._rows.warnings

    def __getitem__(self, path: str) -> FileFacts:
        found = self._facts.get(path)
        if found is None:
            if path not in self:
                raise KeyError(path)
            self.read([path])
            found = self._facts[path]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and path in self._source.blobs and language_of(path) is not None

    def parse_absent(self, paths: Sequence[str]) -> None:
        """Parse those of the files that the cache has not."""
        wanted = {self._key(path): path for path in paths}
        for key in self._rows.known(list(wanted)):
            del wanted[key]
        self._parse(list(wanted.values()))

    def read(self, paths: Sequence[str]) -> dict[str, FileFacts]:
        """The facts of many files at once."""
        if len(self._facts) + len(paths) > _REMEMBERED:
            self._facts = {}
        found = self._rows.facts([self._key(path) for path in paths])
        absent = [path for path in paths if self._key(path) not in found]
        if absent:
            self._parse(absent)
            found |= self._rows.facts([self._key(path) for path in absent])
        facts = {path: found.get(self._key(path), _UNKNOWN) for path in paths}
        self._facts |= facts
        return facts

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, FileFacts]]:
        """(path, facts) in the order given, some hundreds in memory at a time."""
        for start in range(0, len(paths), _CHUNK):
            yield from self.read(paths[start : start + _CHUNK]).items()

    def shows_other_than(self, path: str, blob: str) -> bool:
        """Whether other files see in this one something else than in an earlier content of it."""
        key = key_of(path, blob)
        before = self._rows.facts([key]).get(key)
        return before is None or before.visible() != self[path].visible()

    def terms(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """(path, packed terms) in the order given."""
        for start in range(0, len(paths), _CHUNK):
            chunk = paths[start : start + _CHUNK]
            found = dict(self._rows.terms([self._key(path) for path in chunk]))
            absent = [path for path in chunk if self._key(path) not in found]
            if absent:
                self._parse(absent)
                found |= dict(self._rows.terms([self._key(path) for path in absent]))
            for path in chunk:
                yield path, found.get(self._key(path)) or problem_row("").terms

    def hand_on(self, folder: Path) -> None:
        """Write what is known of these files, and of no others, into the cache of another folder."""
        self._rows.hand_on([self._key(path) for path in self], folder)

    def _key(self, path: str) -> str:
        return key_of(path, self._source.blobs[path])

    def _parse(self, paths: Sequence[str]) -> None:
        for group in parse(self._source, paths):
            self._rows.store((self._key(item.path), item.row) for item in group if item.is_final)
            passing = [(self._key(item.path), item.row) for item in group if not item.is_final]
            if passing:
                self.is_stable = False
                self._rows.store(passing, for_good=False)


class Selected(Mapping[str, FileFacts]):
    """Some of the files."""

    def __init__(self, facts: Mapping[str, FileFacts], paths: Sequence[str]) -> None:
        self._all = facts
        self._paths = dict.fromkeys(paths)

    def __getitem__(self, path: str) -> FileFacts:
        if path not in self._paths:
            raise KeyError(path)
        return self._all[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, path: object) -> bool:
        return path in self._paths


_UNKNOWN = FileFacts(problem="can't be read")


def key_of(path: str, blob: str) -> str:
    """The key of what is known of a blob; it changes with whatever reads it."""
    language = language_of(path)
    assert language is not None
    return f"{terms_version():08x}:{language.version}{suffix_of(path)}:{blob}"


@remember
def terms_version() -> int:
    """A number for the code that extracts terms: what other code extracted is of no use."""
    version = 0
    for module in (terms, naming):
        assert module.__file__ is not None
        version = zlib.crc32(Path(module.__file__).read_bytes(), version)
    return version
