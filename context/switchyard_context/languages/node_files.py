"""The files that a TypeScript or JavaScript path may mean: extensions, `.js` for `.ts`, folders with an index."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

# TypeScript's own order, then what bundlers add.
_SUFFIXES = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mts", ".cts", ".d.mts", ".d.cts", ".mjs", ".cjs")
_WRITTEN_FOR = {
    ".js": (".ts", ".tsx", ".d.ts"),
    ".jsx": (".tsx", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}
_CODE = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")


@dataclass(frozen=True)
class NodeFiles:
    """The source files of a tree, asked by path without extension."""

    files: Collection[str]
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic link → file; what is found is always the file."""

    def find(self, path: str) -> str | None:
        """A file, or a folder's index, for a path as an import may write it."""
        return self.find_file(path) or self.find_index(path)

    def find_file(self, path: str) -> str | None:
        return self._first(_candidates(path))

    def find_index(self, folder: str) -> str | None:
        index = f"{folder}/index" if folder else "index"
        return self._first(index + suffix for suffix in _SUFFIXES)

    def _first(self, candidates: Iterable[str]) -> str | None:
        real = (self.links.get(candidate, candidate) for candidate in candidates)
        return next((path for path in real if path in self.files), None)


def _candidates(path: str) -> Iterator[str]:
    stem, suffix = posixpath.splitext(path)
    for other in _WRITTEN_FOR.get(suffix, ()):
        yield stem + other
    if suffix in _CODE:
        yield path
    for added in _SUFFIXES:
        yield path + added


def join(folder: str, relative: str) -> str | None:
    """`relative` seen from `folder`; None when it leaves the tree."""
    joined = posixpath.normpath(posixpath.join(folder or ".", relative))
    if joined == ".." or joined.startswith(("../", "/")):
        return None
    return "" if joined == "." else joined


def without_suffix(path: str) -> str:
    """The path without its code extension, `.d.ts` and its kin included."""
    for suffix in (".d.ts", ".d.mts", ".d.cts", *_CODE):
        if path.endswith(suffix):
            return path[: -len(suffix)]
    return path
