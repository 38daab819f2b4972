"""A Python file without the statements that say nothing about imports or definitions, each line where it was.

Parsing is most of what a cold index costs, and most of a file is expressions that no fact comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

_DEPTH = 12
_STRING = (
    rb'"""(?:[^"\\]++|\\.|"(?!""))*+"""'
    rb"|'''(?:[^'\\]++|\\.|'(?!''))*+'''"
    rb'|"(?:[^"\\\n]++|\\.)*+"'
    rb"|'(?:[^'\\\n]++|\\.)*+'"
)


def _brackets(depth: int) -> bytes:
    inner = rb"|" + _brackets(depth - 1) if depth else b""
    return rb"[(\[{](?:[^\"'#\\()\[\]{}]++|" + _STRING + rb"|#[^\n]*+|\\." + inner + rb")*+[)\]}]"


# One logical line, however many lines it takes.
_REST = rb"(?:[^\"'#\\\n()\[\]{}]++|" + _STRING + rb"|\\\r?\n|" + _brackets(_DEPTH) + rb")*+(?:#[^\n]*+)?\n"
_BLANK = rb"[ \t\f\r]*+(?:#[^\n]*+)?\n"
_SPACE = rb"[ \t\f]"
_KEPT = rb"(?:(?:async|case|class|def|elif|else|except|finally|for|from|if|import|match|try|type|while|with)\b)"
_PLAIN = rb"(?!" + _KEPT + rb"|[ \t\f\r#\n@])" + _REST

# What may be wanted of a statement that is otherwise plain.
_WANTED = re.compile(rb"import_module|__import__|;[ \t]*(?:import|from|class|def|\w+[ \t]*[=:])")
# Within a function only imports are.
_IMPORTS = re.compile(rb"import_module|__import__|(?:^|[;:])[ \t\f]*+(?:import|from)\b", re.MULTILINE)


def outline(source: bytes) -> bytes:
    """The source with plain statements cut down to `(0)`, or as it is where the cutting might go wrong."""
    return _shorten(source if source.endswith(b"\n") else source + b"\n")


@cache
def _lines() -> re.Pattern[bytes]:
    # Compiled when something is parsed: it takes longer than a query that parses nothing may.
    return re.compile(
        rb"(?P<blank>(?:" + _BLANK + rb")++)"
        rb"|(?P<function>(?P<margin>" + _SPACE + rb"*+)(?:async\b" + _SPACE + rb"*+)?def\b" + _REST + rb")"
        rb"(?P<body>(?:(?:" + _BLANK + rb")*+(?P=margin)" + _SPACE + rb"++" + _REST + rb")++)"
        rb"|(?P<constant>(?!" + _KEPT + rb")[^\W\d]\w*+(?=[ \t]*+(?:=(?!=)|:(?!=))))" + _REST + rb""
        rb"|(?P<decorator>" + _SPACE + rb"*+@)" + _REST + rb""
        rb"|(?P<kept>" + _SPACE + rb"*+" + _KEPT + _REST + rb")"
        rb"|(?P<indent>" + _SPACE + rb"++)" + _PLAIN + rb"(?:(?:" + _BLANK + rb")*+(?P=indent)" + _PLAIN + rb")*+"
        rb"|(?P<plain>" + _PLAIN + rb")",
        re.DOTALL,
    )


def _shorten(text: bytes) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for match in _lines().finditer(text):
        if match.start() != position:
            return text
        position = match.end()
        pieces += _cut(match)
    return b"".join(pieces) if position == len(text) else text


def _cut(match: re.Match[bytes]) -> Iterator[bytes]:
    kind = match.lastgroup or ""
    if kind == "body":
        yield match["function"]
        body = match["body"]
        if b"import" in body and _IMPORTS.search(body):
            yield _shorten(body)
        else:
            yield match["margin"] + b" " + _placeholder(body)
    elif kind in ("kept", "blank") or _WANTED.search(match[0]):
        yield match[0]
    elif kind == "constant":
        yield match["constant"] + b"=" + _placeholder(match[0])
    else:
        # A decorator keeps its `@`, a statement its margin.
        yield (match[kind] if kind != "plain" else b"") + _placeholder(match[0])


def _placeholder(text: bytes) -> bytes:
    """An expression over as many lines."""
    return b"(0" + b"\n" * (text.count(b"\n") - 1) + b")\n"
