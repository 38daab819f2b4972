"""Rust's `use` declarations and the paths written out in code, found by scanning text instead of walking a tree.

The scan is faster than a tree's, and sees the paths that stand inside a macro's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from switchyard_context.facts import EdgeKind, Import
from switchyard_context.languages.rust_text import Cursor, blank, end_of_group, is_within

_USE = re.compile(rb"use(?<!\wuse)\s+")
_END_OF_USE = re.compile(rb"[;()=!]")
_PUBLIC = re.compile(rb"\bpub(?:\s*\([^)]*\))?\s*$")
_CRATE = re.compile(rb"extern\s+crate\s+(\w+)(?:\s+as\s+(\w+))?")
_INCLUDE = re.compile(rb'include!\s*[({\[]\s*"([^"\n]+\.rs)"')
_HIDDEN_GROUP = re.compile(rb"quote(?:_spanned)?!\s*[({\[]|pub\s*\(\s*in\b")
_INNER_MODULE = re.compile(rb"mod(?<!\wmod)\s+\w+\s*\{")
_TAIL = re.compile(rb"(?:::(?:r#)?[A-Za-z_]\w*)+")
_WORD = re.compile(rb"(?<![\w.'])(?<!fn )(?:[A-Z]\w*\b|[a-z_]\w*(?=\(|::<))")
_WORD_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_USE_TOKEN = re.compile(r"\bas\s+(?P<alias>(?:r#)?\w+)|::|[{},*]|(?:r#)?\w+")
# Paths of these lead out of every tree; what they hold is known to everybody.
_BUILT_IN = frozenset(
    re.findall(r"\w+", "std core alloc Self u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char str")
)
_PRELUDE = frozenset(
    re.findall(
        r"\w+",
        "Some None Ok Err Self Box Vec String Option Result Default Clone Copy Send Sync Drop Fn Debug pub cfg derive"
        " drop allow if while match for in return matches doc",
    )
)


@dataclass
class Regions:
    """(first byte, end) of the parts of a file in which a path means something else."""

    scopes: list[tuple[int, int, str]] = field(default_factory=list)
    """Inline modules with their names, the outer one first."""
    functions: list[tuple[int, int]] = field(default_factory=list)
    """What is imported in here is bound for nobody else."""
    macros: list[tuple[int, int]] = field(default_factory=list)
    """Bodies of `macro_rules!`: names mean what they mean to the macro's user, but for `$crate::…`."""


@dataclass
class _Scan:
    """One file being read."""

    text: bytes
    regions: Regions
    inner_modules: list[tuple[int, int]] = field(default_factory=list)
    """Modules inside of functions: what is relative to them leads to this very file."""
    uses: list[tuple[int, int]] = field(default_factory=list)
    words: dict[str, dict[str, None]] = field(default_factory=dict)
    """Inline module → names used in it by themselves, which a `use …::*` may have brought."""
    globs: dict[str, int] = field(default_factory=dict)
    """Inline module → line of its first `use …::*`."""
    bound: set[str] = field(default_factory=set)
    """Names that some `use` brought by name."""

    def cursor(self) -> Cursor:
        return Cursor(self.text, self.regions.scopes)


def read_paths(source: bytes, text: bytes, regions: Regions, defined: Collection[str]) -> Iterator[Import]:
    """Every `use`, and each path once per inline module.

    Args:
        text: The source, masked.
        defined: The file's own definitions, which no `use …::*` is needed for.
    """
    hidden: list[tuple[int, int]] = []
    for match in _HIDDEN_GROUP.finditer(text):
        if not is_within(hidden, match.start()):
            hidden.append((match.start(), end_of_group(text, match.end())))
    scan = _Scan(blank(text, hidden), regions)
    for match in _INNER_MODULE.finditer(text) if regions.functions else ():
        if is_within(regions.functions, match.start()) and not is_within(scan.inner_modules, match.start()):
            scan.inner_modules.append((match.start(), end_of_group(text, match.end())))
    yield from _read_crates_and_includes(scan, source)
    yield from _read_uses(scan)
    scan.text = blank(scan.text, scan.uses)
    yield from _read_written_paths(scan)
    if scan.globs:
        yield from _read_bare_names(scan, defined)


def _read_crates_and_includes(scan: _Scan, source: bytes) -> Iterator[Import]:
    """`extern crate a as b` is `::a`; `include!("a.rs")` keeps its quotes."""
    cursor = scan.cursor()
    for match in _CRATE.finditer(scan.text):
        name, bound = match[1].decode("utf-8", "replace"), _decode(match[2] or match[1])
        module = "crate" if name == "self" else "::" + name
        yield Import(cursor.line_at(match.start()), module, (("self", "" if bound == "_" else bound),), "import")
    cursor = scan.cursor()
    for match in _INCLUDE.finditer(source):
        if scan.text.startswith(b"include!", match.start()):
            module = f'"{match[1].decode("utf-8", "replace")}"'
            yield Import(cursor.line_at(match.start()), module, (), "import", is_public=False)


def _read_uses(scan: _Scan) -> Iterator[Import]:
    cursor = scan.cursor()
    for start, first, end in _use_declarations(scan.text):
        scan.uses.append((start, end))
        text = scan.text[first : end - 1].decode("utf-8", "replace")
        is_macro = is_within(scan.regions.macros, start)
        if is_macro and not text.startswith("$crate"):
            continue
        if text.startswith(("self::", "super::")) and is_within(scan.inner_modules, start):
            continue
        is_local = is_macro or is_within(scan.regions.functions, start)
        is_public = _PUBLIC.search(scan.text, max(0, start - 60), start) is not None and not is_local
        kind: EdgeKind = "reexport" if is_public else "import"
        scope, line = cursor.scope_at(start), cursor.line_at(first)
        for module, (lines, names) in _groups(text.replace("$", "")).items():
            bound = tuple((name, "" if is_macro else bound) for name, bound in names)
            scan.bound.update(name for _, name in bound)
            if ("*", "*") in bound:
                scan.globs.setdefault(scope, line + lines)
            yield Import(line + lines, module, bound, kind, is_public=not is_local)


def _use_declarations(text: bytes) -> Iterator[tuple[int, int, int]]:
    """(start, start of the tree, end) of each `use …;`; each byte is looked at once, whatever the text."""
    position = 0
    while (match := _USE.search(text, position)) and (end := _END_OF_USE.search(text, match.end())):
        if end[0] == b";":
            yield match.start(), match.end(), end.end()
        position = end.end()


def _groups(text: str) -> dict[str, tuple[int, list[tuple[str, str]]]]:
    """Module → (lines before its first name, names)."""
    groups: dict[str, tuple[int, list[tuple[str, str]]]] = {}
    for offset, segments, name, bound in _leaves(text):
        lines = text.count("\n", 0, offset)
        groups.setdefault("::".join(segments), (lines, []))[1].append((name, bound))
    return groups


def _leaves(text: str) -> Iterator[tuple[int, list[str], str, str]]:
    """(offset, path, name in it, name bound) of each leaf of a `use` tree; `self` is the path's own module."""
    prefix: list[str] = []
    outer: list[int] = []
    path: list[str] = []
    bound: str | None = None
    offset = 0
    for token in _USE_TOKEN.finditer(text + ","):
        word = token[0].removeprefix("r#")
        if token["alias"]:
            bound = token["alias"]
        elif word == "{":
            prefix.extend(path)
            outer.append(len(path))
            path = []
        elif word in (",", "}"):
            if path:
                yield _leaf(offset, prefix, path, bound)
            path, bound = [], None
            if word == "}" and outer:
                del prefix[len(prefix) - outer.pop() :]
        elif word == "::":
            path.extend([""] if not path and not prefix else [])
        else:
            offset = offset if path else token.start()
            path.append(word)


def _leaf(offset: int, prefix: list[str], path: list[str], bound: str | None) -> tuple[int, list[str], str, str]:
    whole = [*prefix, *path]
    last = whole[-1]
    if len(whole) == 1 or last == "self":
        segments = whole[:-1] if len(whole) > 1 else whole
        name, own = "self", segments[-1]
    else:
        segments, name, own = whole[:-1], last, last
    if segments == [""]:
        segments, name, own = ["", last], "self", last
    bound = own if bound is None else "" if bound == "_" else bound
    return offset, segments, name, bound


def _read_written_paths(scan: _Scan) -> Iterator[Import]:
    """Paths of at least two parts outside of declarations."""
    cursor = scan.cursor()
    text, end = scan.text, 0
    seen: set[tuple[str, str, str]] = set()
    while (colons := text.find(b"::", end)) >= 0:
        tail = _TAIL.match(text, colons)
        if tail is None:
            end = colons + 2
            continue
        before = text[max(end, colons - 100) : colons]
        head = before[len(before.rstrip(_WORD_BYTES)) :]
        end = tail.end()
        module, _, name = _decode(head + tail[0]).rpartition("::")
        first = head.decode() or module.removeprefix("::").partition("::")[0]
        if (not head and before[-1:] == b">") or not module or not _is_worth_it(scan, first, colons):
            continue
        scope = cursor.scope_at(colons)
        if first[:1].isupper():
            scan.words.setdefault(scope, {})[first] = None
        elif (scope, module, name) not in seen:
            seen.add((scope, module, name))
            yield Import(cursor.line_at(colons), module, ((name, ""),), "import", is_public=False)


def _is_worth_it(scan: _Scan, first: str, position: int) -> bool:
    """Whether a path that begins so may lead into the tree."""
    if first in _BUILT_IN or first[:1].isdigit():
        return False
    if first in ("self", "super"):
        return not is_within(scan.inner_modules, position) and not is_within(scan.regions.macros, position)
    return first == "crate" or not is_within(scan.regions.macros, position)


def _read_bare_names(scan: _Scan, defined: Collection[str]) -> Iterator[Import]:
    """An import of no module for each inline module with a `use …::*`: the names that nothing else explains."""
    cursor = scan.cursor()
    for match in _WORD.finditer(scan.text):
        scan.words.setdefault(cursor.scope_at(match.start()), {})[_decode(match[0])] = None
    for scope, line in scan.globs.items():
        names = [
            word
            for word in scan.words.get(scope, {})
            if word not in scan.bound and word not in _PRELUDE and (f"{scope}.{word}" if scope else word) not in defined
        ]
        if names:
            yield Import(line, "", tuple((name, "") for name in names), "import", is_public=False)


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("r#", "")
