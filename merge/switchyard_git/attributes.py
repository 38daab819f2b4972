"""What `.gitattributes` says of files, in a work tree or in any tree of the object database."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_git.plumbing import Plumbing, decode, encode, fields
from switchyard_git.values import FILE_MODE, ObjectSha


@dataclass(frozen=True)
class Attributes(Plumbing):
    """Verbs over attributes."""

    def attributes(
        self, names: Sequence[str], paths: Iterable[str], files: Mapping[str, ObjectSha] | None = None
    ) -> Iterator[tuple[str, str, str]]:
        """(path, attribute, value) of every path and name; the value is `set`, `unset`, `unspecified` or a text.

        Args:
            files: The `.gitattributes` files of a tree, path → blob; None reads those of the work tree.
        """
        asked = b"".join(encode(path) + b"\0" for path in paths)
        if files is None:
            answer = self._ask("check-attr", "-z", "--stdin", *names, stdin=asked)
        else:
            answer = self._ask_of_tree(names, asked, files)
        items = iter(map(decode, fields(answer)))
        yield from zip(items, items, items, strict=True)

    def _ask_of_tree(self, names: Sequence[str], asked: bytes, files: Mapping[str, ObjectSha]) -> bytes:
        # `check-attr --source` is younger than the git we support; an index that holds nothing else says the same.
        listing = b"".join(f"{FILE_MODE} {sha}\t".encode() + encode(path) + b"\0" for path, sha in files.items())
        with tempfile.TemporaryDirectory(prefix="switchyard-index-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._ask("update-index", "-z", "--index-info", stdin=listing, env=env)
            return self._ask("check-attr", "--cached", "-z", "--stdin", *names, stdin=asked, env=env)
