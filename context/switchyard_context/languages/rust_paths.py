"""Rust's `use` declarations and the paths written out in code, found by scanning text instead of walking a tree.

The scan is faster than a tree's, and sees the paths that stand inside a macro's arguments.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from switchyard_context.facts import EdgeKind, Import

_SKIPPED = (
    rb"//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
    rb'|\bb?r(?P<hashes>#+)".*?"(?P=hashes)|\bb?r"[^"]*"|"(?:[^"\\]|\\.)*"'
    rb"|'(?:\\[^\n']+|\\'|[^'\\\n])'"
)
_PATH = rb"(?:\$|(?<![\w>])::|\br#)?\b[A-Za-z_]\w*(?:::(?:r#)?[A-Za-z_]\w*)+"
_USE = rb"(?P<visible>\bpub(?:\s*\([^)]*\))?\s+)?\buse\s(?P<tree>[^;\"!=()]*);"
_OTHERS = (
    rb"|(?P<crate>\bextern\s+crate\s+\w+(?:\s+as\s+\w+)?)"
    rb'|\binclude!\s*[({\[]\s*"(?P<included>[^"\n]+\.rs)"'
    rb"|\bpub\s*\(\s*in\s[^)]*\)"
    rb"|(?P<quote>\b(?:parse_)?quote(?:_spanned)?!\s*[({\[])"
)
_ALL = rb"%s|%s%s|(?P<path>%s)" % (_SKIPPED, _USE, _OTHERS, _PATH)
_WORD = rb"(?P<word>(?<![\w.'])(?<!fn )(?:[A-Z]\w*\b|[a-z_]\w*(?=\()))"
_SCAN = re.compile(_ALL, re.DOTALL)
_SCAN_WORDS = re.compile(_ALL + b"|" + _WORD, re.DOTALL)
_BRACKETS = re.compile(rb"%s|(?P<open>[({\[])|(?P<close>[)}\]])" % _SKIPPED, re.DOTALL)
_GLOB = re.compile(rb"(?:::|[{,])\s*\*\s*[;,}]")
_INNER_MODULE = re.compile(rb"^\s*(?:pub\s+)?mod\s+\w+\s*\{", re.MULTILINE)
_USE_TOKEN = re.compile(
    r"(?P<skipped>//[^\n]*|/\*.*?\*/|\$)|\bas\s+(?P<alias>(?:r#)?\w+)|::|[{},*]|(?:r#)?\w+", re.DOTALL
)
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
    inner_modules: list[tuple[int, int]] = field(default_factory=list)
    """Modules inside of functions: what is relative to them leads to this very file."""

    def note_inner_modules(self, source: bytes, start: int, end: int) -> None:
        """Look for modules in a function's body."""
        for match in _INNER_MODULE.finditer(source, start, end):
            if not _is_within(self.inner_modules, match.start()):
                self.inner_modules.append((match.start(), _end_of_group(source, match.end())))


@dataclass
class _Scan:
    """One file being scanned from front to back."""

    source: bytes
    regions: Regions
    line: int = 1
    counted: int = 0
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    words: dict[str, dict[str, None]] = field(default_factory=dict)
    """Scope → names used in it by themselves, which a `use …::*` may have brought."""
    globs: dict[str, int] = field(default_factory=dict)
    """Scope → line of its first `use …::*`."""
    bound: set[str] = field(default_factory=set)
    """Names that some `use` brought by name."""
    entered: int = 0
    open_scopes: list[tuple[int, str]] = field(default_factory=lambda: [(sys.maxsize, "")])

    def line_at(self, position: int) -> int:
        self.line += self.source.count(b"\n", self.counted, position)
        self.counted = position
        return self.line

    def scope_at(self, position: int) -> str:
        """The innermost inline module; positions come in rising order."""
        scopes = self.regions.scopes
        while self.entered < len(scopes) and scopes[self.entered][0] <= position:
            start, end, name = scopes[self.entered]
            self._leave(start)
            self.open_scopes.append((end, name))
            self.entered += 1
        self._leave(position)
        return self.open_scopes[-1][1]

    def _leave(self, position: int) -> None:
        while self.open_scopes[-1][0] <= position:
            self.open_scopes.pop()

    def note_word(self, position: int, word: str) -> None:
        self.words.setdefault(self.scope_at(position), {})[word] = None


def read_paths(source: bytes, regions: Regions, defined: Collection[str]) -> Iterator[Import]:
    """Every `use`, and each path once per inline module.

    Args:
        defined: The file's own definitions, which no `use …::*` is needed for.
    """
    scan = _Scan(source, regions)
    pattern = _SCAN_WORDS if _GLOB.search(source) else _SCAN
    position = 0
    while match := pattern.search(source, position):
        position = match.end()
        match match.lastgroup:
            case "path":
                yield from _read_path(scan, match)
            case "word":
                scan.note_word(match.start(), _decode(match[0]))
            case "tree":
                yield from _read_use(scan, match)
            case "quote":
                position = _end_of_group(source, position)
            case "crate" | "included":
                yield _read_other(scan, match)
            case _:
                pass
    yield from _bare_names(scan, defined)


def _read_path(scan: _Scan, match: re.Match[bytes]) -> Iterator[Import]:
    start = match.start()
    module, _, name = _decode(match[0]).rpartition("::")
    head = module.removeprefix("::").partition("::")[0]
    is_rooted = head in ("crate", "$crate", "self", "super")
    if head in _BUILT_IN or (not is_rooted and _is_within(scan.regions.macros, start)):
        return
    if head in ("self", "super") and _is_within(scan.regions.inner_modules, start):
        return
    if head[:1].isupper():
        scan.note_word(start, head)
        return
    key = (scan.scope_at(start), module, name)
    if key not in scan.seen:
        scan.seen.add(key)
        yield Import(scan.line_at(start), module.removeprefix("$"), ((name, ""),), "import", is_public=False)


def _read_use(scan: _Scan, match: re.Match[bytes]) -> Iterator[Import]:
    start = match.start("tree")
    is_macro = _is_within(scan.regions.macros, start)
    is_local = is_macro or _is_within(scan.regions.functions, start)
    kind: EdgeKind = "import" if match["visible"] is None or is_local else "reexport"
    text = match["tree"].decode("utf-8", "replace")
    if is_macro and not text.startswith("$crate"):
        return
    if text.startswith(("self::", "super::")) and _is_within(scan.regions.inner_modules, start):
        return
    groups: dict[str, tuple[int, list[tuple[str, str]]]] = {}
    for offset, segments, name, bound in _leaves(text):
        module = "::".join(segments)
        line = scan.line_at(start) + text.count("\n", 0, offset)
        groups.setdefault(module, (line, []))[1].append((name, "" if is_macro else bound))
        scan.bound.add(bound)
        if name == "*":
            scan.globs.setdefault(scan.scope_at(start), line)
    for module, (line, names) in groups.items():
        yield Import(line, module, tuple(names), kind, is_public=not is_local)


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
        elif not token["skipped"]:
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


def _read_other(scan: _Scan, match: re.Match[bytes]) -> Import:
    """`extern crate a as b` is `::a`; `include!("a.rs")` keeps its quotes."""
    line = scan.line_at(match.start())
    if match["included"] is not None:
        return Import(line, f'"{match["included"].decode("utf-8", "replace")}"', (), "import", is_public=False)
    words = _decode(match["crate"]).split()
    module = "crate" if words[2] == "self" else "::" + words[2]
    return Import(line, module, (("self", words[-1] if words[-1] != "_" else ""),), "import")


def _bare_names(scan: _Scan, defined: Collection[str]) -> Iterator[Import]:
    """An import of no module for each inline module with a `use …::*`: the names that nothing else explains."""
    for scope, line in scan.globs.items():
        names = [
            word
            for word in scan.words.get(scope, {})
            if word not in scan.bound and word not in _PRELUDE and (f"{scope}.{word}" if scope else word) not in defined
        ]
        if names:
            yield Import(line, "", tuple((name, "") for name in names), "import", is_public=False)


def _end_of_group(source: bytes, position: int) -> int:
    """Where the bracket that was opened before `position` is closed."""
    depth = 1
    for match in _BRACKETS.finditer(source, position):
        if match["open"]:
            depth += 1
        elif match["close"]:
            depth -= 1
        if not depth:
            return match.end()
    return position


def _is_within(regions: Sequence[tuple[int, int]], position: int) -> bool:
    """Whether one of the regions, sorted and apart from one another, holds a position."""
    index = bisect_right(regions, (position, len(regions) and regions[-1][1])) - 1
    return index >= 0 and regions[index][0] <= position < regions[index][1]


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("r#", "")
