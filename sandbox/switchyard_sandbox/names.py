"""Which names and links of a box's tree are safe to carry into a repository that other machines check out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, ends a line or turns the direction of writing."""
_SEPARATORS = re.compile(r"[\\:]")
# What HFS+ leaves out when it compares names: a `.g<U+200C>it` is a `.git` there.
_IGNORED_BY_HFS = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF], None)
_GIT = (".git", "git~1")
_NEVER_LINKS = (".gitmodules", ".gitattributes", ".gitignore", ".mailmap")
_LONGEST_CHAIN = 40
_SHOWN = 400


def is_git_like(name: str) -> bool:
    """Whether some file system takes the name for `.git`."""
    pieces = _SEPARATORS.split(name.translate(_IGNORED_BY_HFS).lower())
    return any(piece.rstrip(" .") in _GIT for piece in pieces)


def is_unsafe(name: str) -> bool:
    """Whether the name holds characters that forge lines, or the order of letters, in every listing."""
    return _CONTROL.search(name) is not None


def shortened(path: str) -> str:
    """A path as a finding tells it: without its middle where it is longer than anybody reads."""
    return path if len(path) <= _SHOWN else f"{path[: _SHOWN // 2]}…{path[-_SHOWN // 2 :]}"


def colliding(added: Collection[str], paths: Collection[str]) -> dict[str, str]:
    """Which of the added paths some file systems take for another of the tree, or lay into another's folder.

    Args:
        paths: All of the tree, the added ones among them.

    Returns:
        Added path → the other one, up to the folder that collides.
    """
    meant = {_folded(place): place for path in added for place in _places(path)}
    others: dict[str, str] = {}
    for path in paths if meant else ():
        for place in _places(path):
            folded = _folded(place)
            if folded not in meant:
                break
            if meant[folded] != place:
                others[folded] = place
    return {path: other for path in sorted(added) if (other := _other(path, meant, others))}


def _other(path: str, meant: Mapping[str, str], others: Mapping[str, str]) -> str:
    for place in _places(path):
        folded = _folded(place)
        if folded in others:
            return others[folded] if others[folded] != place else meant[folded]
    return ""


def _places(path: str) -> Iterator[str]:
    """A path's folders, outermost first, and itself."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)
    yield path


def _folded(path: str) -> str:
    """What is the same for paths that differ in case or in how letters are composed."""
    return (
        path.lower() if path.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
    )


def forbids_link(name: str) -> bool:
    """Whether git reads the file of that name itself, so that it must not be a link."""
    return name.translate(_IGNORED_BY_HFS).lower().rstrip(" .") in _NEVER_LINKS


def escapes(path: str, links: Mapping[str, str]) -> bool:
    """Whether a symbolic link leads out of the tree or into `.git`, through however many other links.

    Args:
        links: Every link of the tree with its target.
    """
    here: list[str] = []
    waiting = path.split("/")[::-1]
    hops = 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return True
            here.pop()
            continue
        here.append(part)
        target = links.get("/".join(here))
        if target is None:
            continue
        hops += 1
        if hops > _LONGEST_CHAIN or target.startswith("/"):
            return True
        here.pop()
        waiting += target.split("/")[::-1]
    return bool(here) and is_git_like(here[0])
