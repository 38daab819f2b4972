"""Sparse code in: which files of a commit are laid out, and the patterns by which git itself knows that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

_SPECIAL = re.compile(r"[\\*?\[]")
_UNWRITABLE = re.compile(r"[\n\r]|(?<= ) | $|\t")
# Lines end a pattern and blanks at its end are cut off; a sign that stands for any other takes their place.


def laid_out(files: Iterable[str], paths: Collection[str]) -> set[str]:
    """Those of a commit's files that are named, by themselves or by a folder that they lie in; all where none is named.

    Args:
        files: Paths of files, links and submodules.
        paths: Paths of files or folders, from the top of the tree.
    """
    if not paths:
        return set(files)
    named = {path.strip("/") for path in paths}
    return {file for file in files if file in named or any(folder in named for folder in folders_of(file))}


def folders_of(path: str) -> Iterator[str]:
    """The folders that a path lies in, outermost first."""
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)


def write_patterns(files: Sequence[str], paths: Collection[str]) -> str:
    """The text of git's `info/sparse-checkout` under which of `files` those that `paths` name are laid out.

    Everything is in but the files that are not named, folders without any as a whole: so git takes a new file in a
    folder that was laid out like any other. What `paths` name is in whether it is among `files` yet or not.
    """
    wanted = laid_out(files, paths)
    opened = {folder for file in wanted for folder in folders_of(file)}
    shut: dict[str, None] = {}
    for file in files:
        if file not in wanted:
            closed = next((folder for folder in folders_of(file) if folder not in opened), None)
            shut[_pattern(file) if closed is None else _pattern(closed) + "/"] = None
    lines = ["/*", *(f"!{pattern}" for pattern in shut), *(_pattern(path.strip("/")) for path in sorted(paths))]
    return "".join(f"{line}\n" for line in lines)


def _pattern(path: str) -> str:
    """A pattern that means just this path."""
    return "/" + _UNWRITABLE.sub("?", _SPECIAL.sub(r"\\\g<0>", path))
