"""A tree narrowed down to the part that somebody wants to be looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

from switchyard_context.languages import language_of
from switchyard_context.source import RevisionSource, Source, WorktreeSource


def narrow(source: Source, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Source:
    """The tree without the source files that are not included, and without anything that is excluded.

    What configures the sources stays although no pattern includes it: imports would lead elsewhere without it.

    Args:
        include: Patterns; none includes everything.
        exclude: Patterns; they win over `include`.
    """
    if not include and not exclude:
        return source
    assert isinstance(source, RevisionSource | WorktreeSource)
    wanted, unwanted = _pattern(tuple(include)), _pattern(tuple(exclude))

    def is_in(path: str) -> bool:
        if exclude and unwanted.fullmatch(path):
            return False
        return not include or language_of(path) is None or wanted.fullmatch(path) is not None

    blobs = {path: blob for path, blob in source.blobs.items() if is_in(path)}
    links = {link: file for link, file in source.links.items() if file in blobs and is_in(link)}
    return replace(source, blobs=blobs, links=links, paths=frozenset(blobs))


def matches(path: str, glob: str) -> bool:
    """Whether a pattern names a path or a folder above it.

    As in `.gitignore`: `*` and `?` stay within one name, `**` spans folders, and a pattern without a slash inside
    means any depth.
    """
    return _pattern((glob,)).fullmatch(path) is not None


@lru_cache(maxsize=64)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_translate(glob)})" for glob in globs), re.DOTALL)


def _translate(glob: str) -> str:
    glob = glob.removeprefix("./")
    is_anchored = "/" in glob.rstrip("/")
    parts = glob.strip("/").split("/")
    pieces = [] if is_anchored or parts[0] == "**" else ["(?:[^/]+/)*"]
    for part in parts[:-1]:
        pieces.append("(?:[^/]+/)*" if part == "**" else _translate_name(part) + "/")
    pieces.append(".+" if parts[-1] == "**" else _translate_name(parts[-1]) + "(?:/.+)?")
    return "".join(pieces)


def _translate_name(part: str) -> str:
    return "".join(_TOKENS.get(token, "") or _class_or_text(token) for token in re.findall(r"\[!?\]?[^\]]*\]|.", part))


_TOKENS = {"*": "[^/]*", "?": "[^/]"}


def _class_or_text(token: str) -> str:
    if len(token) > 1:
        inner = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        found = f"(?!/)[{'^' + inner[1:] if inner.startswith('!') else inner}]"
        with suppress(re.error):
            re.compile(found)
            return found
    return re.escape(token)
